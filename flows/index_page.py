"""Write ``outputs/index.html``: the entry page, from what every folder says of itself.

A folder that is damaged, half-copied or of another version of the program is listed with the
reason and breaks nothing else. Only manifests, evaluation reports and the registry are read, never
records: 1 to 2 ms a version.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from flows.settings import Settings
from pipeline.publishing.index_page.contents import (
    EvaluationEntry,
    Family,
    JournalEntry,
    Link,
    LinkKind,
    ModelEntry,
    Outputs,
    Unreadable,
    VersionEntry,
)
from pipeline.publishing.index_page.page import render_index
from pipeline.publishing.versions import list_versions
from schemas.errors import PacaloomError
from schemas.evaluation import EvaluationReport
from schemas.manifest import DatasetManifest, TrainingManifest
from schemas.storage import describe_validation_error, write_text
from training.evaluation.registered import RegisteredModel
from training.evaluation.registry import Registry

Model = TypeVar("Model", bound=BaseModel)
VersionManifest = TypeVar("VersionManifest", DatasetManifest, TrainingManifest)

_PAGES: tuple[tuple[LinkKind, str], ...] = (
    ("report", "report.html"),
    ("card", "README.md"),
    ("manifest", "manifest.json"),
    ("results", "report.json"),
)


class _Registered(NamedTuple):
    """What the registry knows, by ``NAME/VERSION``."""

    models: dict[str, RegisteredModel]
    champions: frozenset[str]


class _Reading(NamedTuple):
    """Where is read, and what could not be."""

    outputs: Path
    unreadable: list[Unreadable]

    def complain(self, path: Path, reason: str) -> None:
        """Note that something cannot be shown."""
        shown = path.relative_to(self.outputs).as_posix()
        self.unreadable.append(Unreadable(shown, reason.replace(f"{self.outputs}/", "")))


def write_index(settings: Settings) -> Path:
    """Write the page anew, whole or not at all, and return its path.

    Raises:
        StorageError: The outputs folder cannot be written.
    """
    path = settings.outputs / "index.html"
    write_text(path, render_index(gather_outputs(settings.outputs)))
    return path


def gather_outputs(outputs: Path) -> Outputs:
    """Read what there is, damaged or not."""
    reading = _Reading(outputs, [])
    registered = _read_registry(reading)
    versions = [
        _to_version(reading, folder, manifest)
        for folder, manifest in _read_versions(reading, "datasets", DatasetManifest)
    ]
    models = [
        _to_model(reading, folder, manifest, registered)
        for folder, manifest in _read_versions(reading, "models", TrainingManifest)
    ]
    evaluations = list(_read_evaluations(reading, registered, {m.reference for m in models}))
    families = _group(versions, models, evaluations, _find_journals(outputs))
    return Outputs(families, tuple(sorted(reading.unreadable)))


def _read_versions(
    reading: _Reading, kind: str, model: type[VersionManifest]
) -> Iterator[tuple[Path, VersionManifest]]:
    """Read the manifests of all versions of all names, newest first under each name."""
    root = reading.outputs / kind
    for name in _list_folders(reading, root):
        known = list_versions(root, name.name)
        for folder in reversed(known):
            manifest = _read(reading, folder, "manifest.json", model)
            if manifest is None:
                continue
            if (manifest.name, manifest.version) != (name.name, folder.name):
                said = f"{manifest.name}/{manifest.version}"
                reading.complain(folder, f"it was renamed or copied: its manifest says {said}.")
                continue
            yield folder, manifest
        for folder in _list_folders(reading, name):
            if folder not in known:
                reading.complain(folder, "wanted a version's name like 0001-0123456789ab.")


def _list_folders(reading: _Reading, folder: Path) -> list[Path]:
    """List the visible folders in one; what it may not look into is noted."""
    try:
        return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        reading.complain(folder, f"it cannot be opened: {error.strerror}.")
        return []


def _read(reading: _Reading, folder: Path, name: str, model: type[Model]) -> Model | None:
    try:
        return model.model_validate_json((folder / name).read_bytes())
    except FileNotFoundError:
        reading.complain(folder, f"it has no {name}: only a part of it was copied, perhaps.")
    except OSError as error:
        reading.complain(folder, f"{name} cannot be read: {error.strerror}.")
    except ValidationError as error:
        fault = describe_validation_error(error)
        reading.complain(
            folder,
            f"{name} is damaged, or of another version of Pacaloom: {fault}.",
        )
    return None


def _read_registry(reading: _Reading) -> _Registered:
    path = reading.outputs / "registry.sqlite"
    # Looking would make one.
    if not path.exists():
        return _Registered({}, frozenset())
    registry = Registry(path)
    try:
        models = registry.models()
        names = {model.name for model in models}
        champions = [registry.champion(name) for name in names]
    except (PacaloomError, ValueError) as error:
        # ValueError: a row that another program wrote.
        reading.complain(path, str(error))
        return _Registered({}, frozenset())
    return _Registered(
        {f"{model.name}/{model.version}": model for model in models},
        frozenset(f"{one.name}/{one.version}" for one in champions if one is not None),
    )


def _to_version(reading: _Reading, folder: Path, manifest: DatasetManifest) -> VersionEntry:
    review = manifest.review
    return VersionEntry(
        name=manifest.name,
        version=manifest.version,
        changed=_changed(folder / "manifest.json"),
        kept=manifest.kept,
        generated=manifest.generated,
        kept_by_language=manifest.kept_by_language,
        teachers=tuple(sorted(manifest.teachers, key=lambda name: -manifest.teachers[name])),
        seeds=manifest.seeds,
        parents=tuple(parent.source for parent in manifest.parents),
        against=manifest.against,
        is_generated=bool(manifest.runs),
        judge_score=manifest.judge.mean_score if manifest.judge else None,
        reviewed=review.accepted + review.edited + review.rejected if review else 0,
        licence=manifest.licence,
        links=_link(reading, folder),
    )


def _to_model(
    reading: _Reading, folder: Path, manifest: TrainingManifest, registered: _Registered
) -> ModelEntry:
    reference = f"{manifest.name}/{manifest.version}"
    known = registered.models.get(reference)
    return ModelEntry(
        name=manifest.name,
        version=manifest.version,
        changed=_changed(folder / "manifest.json"),
        method=manifest.method,
        student=manifest.student,
        dataset=manifest.dataset,
        loss_before=manifest.loss_before,
        loss_after=manifest.loss_after,
        verdict=known.verdict.verdict if known and known.verdict else None,
        is_champion=reference in registered.champions,
        links=_link(reading, folder),
    )


def _read_evaluations(
    reading: _Reading, registered: _Registered, models: set[str]
) -> Iterator[EvaluationEntry]:
    judged = {
        model.report.name: model.verdict
        for model in registered.models.values()
        if model.report and model.verdict
    }
    for subject in _list_folders(reading, reading.outputs / "evaluations"):
        for folder in _list_folders(reading, subject):
            report = _read(reading, folder, "report.json", EvaluationReport)
            if report is None:
                continue
            name = _find_subject(report)
            verdict = report.verdict or judged.get(folder.name)
            yield EvaluationEntry(
                id=folder.name,
                subject=name,
                model=_find_model(name, report, models),
                changed=_changed(folder / "report.json"),
                matrix=report.matrix,
                verdict=verdict.verdict if verdict else None,
                reasons=verdict.reasons if verdict else (),
                links=_link(reading, folder),
            )


def _find_subject(report: EvaluationReport) -> str:
    """Name the model that an evaluation is about: the last challenger, or the only model."""
    if report.comparisons:
        return report.comparisons[-1].challenger
    return next(reversed(report.models), report.id)


def _find_model(subject: str, report: EvaluationReport, models: set[str]) -> str | None:
    """Find the student of ours behind a name in the matrix, wherever the folder was then."""
    facts = report.models.get(subject)
    by_folder = "/".join(Path(facts.path).parts[-2:]) if facts else ""
    return next((one for one in (subject, by_folder) if one in models), None)


def _find_journals(outputs: Path) -> dict[str, JournalEntry]:
    return {
        path.stem: JournalEntry(path.stat().st_size, _changed(path))
        for path in sorted((outputs / "journals").glob("[!.]*.sqlite"))
        if path.is_file()
    }


def _group(
    versions: Sequence[VersionEntry],
    models: Sequence[ModelEntry],
    evaluations: Sequence[EvaluationEntry],
    journals: dict[str, JournalEntry],
) -> tuple[Family, ...]:
    """Put what hangs together under one dataset name, the name that changed last first."""
    family_of = {
        model.reference: model.dataset.rpartition("/")[0] or model.name for model in models
    }
    groups: dict[str, Family] = {
        name: Family(name, journals.get(name), (), (), ())
        for name in (
            *(version.name for version in versions),
            *family_of.values(),
            *(family_of.get(one.model or "", one.subject) for one in evaluations),
            *journals,
        )
    }
    return tuple(
        sorted(
            (
                family._replace(
                    versions=tuple(v for v in versions if v.name == family.name),
                    models=_newest_first(
                        m for m in models if family_of[m.reference] == family.name
                    ),
                    evaluations=_newest_first(
                        e
                        for e in evaluations
                        if family_of.get(e.model or "", e.subject) == family.name
                    ),
                )
                for family in groups.values()
            ),
            key=_last_change,
            reverse=True,
        )
    )


def _last_change(family: Family) -> datetime:
    entries = (*family.versions, *family.models, *family.evaluations)
    journal = [family.journal.changed] if family.journal else []
    return max((*(entry.changed for entry in entries), *journal))


Entry = TypeVar("Entry", ModelEntry, EvaluationEntry)


def _newest_first(entries: Iterator[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.changed, reverse=True))


def _link(reading: _Reading, folder: Path) -> tuple[Link, ...]:
    relative = folder.relative_to(reading.outputs)
    return tuple(
        # Bytes, because a folder's name need not be UTF-8.
        Link(kind, quote(os.fsencode(relative / name)))
        for kind, name in _PAGES
        if (folder / name).is_file()
    )


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
