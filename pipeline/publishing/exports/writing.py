"""Write a version in the formats of peers, each file read back before it takes its place.

Cost: linear, about 100,000 short records in two seconds a format; memory does not grow with the
records.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, NamedTuple

from pipeline.publishing.exports.contract import (
    Exported,
    ExportError,
    Format,
    WrittenFile,
)
from pipeline.publishing.exports.describing import describe_export
from pipeline.publishing.exports.json_files import encode
from pipeline.publishing.exports.placing import refuse_versions, replace_export
from pipeline.publishing.exports.reading import read_unchecked
from pipeline.publishing.exports.rows import SPLITS, Batch, Counts, Part, Split, iterate_rows
from pipeline.publishing.exports.source import MARKS, SOURCE
from pipeline.publishing.exports.stored_rows import check_rows, count_rows, read_batches
from pipeline.publishing.tables import TableError
from pipeline.publishing.versions import check_name, open_version
from schemas.manifest import DatasetManifest
from schemas.progress import Progress, no_progress
from schemas.records import LANGUAGES, Language


class Choice(NamedTuple):
    """Which records are exported."""

    splits: tuple[Split, ...] = SPLITS
    languages: tuple[Language, ...] = LANGUAGES


class ExportReport(NamedTuple):
    """One format of an export."""

    format: Format
    folder: Path
    exported: Exported
    files: Sequence[str]
    """Names in the folder, ``SOURCE.json`` among them."""
    records: Mapping[Split, int]


class _Work(NamedTuple):
    """What the writing of each format needs."""

    version: Path
    manifest: DatasetManifest
    choice: Choice
    counts: Counts
    tick: Callable[[int], None]


def export_version(
    version: Path,
    formats: Sequence[Format],
    target: Path,
    choice: Choice = Choice(),  # noqa: B008 - an immutable tuple
    force: bool = False,
    progress: Progress = no_progress,
) -> list[ExportReport]:
    """Write records into ``target``, or into ``target/FORMAT`` where there are several formats.

    All of it appears, or nothing; with ``force``, file by file.

    Raises:
        ExportError: ``target`` is not empty or in a version, or there is nothing to export.
        TableError: The version is damaged or not complete.
    """
    manifest = open_version(version)
    check_name(manifest.name)
    places = [Path() if len(formats) == 1 else Path(one.name) for one in formats]
    refuse_versions(target, places)
    counts = _count(version, manifest, choice)
    for split in choice.splits:
        check_rows(version, Part(split, choice.languages))
    reports: list[ExportReport] = []
    with replace_export(target, places, force) as folder:
        total = 2 * sum(counts.values()) * len(formats)
        tick = _make_tick(progress, total)
        work = _Work(version, manifest, choice, counts, tick)
        for format_, place in zip(formats, places, strict=True):
            (folder / place).mkdir(exist_ok=True)
            report = _write_format(folder / place, format_, work)
            reports.append(report._replace(folder=target / place))
    return reports


def _count(version: Path, manifest: DatasetManifest, choice: Choice) -> Counts:
    counts = count_rows(version)
    for split in SPLITS:
        found = sum(counts[split, language] for language in LANGUAGES)
        if found != manifest.splits.get(split, 0):
            raise TableError(
                f"{version}/data/{split}.parquet holds {found:,} records, its manifest says "
                f"{manifest.splits.get(split, 0):,}. Copy the version again, or publish it anew."
            )
    chosen = {
        key: count
        for key, count in counts.items()
        if count and key[0] in choice.splits and key[1] in choice.languages
    }
    if not chosen:
        raise ExportError(
            f"{version} has no record in {' and '.join(choice.splits)} of language "
            f"{' or '.join(choice.languages)}. Choose others with --split and --language."
        )
    return chosen


def _make_tick(progress: Progress, total: int) -> Callable[[int], None]:
    done = 0

    def tick(records: int) -> None:
        nonlocal done
        done += records
        progress(min(done, total), total)

    return tick


def _write_format(folder: Path, format_: Format, work: _Work) -> ExportReport:
    written: list[WrittenFile] = []
    with _open_marks(folder, format_) as marks:
        for part in _list_parts(format_, work):
            name = format_.data.pattern.format(
                dataset=work.manifest.name, split=part.split, language=part.languages[0]
            )
            batches = read_batches(work.version, part)
            format_.data.write(folder / name, _pass_on(batches, name, marks, work.tick))
            written.append(WrittenFile(name, part, _count_part(part, work.counts)))
            if format_.derived is not None:
                derived = format_.derived.pattern.format(split=part.split)
                format_.derived.write(folder / derived, read_batches(work.version, part))
    exported = Exported(work.manifest.name, written)
    for name, text in format_.configure(exported).items():
        (folder / name).write_text(text, encoding="utf-8")
    source = describe_export(folder, format_, exported, work.manifest, work.counts)
    (folder / SOURCE).write_text(source.model_dump_json(indent=2) + "\n", encoding="utf-8")
    _check(folder, exported, work)
    files = [file.path for file in source.files]
    return ExportReport(format_, folder, exported, [*files, SOURCE], source.records)


def _list_parts(format_: Format, work: _Work) -> list[Part]:
    """Name what each file holds; a file that would be empty is not written."""
    if "{language}" in format_.data.pattern:
        return [Part(split, (language,)) for split, language in work.counts]
    written: set[Split] = {split for split, _ in work.counts}
    return [Part(split, work.choice.languages) for split in SPLITS if split in written]


def _count_part(part: Part, counts: Counts) -> int:
    return sum(counts.get((part.split, language), 0) for language in part.languages)


def _pass_on(
    batches: Iterable[Batch], name: str, marks: IO[bytes] | None, tick: Callable[[int], None]
) -> Iterator[Batch]:
    """Write the marks of what goes by."""
    for batch in batches:
        if marks is not None:
            marks.writelines(_mark(name, batch))
        yield batch
        tick(batch.num_rows)


def _mark(file: str, batch: Batch) -> Iterator[bytes]:
    for row in iterate_rows(batch):
        length = len(row.instruction)
        mark = {"file": file, "id": row.id, "language": row.language, "instruction_length": length}
        yield encode(mark) + b"\n"


def _open_marks(folder: Path, format_: Format) -> AbstractContextManager[IO[bytes] | None]:
    if not format_.has_marks:
        return nullcontext()
    return (folder / MARKS).open("wb")


def _check(folder: Path, exported: Exported, work: _Work) -> None:
    """Read everything back: what a file does not hold is an error here, not a peer's surprise."""
    found = read_unchecked(folder)
    for file in exported.files:
        for batch in read_batches(work.version, file.part):
            for row, one in zip(iterate_rows(batch), found, strict=False):
                if row != one.row:
                    raise ExportError(
                        f"{folder / file.name}: record {row.id} cannot be read back as it was. "
                        "Report it, and choose another format."
                    )
            work.tick(batch.num_rows)
    # Reading to the end counts the records of the last file.
    next(found, None)
