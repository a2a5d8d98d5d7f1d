"""What is said about a student that leaves the room it was tuned in: merged, exported, served."""

from typing import Literal

from pydantic import Field

from schemas.frozen import Frozen
from schemas.manifest import Method, Share, TemplateName

MergeRoute = Literal["original", "dequantized", "four-bit"]
"""Which weights an adapter is folded into: ``original``: the fp32 base; ``dequantized``: the fp32
values that the 4-bit base stands for; ``four-bit``: the 4-bit base, rounded to 4 bits again."""

GgufKind = Literal["f32", "f16", "q8_0"]
"""How a GGUF file stores matrices: 32, 16, or 8.5 bits a weight."""


class RouteMeasurement(Frozen):
    """How far a merged student is from its adapter on its base as it was trained."""

    route: MergeRoute
    kl: float = Field(ge=0)
    """Mean Kullback-Leibler divergence of the next-token distributions, in nats a position."""
    same_next_token: Share
    """Positions at which both find the same next token likeliest."""


class MergeReport(Frozen):
    """Every way to merge an adapter, measured, and the one that was taken: the closest."""

    format: Literal["pacaloom-merge/1"] = "pacaloom-merge/1"
    adapter_sha256: str
    base_sha256: str
    taken: RouteMeasurement
    measured: tuple[RouteMeasurement, ...] = Field(min_length=1)
    """Closest first."""
    texts: int
    """Fixed ones in both languages, and held-out rows."""
    held_out_rows: int
    """Those of the texts that are from the dataset; 0 where it is not at hand."""
    positions: int
    """Tokens of the texts that were compared."""


class EngineMeasurement(Frozen):
    """How far llama.cpp with a GGUF file is from the merged weights that it was written from."""

    kl: float = Field(ge=0)
    """Mean Kullback-Leibler divergence of the next-token distributions, in nats a position."""
    same_next_token: Share
    """Positions at which both find the same next token likeliest."""
    positions: int


class ExportManifest(Frozen):
    """``export.json``: what an exported student is, and what it was made from."""

    format: Literal["pacaloom-export/1"] = "pacaloom-export/1"
    model: str
    """``NAME/VERSION`` of a tuned student, or the base as the user named it."""
    weights: str
    """``fp32``, ``bf16`` or a kind of GGUF."""
    files: tuple[str, ...]
    method: Method | None = None
    """None for a base."""
    base: str = ""
    base_sha256: str = ""
    dataset: str = ""
    template: TemplateName | None = None
    template_hash: str = ""
    stop: str = ""
    """Text of the token that ends an answer."""
    merge: MergeReport | None = None
    """None where nothing had to be merged."""
    engine: EngineMeasurement | None = None
    """None for other formats than GGUF, and where no engine is installed to compare."""
