"""Export a dataset version to the formats of peers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from flows.engine import Engine
from flows.resources import find_dataset
from flows.settings import Settings
from pipeline.publishing.exports.formats import find_formats
from pipeline.publishing.exports.rows import SPLITS
from schemas.records import LANGUAGES, Language

if TYPE_CHECKING:
    from pipeline.publishing.exports.writing import ExportReport


class ExportRequest(NamedTuple):
    """What is to be exported, and how."""

    dataset: str
    """NAME, NAME/VERSION or a version's folder."""
    formats: Sequence[str]
    target: Path
    split: Literal["train", "validation", "all"] = "all"
    language: Language | None = None
    """None for all."""
    force: bool = False
    """Replace an earlier export."""


def export(request: ExportRequest, settings: Settings, engine: Engine) -> "list[ExportReport]":
    """Export a version.

    Raises:
        UserError: There is no such version or format, or the target is not empty.
    """
    # pyarrow takes 0.3 s to import, which --help need not pay.
    from pipeline.publishing.exports.writing import Choice, export_version

    formats = find_formats(request.formats)
    version = find_dataset(request.dataset, settings)
    choice = Choice(
        splits=tuple(split for split in SPLITS if request.split in ("all", split)),
        languages=(request.language,) if request.language else LANGUAGES,
    )
    target = request.target.absolute()
    with engine.progress(f"export {version.parent.name}/{version.name}") as progress:
        return export_version(version, formats, target, choice, request.force, progress)
