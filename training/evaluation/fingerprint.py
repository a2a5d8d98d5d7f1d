"""Name a model by what decides its answers, so that scores are reused for the same model only.

Reads the weights once, about 1 GB/s.
"""

import json
from pathlib import Path

from schemas.identity import short_id
from schemas.manifest import TrainingManifest
from schemas.storage import read_manifest
from training.base_model import weights_sha256

_DECIDING_FILES = ("config.json", "tokenizer.json")


def fingerprint(path: Path) -> str:
    """Hash weights, base weights, config and tokenizer of a checkpoint or model folder.

    Paths, times and model cards are left out: the same model in another place has the same name.
    """
    files = [_text(path / name) for name in _DECIDING_FILES]
    return short_id(weights_sha256(path), files, _base(path), _adapter_config(path))


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _base(path: Path) -> tuple[str, str] | None:
    """Tell how our own model folder was trained and on which weights."""
    if not (path / "manifest.json").is_file():
        return None
    manifest = read_manifest(path, TrainingManifest, "a tuned student")
    return manifest.method, manifest.student_sha256


def _adapter_config(path: Path) -> dict[str, object] | None:
    text = _text(path / "adapter_config.json")
    if text is None:
        return None
    config: dict[str, object] = json.loads(text)
    return {key: value for key, value in config.items() if key != "base_model_name_or_path"}
