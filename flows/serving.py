"""Serve a student on this machine as an OpenAI-compatible endpoint, so that it can be a teacher.

A tuned student is merged and written as GGUF once, into the cache, under a name made from its
weights, base and template; the file is checked against the student before it gets that name.
"""

import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from embedded.engine import EngineOptions, start_engine
from embedded.fetch import fetch_model
from embedded.models import EMBEDDED_MODELS, find_model
from flows.engine import Engine
from flows.paths import served_folder
from flows.resources import find_model_folder
from flows.settings import Settings
from pipeline.publishing.versions import list_versions
from schemas.errors import UserError
from schemas.exports import GgufKind
from schemas.identity import digest
from schemas.locking import hold_in_use
from schemas.manifest import TrainingManifest
from schemas.storage import hash_file

EXPORTER_VERSION = 1
"""Part of a cached file's name: raised when the same student shall give another file."""

_WATCH_EVERY_S = 2.0


class ServingError(UserError):
    """A student cannot be served as asked."""


class ServedModel(NamedTuple):
    """A file that the engine can serve, and its name in requests."""

    name: str
    """``NAME/VERSION`` of a tuned student, so that records tell who wrote them."""
    gguf: Path
    description: str
    """For people."""


def prepare(
    reference: str, kind: GgufKind | None, settings: Settings, engine: Engine
) -> ServedModel:
    """Find a student and bring it into the engine's format.

    Args:
        reference: NAME (its newest version), NAME/VERSION, a folder, an embedded model, a hub id.
        kind: How matrices are stored; None takes f16. An embedded model is served as it is.
        settings: Where models are, and the cache.
        engine: Told what is done.

    Raises:
        UserError: There is no such student, or it cannot be served.
    """
    embedded = {model.name for model in EMBEDDED_MODELS}
    if reference in embedded and not list_versions(settings.outputs / "models", reference):
        return _prepare_embedded(reference, kind, settings, engine)
    folder = find_model_folder(reference, settings, engine)
    # torch takes seconds to import, which --help need not pay.
    from training.exporting.student import refuse_virtual_tokens
    from training.loading import read_training_manifest

    manifest = read_training_manifest(folder)
    refuse_virtual_tokens(manifest)
    kind = kind or "f16"
    name = f"{manifest.name}/{manifest.version}" if manifest else folder.name
    path = served_folder(settings.cache) / f"{_identify(folder, manifest)}-{kind}.gguf"
    _export_once(folder, name, path, kind, engine)
    size = f"{kind}, {path.stat().st_size / 1e6:,.0f} MB"
    if manifest is None:
        return ServedModel(name, path, f"a base, {size}, with its own chat template")
    return ServedModel(
        name, path, f"{manifest.method} on {manifest.student}, {size}, asked as it was trained"
    )


def serve(
    model: ServedModel,
    options: EngineOptions,
    port: int,
    log: Path,
    ready: Callable[[str], None],
) -> None:
    """Serve until the process is interrupted.

    Args:
        model: From :func:`prepare`.
        options: Size of the engine.
        port: On 127.0.0.1; 0 takes any free one.
        log: File for the engine's messages.
        ready: Told the base URL once requests are answered.

    Raises:
        ServingError: The port is taken.
        EngineError: The engine did not start, or died.
    """
    check_port(port)
    readable = _read_context(model.gguf)
    if options.context_tokens > readable:
        # The engine would go on where the model was never trained, and babble.
        options = options.model_copy(update={"context_tokens": readable})
    with (
        hold_in_use(model.gguf),
        start_engine(model.gguf, model.name, options, log, port) as base_url,
    ):
        ready(base_url)
        health = base_url.removesuffix("/v1") + "/health"
        while True:
            time.sleep(_WATCH_EVERY_S)
            _raise_if_gone(health)


def check_port(port: int) -> None:
    """See that nobody listens on a port of 127.0.0.1.

    Raises:
        ServingError: Somebody does, or the port needs rights that the user lacks.
    """
    with socket.socket() as probe:
        # As servers do: a connection that was closed a moment ago is no listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServingError(
                f"Port {port} of 127.0.0.1 cannot be had: {error.strerror}. Choose another with "
                "--port, or --port 0 for any free one."
            ) from error


def _prepare_embedded(
    name: str, kind: GgufKind | None, settings: Settings, engine: Engine
) -> ServedModel:
    if kind is not None:
        raise ServingError(
            f"{name} is an embedded model and served as its file is: leave out --kind, or "
            f"`pacaloom models export {name} --format gguf --kind {kind}`."
        )
    model = find_model(name)
    with engine.progress(f"fetch {name}") as progress:
        gguf = fetch_model(model, settings.cache, accepted_terms=settings.terms, progress=progress)
    return ServedModel(name, gguf, f"embedded model, {model.size_bytes / 1e6:,.0f} MB")


def _identify(folder: Path, manifest: TrainingManifest | None) -> str:
    """Name all that decides the file: weights, base, tokenizer, template."""
    from training.base_model import weights_sha256

    own = [
        (file.name, hash_file(file))
        for pattern in ("*token*", "chat_template*", "config.json", "generation_config.json")
        for file in sorted(folder.glob(pattern))
        if file.is_file()
    ]
    base = (manifest.student_sha256, manifest.template_hash) if manifest else ()
    return digest(EXPORTER_VERSION, weights_sha256(folder), base, own)[:32]


def _export_once(folder: Path, name: str, path: Path, kind: GgufKind, engine: Engine) -> None:
    """Write the file unless it is there, or another process has written it meanwhile."""
    from training.exporting.export import write_gguf_file

    if path.is_file():
        # By its time maintenance knows what is in use; somebody else's stays as it is.
        with suppress(OSError):
            os.utime(path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        # Half a gigabyte that a killed export left; nobody else holds the lock.
        for leftover in path.parent.glob(f".{path.name}.*"):
            if leftover.suffix != ".lock":
                leftover.unlink()
        if not path.is_file():
            engine.say(f"Writing {name} as GGUF ({kind}) into {path.parent}, once…")
            write_gguf_file(folder, name, path, kind)


def _read_context(gguf: Path) -> int:
    """Read how many tokens a model was made to read."""
    from training.exporting.gguf_metadata import read_metadata

    metadata = read_metadata(gguf)
    return int(str(metadata[f"{metadata['general.architecture'].value}.context_length"].value))


def _raise_if_gone(health: str) -> None:
    """Raise what ends the engine's block when nobody listens any more."""
    try:
        with urllib.request.urlopen(health, timeout=30):  # noqa: S310 - loopback
            return
    except (urllib.error.HTTPError, TimeoutError):
        return  # Busy is alive.
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            return
        raise
