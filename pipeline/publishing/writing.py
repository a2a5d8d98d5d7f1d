"""Write the files of a version: tables, figures, card with pictures, report, and their hashes."""

from collections.abc import Callable
from pathlib import Path

from pipeline.publishing.card.card import render_card
from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.pictures import draw_pictures
from pipeline.publishing.report.report import write_report
from schemas.manifest import SourceFile
from schemas.progress import Progress
from schemas.storage import hash_file, write_jsonl


def write_version(folder: Path, edition: Edition, progress: Progress) -> None:
    """Write all files; the manifest last, because it holds the hashes of the others."""
    for done, (note, write) in enumerate(_WRITERS.items()):
        progress(done, len(_WRITERS), note)
        write(folder, edition)
    progress(len(_WRITERS), len(_WRITERS), "")
    manifest = edition.manifest.model_copy(update={"files": _hash_files(folder)})
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2), encoding="utf-8")


def _write_tables(folder: Path, edition: Edition) -> None:
    # pyarrow takes 0.3 s to import, which `./pacaloom --help` need not pay.
    from pipeline.publishing.tables import (
        write_assessments,
        write_neighbours,
        write_records,
        write_rejections,
    )

    (folder / "data").mkdir()
    write_records(folder / "data" / "train.parquet", edition.splits.train)
    write_records(folder / "data" / "validation.parquet", edition.splits.validation)
    write_rejections(folder / "rejected.parquet", edition.rejected)
    if edition.assessments:
        write_assessments(folder, edition.assessments)
    if edition.nearest:
        write_neighbours(folder, edition.nearest)
    if edition.decisions:
        write_jsonl(folder / "review.jsonl", edition.decisions)
    statistics = edition.statistics.model_dump_json(indent=2)
    (folder / "statistics.json").write_text(statistics, encoding="utf-8")


def _write_card(folder: Path, edition: Edition) -> None:
    gallery = draw_pictures(folder, edition)
    card = render_card(edition, gallery.pictures, gallery.notices)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _write_page(folder: Path, edition: Edition) -> None:
    write_report(folder / "report.html", edition)


def _hash_files(folder: Path) -> tuple[SourceFile, ...]:
    return tuple(
        SourceFile(path=file.relative_to(folder).as_posix(), sha256=hash_file(file))
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    )


_WRITERS: dict[str, Callable[[Path, Edition], None]] = {
    "tables": _write_tables,
    "card and pictures": _write_card,
    "report": _write_page,
}
