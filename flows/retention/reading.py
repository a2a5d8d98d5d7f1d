"""Read what every version and evaluation says of itself: who refers to whom.

What cannot be read is a thing too, with its problem: it may refer to anything. Links are read
through, because what they lead to may refer to something here, but nothing behind one is removed.
Cost: about a millisecond a manifest.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from flows.retention.disk import list_folder
from flows.retention.things import REFERENCE, VERSION, Kind, Thing, find_mentions
from schemas.errors import UserError
from schemas.evaluation import EvaluationReport
from schemas.manifest import DatasetManifest, TrainingManifest
from schemas.storage import read_manifest
from training.evaluation.kept_cells import name_model
from training.evaluation.reading import REPORT_FILE, read_report


def read_things(outputs: Path) -> list[Thing]:
    """Read all versions and evaluations under an outputs folder, which is no link itself."""
    return [
        *_read_versions(outputs, "datasets"),
        *_read_versions(outputs, "models"),
        *_read_evaluations(outputs),
    ]


def _read_versions(outputs: Path, kind: Kind) -> Iterator[Thing]:
    for name, folders in _list_folders(outputs, kind):
        if isinstance(folders, str):
            yield Thing(kind, _key(outputs, name), name, must_stay="kept", problem=folders)
            continue
        if name.is_symlink() and name.resolve().is_relative_to(outputs):
            # Another word for a name, whose versions are listed under their own.
            continue
        for folder in (name, *folders):
            is_version = folder is not name and VERSION.fullmatch(folder.name) is not None
            if is_version or (folder / "manifest.json").is_file():
                yield _read_version(outputs, kind, folder, is_version=is_version)


def _list_folders(outputs: Path, kind: Kind) -> Iterator[tuple[Path, list[Path] | str]]:
    """List the visible folders in the visible folders of a kind, or why one cannot be opened."""
    root = outputs / kind
    if root.is_symlink() and not root.exists():
        yield root, "it is a link to what is not there"
        return
    try:
        names = [path for path in list_folder(root) if not path.name.startswith(".")]
    except OSError as error:
        yield root, f"it cannot be opened: {error.strerror}"
        return
    for name in names:
        if name.is_symlink() and not name.exists():
            yield name, "it is a link to what is not there"
            continue
        try:
            below = [path for path in list_folder(name) if not path.name.startswith(".")]
            yield name, [path for path in below if path.is_dir() or path.is_symlink()]
        except OSError as error:
            yield name, f"it cannot be opened: {error.strerror}"


def _read_version(outputs: Path, kind: Kind, folder: Path, *, is_version: bool) -> Thing:
    must_stay = "" if is_version else "its folder has no version's name"
    thing = Thing(kind, _key(outputs, folder), folder, must_stay=must_stay)
    try:
        manifest: DatasetManifest | TrainingManifest = (
            read_manifest(folder, DatasetManifest, "a dataset version")
            if kind == "datasets"
            else read_manifest(folder, TrainingManifest, "a tuned student")
        )
    except (UserError, OSError) as error:
        return thing._replace(must_stay="it cannot be read", problem=str(error))
    mentions = find_mentions(manifest.model_dump_json())
    said = f"{manifest.name}/{manifest.version}"
    if is_version and said != thing.reference:
        must_stay = f"it was renamed or copied: its manifest says {said}"
    behind = _find_link(outputs, folder)
    if behind is not None:
        # The link may be somebody's word for a version that is here.
        mentions |= find_mentions(str(behind))
        must_stay = "it lies behind a link, and none is followed"
    # Its own hash is not a reference to others of the same content.
    own = {manifest.version[-12:]}
    return thing._replace(mentions=mentions - own, must_stay=must_stay)


def _read_evaluations(outputs: Path) -> Iterator[Thing]:
    for subject, folders in _list_folders(outputs, "evaluations"):
        if isinstance(folders, str):
            key = _key(outputs, subject)
            yield Thing("evaluations", key, subject, must_stay="kept", problem=folders)
            continue
        for folder in folders:
            yield _read_evaluation(outputs, folder)


def _read_evaluation(outputs: Path, folder: Path) -> Thing:
    thing = Thing("evaluations", _key(outputs, folder), folder)
    if not (folder / REPORT_FILE).exists():
        return thing._replace(must_stay=f"it has no {REPORT_FILE}")
    try:
        report = read_report(folder)
    except (UserError, OSError) as error:
        return thing._replace(must_stay="it cannot be read", problem=str(error))
    about = _find_subject(outputs, report)
    must_stay = "" if about else "it is about no student of ours"
    if _find_link(outputs, folder) is not None:
        must_stay = "it lies behind a link, and none is followed"
    said = [*report.models.values(), *([report.verdict] if report.verdict else [])]
    text = " ".join((report.challenger, report.baseline, *map(_to_text, said)))
    return thing._replace(
        mentions=find_mentions(text),
        must_stay=must_stay,
        about=about,
        models=frozenset(name_model(one.fingerprint) for one in report.models.values()),
    )


def _find_subject(outputs: Path, report: EvaluationReport) -> str:
    """Name the student of ours that an evaluation judges, there or gone; none for other models."""
    facts = report.models.get(report.challenger)
    path = Path(facts.path) if facts else Path()
    if facts and path.is_dir() and not path.resolve().is_relative_to(outputs / "models"):
        return ""
    for said in (report.challenger, "/".join(path.parts[-2:])):
        if REFERENCE.fullmatch(said):
            return said
    return ""


def _find_link(outputs: Path, folder: Path) -> Path | None:
    """Return where a folder really is, when the way to it leads over a link."""
    real = folder.resolve()
    return None if real == folder and real.is_relative_to(outputs) else real


def _key(outputs: Path, path: Path) -> str:
    return path.relative_to(outputs).as_posix()


def _to_text(model: BaseModel) -> str:
    return model.model_dump_json()
