"""Publish a tuned student as an immutable version folder.

A version is named ``NNNN-HASH``: its ordinal under the name and the start of the sha256 over its
weights. The same weights under the same name are the same version: it is found, not written again.
"""

import hashlib
import re
import shutil
from importlib.metadata import version as library_version
from pathlib import Path
from typing import NamedTuple

from schemas.errors import UserError
from schemas.manifest import DatasetManifest, SourceFile, TrainingManifest
from schemas.storage import StorageError, atomic_folder
from schemas.templates import template_hash
from training.base_model import weights_sha256
from training.finetuning.card import render_model_card
from training.finetuning.recipe import Recipe, Settings, decided_values
from training.finetuning.student import LoadedStudent, Student

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"\d{4,}-[0-9a-f]{12}")
_LIBRARIES = ("accelerate", "bitsandbytes", "peft", "tokenizers", "torch", "transformers", "trl")


class ModelNameError(UserError):
    """A name cannot be a model's."""


class Outcome(NamedTuple):
    """What training did and took."""

    steps: int
    loss_before: float
    loss_after: float
    peak_memory_mb: float
    train_seconds: float
    tokens_per_second: float


class Publication(NamedTuple):
    """All that a version is made of."""

    name: str
    student: Student
    loaded: LoadedStudent
    dataset: DatasetManifest
    recipe: Recipe
    settings: Settings
    outcome: Outcome
    train_rows: int
    validation_rows: int
    overlong_rows: int
    code_version: str


def check_name(name: str) -> None:
    """Refuse a name that is no safe folder name.

    Raises:
        ModelNameError: The name has other characters, or is too long.
    """
    if not _NAME.fullmatch(name):
        raise ModelNameError(
            f"A model name is 1 to 64 of a-z, 0-9, dot, dash and underscore, found {name!r}."
        )


def publish_model(publication: Publication, run: Path, root: Path) -> Path:
    """Write a version under ``root/name`` and return its folder.

    Args:
        publication: What to publish.
        run: Folder of the run, where the weights are written first, because their hash is part
            of the version's name.
        root: Folder of all models.

    Raises:
        StorageError: The folder cannot be written; nothing half-written stays.
    """
    staged = run / "weights"
    _save_weights(publication.loaded, staged)
    weights_hash = weights_sha256(staged)
    folder_of_name = root / publication.name
    published = [path for path in folder_of_name.glob("*-*") if _VERSION.fullmatch(path.name)]
    for folder in published:
        if folder.name.endswith(weights_hash[:12]):
            return folder
    ordinal = 1 + max((int(path.name.split("-")[0]) for path in published), default=0)
    target = folder_of_name / f"{ordinal:04d}-{weights_hash[:12]}"
    manifest = _describe(publication, target.name)
    languages = sorted(
        code for code, count in publication.dataset.kept_by_language.items() if count
    )
    card = render_model_card(manifest, tuple(languages))
    with atomic_folder(target) as folder:
        for file in sorted(staged.iterdir()):
            shutil.move(file, folder / file.name)
        (folder / "README.md").write_text(card, encoding="utf-8")
        manifest = manifest.model_copy(update={"files": _hash_files(folder)})
        (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    return target


def _save_weights(loaded: LoadedStudent, staged: Path) -> None:
    """Save what was trained, as safetensors, and the tokenizer."""
    from peft import PeftModel
    from safetensors import SafetensorError

    shutil.rmtree(staged, ignore_errors=True)
    try:
        if isinstance(loaded.model, PeftModel):
            # Without the argument peft looks the base up on the hub to see whether its vocabulary
            # was enlarged; it never is here.
            loaded.model.save_pretrained(str(staged), save_embedding_layers=False)
        else:
            loaded.model.save_pretrained(staged)
        loaded.tokenizer.save_pretrained(staged)
    except (OSError, SafetensorError) as error:
        raise StorageError(
            f"The tuned weights cannot be written to {staged}: {error}. Free space there and run "
            "the same command again; it continues from the last checkpoint."
        ) from error


def _describe(publication: Publication, version: str) -> TrainingManifest:
    trainable, total = _count_parameters(publication.loaded)
    dataset = publication.dataset
    return TrainingManifest(
        name=publication.name,
        version=version,
        method=publication.recipe.method,
        student=publication.student.name,
        student_path=str(publication.student.path.resolve()),
        student_sha256=publication.loaded.sha256,
        dataset=f"{dataset.name}/{dataset.version}",
        dataset_content_hash=dataset.content_hash,
        template_hash=template_hash(),
        recipe=decided_values(publication.recipe, publication.settings),
        train_rows=publication.train_rows,
        validation_rows=publication.validation_rows,
        overlong_rows=publication.overlong_rows,
        trainable_parameters=trainable,
        total_parameters=total,
        files=(),
        libraries={name: library_version(name) for name in _LIBRARIES},
        code_version=publication.code_version,
        **publication.outcome._asdict(),
    )


def _count_parameters(loaded: LoadedStudent) -> tuple[int, int]:
    """Count trainable and all parameters."""
    from peft import PeftModel

    if isinstance(loaded.model, PeftModel):
        # peft knows that a byte of a 4-bit weight holds two parameters.
        return loaded.model.get_nb_trainable_parameters()
    total = sum(parameter.numel() for parameter in loaded.model.parameters())
    return total, total


def _hash_files(folder: Path) -> tuple[SourceFile, ...]:
    files: list[SourceFile] = []
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        files.append(SourceFile(path=path.relative_to(folder).as_posix(), sha256=sha256))
    return tuple(files)
