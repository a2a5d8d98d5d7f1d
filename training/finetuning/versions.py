"""Publish a tuned student as an immutable version folder.

A version is named ``NNNN-HASH``: its ordinal under the name and the start of the sha256 over its
weights. The same weights under the same name are the same version: it is found, not written again.
Two processes that publish under one name take turns, and a version is there whole or not at all.
"""

import re
import shutil
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, NamedTuple

from schemas.errors import PacaloomError, UserError
from schemas.locking import Say, hold_name, say_nothing
from schemas.manifest import (
    ContractSummary,
    DatasetManifest,
    MemoryEstimate,
    SampleAnswer,
    SourceFile,
    TrainingManifest,
    TrainingPoint,
)
from schemas.storage import (
    StorageError,
    atomic_folder,
    hash_file,
    read_jsonl,
    read_manifest,
    write_text,
)
from schemas.templates import InstructionTemplate, Template, instruction_chat_template
from training.base_model import weights_sha256
from training.finetuning.card.card import render_model_card
from training.finetuning.card.front_matter import find_base
from training.finetuning.card.page import Page
from training.finetuning.curves import CURVES_FILE, HeldOut, draw_curves
from training.finetuning.explanation import ExplainedSetting, explain
from training.finetuning.history import HISTORY_FILE
from training.finetuning.recipe import Recipe, Settings, decided_values
from training.finetuning.run_folder import RunDescription, describe_values, library_versions
from training.finetuning.samples import SAMPLES_FILE
from training.finetuning.student import LoadedStudent, Student

if TYPE_CHECKING:
    from torch import Tensor

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"\d{4,}-[0-9a-f]{12}")


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
    parameters: tuple[int, int]
    """Trainable ones and all."""
    gathered: "dict[str, Tensor] | None"
    """What was trained, by name, where FSDP has spread it; otherwise None: the student has it."""
    template: Template
    dataset: DatasetManifest
    recipe: Recipe
    settings: Settings
    outcome: Outcome
    contract: ContractSummary
    memory: MemoryEstimate
    """What was planned."""
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


def find_finished(root: Path, description: RunDescription) -> Path | None:
    """Find the newest version that a run with the same description has published.

    A version that cannot be read, or that another version of this program wrote, is passed over.
    """
    versions = _list_versions(root / description.name)
    for folder in sorted(versions, key=_ordinal, reverse=True):
        try:
            manifest = read_manifest(folder, TrainingManifest, "a tuned student")
        except PacaloomError:
            continue
        made = describe_values(
            manifest.recipe,
            dataset=manifest.dataset_content_hash,
            student=manifest.student_sha256,
            template=manifest.template_hash,
            libraries=manifest.libraries,
        )
        if made == description.model_dump(mode="json")["values"]:
            return folder
    return None


def _list_versions(folder_of_name: Path) -> list[Path]:
    return [path for path in folder_of_name.glob("*-*") if _VERSION.fullmatch(path.name)]


def _ordinal(version: Path) -> int:
    return int(version.name.split("-")[0])


def publish_model(publication: Publication, run: Path, root: Path, say: Say = say_nothing) -> Path:
    """Write a version under ``root/name`` and return its folder.

    Args:
        publication: What to publish.
        run: Folder of the run: history and answers are taken from it, and the weights are written
            there first, because their hash is part of the version's name.
        root: Folder of all models.
        say: Told one line when another process publishes under the name.

    Raises:
        BusyError: Another process publishes under the name and does not come to an end.
        StorageError: The folder cannot be written; nothing half-written stays.
    """
    staged = run / "weights"
    _save_weights(publication, staged)
    weights_hash = weights_sha256(staged)
    with hold_name(root, publication.name, say):
        folder_of_name = root / publication.name
        published = _list_versions(folder_of_name)
        for folder in published:
            if folder.name.endswith(weights_hash[:12]):
                return folder
        ordinal = 1 + max((_ordinal(path) for path in published), default=0)
        target = folder_of_name / f"{ordinal:04d}-{weights_hash[:12]}"
        with atomic_folder(target) as folder:
            for file in sorted(staged.iterdir()):
                shutil.move(file, folder / file.name)
            manifest = _describe(publication, target.name)
            _tell(publication, manifest, run, folder)
            manifest = manifest.model_copy(update={"files": _hash_files(folder)})
            write_text(folder / "manifest.json", manifest.model_dump_json(indent=2))
    return target


def _tell(publication: Publication, manifest: TrainingManifest, run: Path, folder: Path) -> None:
    """Put history, answers, curves and card beside the weights."""
    points = list(read_jsonl(run / HISTORY_FILE, TrainingPoint))
    answers = list(read_jsonl(run / SAMPLES_FILE, SampleAnswer))
    copyfile(run / HISTORY_FILE, folder / HISTORY_FILE)
    copyfile(run / SAMPLES_FILE, folder / SAMPLES_FILE)
    if points:
        held_out = HeldOut(manifest.loss_before, manifest.loss_after)
        draw_curves(points, held_out, folder / CURVES_FILE)
    page = Page(
        manifest,
        publication.dataset,
        find_base(publication.student),
        _explain(publication),
        points,
        answers,
    )
    write_text(folder / "README.md", render_model_card(page))


def _explain(publication: Publication) -> list[ExplainedSetting]:
    """Explain the recipe, taking for chosen what differs from the defaults, whoever wrote it."""
    recipe = publication.recipe
    chosen = {
        name
        for name, field in Recipe.model_fields.items()
        if getattr(recipe, name) != field.get_default()
    }
    return explain(recipe, publication.settings, chosen)


def _save_weights(publication: Publication, staged: Path) -> None:
    """Save what was trained, as safetensors, and the tokenizer with the form it was trained in."""
    from peft import PeftModel
    from safetensors import SafetensorError

    loaded, gathered, template = publication.loaded, publication.gathered, publication.template
    if isinstance(template, InstructionTemplate):
        # Other libraries ask with the chat template, and the base's own is not what was trained.
        loaded.tokenizer.chat_template = instruction_chat_template(template)
    shutil.rmtree(staged, ignore_errors=True)
    try:
        if isinstance(loaded.model, PeftModel):
            # Without the argument peft looks the base up on the hub to see whether its vocabulary
            # was enlarged; it never is here.
            loaded.model.save_pretrained(
                str(staged), save_embedding_layers=False, state_dict=gathered
            )
        else:
            stop = loaded.tokenizer.convert_tokens_to_ids(template.stop)
            loaded.model.generation_config.eos_token_id = stop
            loaded.model.save_pretrained(staged, state_dict=gathered)
        loaded.tokenizer.save_pretrained(staged)
    except (OSError, SafetensorError) as error:
        raise StorageError(
            f"The tuned weights cannot be written to {staged}: {error}. Free space there and run "
            "the same command again; it continues from the last checkpoint."
        ) from error


def _describe(publication: Publication, version: str) -> TrainingManifest:
    trainable, total = publication.parameters
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
        template=publication.recipe.template,
        template_hash=publication.template.hash,
        recipe=decided_values(publication.recipe, publication.settings),
        contract=publication.contract,
        memory=publication.memory,
        trainable_parameters=trainable,
        total_parameters=total,
        files=(),
        libraries=library_versions(),
        code_version=publication.code_version,
        **publication.outcome._asdict(),
    )


def count_parameters(loaded: LoadedStudent) -> tuple[int, int]:
    """Count trainable and all parameters, before FSDP has spread them."""
    from peft import PeftModel

    if isinstance(loaded.model, PeftModel):
        # peft knows that a byte of a 4-bit weight holds two parameters.
        return loaded.model.get_nb_trainable_parameters()
    total = sum(parameter.numel() for parameter in loaded.model.parameters())
    return total, total


def _hash_files(folder: Path) -> tuple[SourceFile, ...]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return tuple(
        SourceFile(path=path.relative_to(folder).as_posix(), sha256=hash_file(path))
        for path in files
    )
