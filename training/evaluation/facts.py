"""What a model is and costs, apart from its answers: whole files, size, speed.

Reads every file that a manifest names once, about 1 GB/s.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from schemas.evaluation import ModelFacts
from schemas.manifest import TrainingManifest
from training.evaluation.answerers import Answerer
from training.evaluation.cells import Answered
from training.loading import read_training_manifest

_MEGABYTE = 10**6


def find_facts(
    name: str, answerer: Answerer, path: Path | None, answered: Sequence[Answered]
) -> ModelFacts:
    """Gather the facts of one model.

    Args:
        name: In the matrix.
        answerer: The model.
        path: Its folder; None for an endpoint.
        answered: What it answered; those that were kept from earlier took no time.
    """
    manifest = read_training_manifest(path) if path else None
    seconds = sum(one.seconds for one in answered)
    asked = sum(len(one.cell.items) for one in answered if one.seconds)
    return ModelFacts(
        model=name,
        fingerprint=answerer.fingerprint,
        path=str(path or ""),
        dataset=manifest.dataset if manifest else "",
        damage=_find_damage(path, manifest) if path and manifest else "",
        size_mb=round(_served_bytes(path, manifest) / _MEGABYTE, 3) if path else 0.0,
        answers_per_second=round(asked / seconds, 2) if seconds else 0.0,
    )


def _find_damage(path: Path, manifest: TrainingManifest) -> str:
    """Hold the files against the hashes of the manifest."""
    for source in manifest.files:
        file = path / source.path
        if not file.is_file():
            return f"{source.path} is gone"
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != source.sha256:
            return f"{source.path} has sha256 {found[:16]}…, wanted {source.sha256[:16]}…"
    return ""


def _served_bytes(path: Path, manifest: TrainingManifest | None) -> int:
    """Count the bytes of the weights; an adapter is served folded into its base."""
    is_adapter = manifest is not None and manifest.method != "full"
    folder = Path(manifest.student_path) if manifest and is_adapter else path
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))
