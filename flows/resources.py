"""Turn what a user names into what a stage needs: teacher, student, dataset version, model."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from embedded.fetch import fetch_model
from embedded.models import EMBEDDED_MODELS, EmbeddedModel, find_model
from embedded.student import prepare_student
from flows.engine import Engine
from flows.settings import ROOT, Settings
from pipeline.generation.budget.prices import find_price
from pipeline.generation.config import Price
from pipeline.generation.documents import Document, load_documents
from pipeline.generation.seeds import load_seed_tasks
from pipeline.generation.teacher.addresses import check_address
from pipeline.generation.teacher.endpoint_list import (
    KEYS_NAME,
    LIST_NAME,
    ListedEndpoint,
    read_endpoint_list,
)
from pipeline.publishing.versions import latest_version, list_versions
from schemas.errors import UserError
from schemas.manifest import SourceFile
from schemas.records import SeedTask
from training.finetuning.student import Student

OPENAI_URL = "https://api.openai.com/v1"
DEFAULT_TEACHER = "qwen2.5-coder-1.5b"

_NAMES = ", ".join(model.name for model in EMBEDDED_MODELS)

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


class ResourceError(UserError):
    """A teacher, student, dataset or model that was named does not exist."""


class TeacherChoice(NamedTuple):
    """Which teacher answers."""

    model: str
    """Name in requests, journal and manifests."""
    embedded: EmbeddedModel | None
    """The embedded model to start; None for endpoints of the user's."""
    address: str
    """For people: where it answers."""
    endpoints: tuple[ListedEndpoint, ...] = ()
    """The user's; empty for an embedded model."""


def choose_teacher(model: str | None, settings: Settings) -> TeacherChoice:
    """Decide between the user's endpoints and an embedded teacher.

    Raises:
        UnusableAddressError: No request can be made with an endpoint's address or key.
        EndpointListError: The list of endpoints cannot be used.
        ResourceError: An endpoint is configured and no model named, two settings contradict each
            other, or the embedded model named cannot teach.
    """
    if settings.has_endpoint:
        endpoints = _read_endpoints(settings)
        address = _name_endpoints(endpoints, settings)
        if model is None:
            raise ResourceError(
                f"The endpoint {address} needs the name of a model: add --model NAME, or model to "
                "a deployment's params (or unset OPENAI_BASE_URL, OPENAI_API_KEY and "
                "PACALOOM_ENDPOINTS to use the embedded teacher)."
            )
        return TeacherChoice(model, None, address, endpoints)
    embedded = find_model(model or DEFAULT_TEACHER)
    if embedded.role == "student":
        teachers = ", ".join(one.name for one in EMBEDDED_MODELS if one.role != "student")
        raise ResourceError(f"{embedded.name} is a student only; embedded teachers: {teachers}.")
    return TeacherChoice(embedded.name, embedded, "embedded, on this machine")


def find_teacher_price(
    teacher: TeacherChoice, *, own: Price | None, is_batch: bool = False, is_needed: bool = False
) -> Price | None:
    """Find what a teacher charges; of several endpoints the dearest, since a cap must hold.

    Raises:
        PriceMissingError: It is needed, and unknown of an endpoint.
    """
    if teacher.embedded is not None:
        return own or (Price(input=0.0, output=0.0) if is_needed else None)
    prices = [
        find_price(
            teacher.model, own=own, endpoint=one.base_url, is_batch=is_batch, is_needed=is_needed
        )
        for one in teacher.endpoints
    ]
    known = [price for price in prices if price is not None]
    if len(known) < len(prices):
        return None
    return Price(
        input=max(price.input for price in known), output=max(price.output for price in known)
    )


def _read_endpoints(settings: Settings) -> tuple[ListedEndpoint, ...]:
    keys = settings.endpoint_keys.get_secret_value() if settings.endpoint_keys else ""
    if settings.endpoints is None:
        if keys:
            raise ResourceError(
                f"{KEYS_NAME} is set and {LIST_NAME} is not: name the endpoints, or unset the keys."
            )
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        address = settings.base_url or OPENAI_URL
        check_address(address, key)
        return (ListedEndpoint(address, SecretStr(key)),)
    if settings.base_url is not None:
        raise ResourceError(
            f"Both OPENAI_BASE_URL and {LIST_NAME} are set, in the environment or in .env: unset "
            f"one, or add the address to {LIST_NAME}."
        )
    return read_endpoint_list(settings.endpoints, keys)


def _name_endpoints(endpoints: Sequence[ListedEndpoint], settings: Settings) -> str:
    if settings.endpoints is None:
        return settings.base_url or "the OpenAI API"
    return ", ".join(f"{one.base_url}*{one.weight:g}" for one in endpoints)


def get_student(name: str, settings: Settings, engine: Engine) -> Student:
    """Find or fetch a base model: embedded by name, a local folder, or from the hub.

    Raises:
        ResourceError: It is none of these.
    """
    if name in {model.name for model in EMBEDDED_MODELS}:
        model = find_model(name)
        with engine.progress(f"fetch {model.name}") as progress:
            gguf = fetch_model(
                model, settings.cache, accepted_terms=settings.terms, progress=progress
            )
        return Student(name, prepare_student(model, gguf, settings.cache))
    path = expand(name)
    if path.is_dir():
        return Student(name, path.resolve())
    if _HUB_ID.fullmatch(name) and not name.startswith(("./", "../")):
        return Student(name, _download_from_hub(name))
    raise ResourceError(
        f"No student {name!r}: it is no folder, no Hugging Face id (owner/name), and no embedded "
        f"model ({_NAMES})."
    )


def find_dataset(reference: str, settings: Settings) -> Path:
    """Find a dataset version by folder, NAME/VERSION, or NAME for the newest one."""
    return _find_version(reference, settings.outputs / "datasets", "dataset")


def find_model_folder(reference: str, settings: Settings, engine: Engine) -> Path:
    """Find a model to evaluate: a tuned student, or a base model as in :func:`get_student`."""
    root = settings.outputs / "models"
    if list_versions(root, reference) or (root / reference / "manifest.json").is_file():
        return _find_version(reference, root, "model")
    if expand(reference).is_dir():
        return expand(reference).resolve()
    return get_student(reference, settings, engine).path


def load_seeds(files: tuple[str, ...]) -> list[SeedTask]:
    """Load seed tasks of all files, in order.

    Raises:
        ResourceError: Two files share an id, so that lineage would be ambiguous.
    """
    seeds = [seed for file in files for seed in load_seed_tasks(find_file(file))]
    _check_ids((seed.id for seed in seeds), "Seed", files)
    return seeds


def load_document_files(files: tuple[str, ...]) -> list[Document]:
    """Load documents of all files, in order.

    Raises:
        ResourceError: Two files share an id, so that a record's source would be ambiguous.
    """
    documents = [document for file in files for document in load_documents(find_file(file))]
    _check_ids((document.id for document in documents), "Document", files)
    return documents


def expand(path: str | Path) -> Path:
    """Put the home folder for ``~``; ``~nobody`` stays and is a file that does not exist."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def find_file(file: str) -> Path:
    """Look for a file of the user's from the current directory, then from the project's folder."""
    path = expand(file)
    return path if path.is_absolute() or path.exists() else ROOT / path


def hash_files(files: tuple[str, ...]) -> tuple[SourceFile, ...]:
    """Name files of seed tasks or documents for a manifest, with the hash of what they hold."""
    return tuple(
        SourceFile(
            path=path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in (find_file(file).resolve() for file in files)
    )


def _check_ids(ids: Iterable[str], kind: str, files: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise ResourceError(f"{kind} id {one!r} is in two of the files {', '.join(files)}.")
        seen.add(one)


def _find_version(reference: str, root: Path, kind: str) -> Path:
    inside = root / reference
    if (inside / "manifest.json").is_file():
        return inside
    if list_versions(root, reference):
        return latest_version(root, reference)
    path = expand(reference).resolve()
    if list_versions(path.parent, path.name):
        return latest_version(path.parent, path.name)
    if path.exists() or "/" in reference:
        return path
    known = sorted(folder.name for folder in root.glob("[!.]*") if folder.is_dir())
    raise ResourceError(
        f"No {kind} {reference!r} in {root}. There: {', '.join(known) or 'nothing yet'}."
    )


def _download_from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=["*.safetensors", "*.json", "*.model"]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ResourceError(
            f"Student {name!r} is no local folder and cannot be had from the Hugging Face Hub: "
            f"{reason}. Check the name and the network, or give a folder or one of {_NAMES}."
        ) from error
