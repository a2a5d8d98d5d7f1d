"""Hold a version's files and tables against what its manifest says of them.

Each look returns what is wrong, the first thing first, and nothing where all is well. The manifest
itself is believed: whoever can rewrite a version whole can rewrite its manifest too, and then only
the journal, or another copy, tells. Cost: linear in the bytes of the files, and in the records.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple, cast

from pipeline.publishing.funnel import count_languages, count_reasons, count_reasons_by_language
from pipeline.publishing.publish import hash_content
from pipeline.publishing.splits import Splits
from schemas.manifest import DatasetManifest
from schemas.progress import Progress, no_progress
from schemas.records import Draft, InstructionRecord, Rejection
from schemas.storage import hash_file

_MANIFEST = "manifest.json"
_MEGABYTE = 10**6


class FileFault(NamedTuple):
    """A file that is not as it was published."""

    path: str
    """Relative to the version's folder."""
    kind: Literal["missing", "changed", "extra", "outside", "unreadable"]
    """``extra``: nobody published it. ``outside``: the manifest names a place elsewhere."""


class Contents(NamedTuple):
    """What the tables of a version hold."""

    splits: Splits
    """Sides as they were published."""
    rejected: Sequence[Rejection]

    @property
    def kept(self) -> list[InstructionRecord]:
        """All kept records, train before validation."""
        return [*self.splits.train, *self.splits.validation]

    @property
    def drafts(self) -> list[InstructionRecord | Draft]:
        """All that entered curation: kept records, then rejected drafts."""
        return [*self.kept, *(rejection.draft for rejection in self.rejected)]


def find_file_faults(
    folder: Path, manifest: DatasetManifest, progress: Progress = no_progress
) -> list[FileFault]:
    """Hash every file; hidden ones that nobody published, as desktops leave them, are let be.

    Args:
        folder: Of the version.
        manifest: Its own.
        progress: Told the megabytes that were read.
    """
    sizes = {file.path: _find_size(folder / file.path) for file in manifest.files}
    total = sum(sizes.values()) // _MEGABYTE + 1
    faults: list[FileFault] = []
    done = 0
    for file in manifest.files:
        kind = _judge_file(folder, file.path, file.sha256)
        if kind is not None:
            faults.append(FileFault(file.path, kind))
        done += sizes[file.path]
        progress(done // _MEGABYTE, total, file.path)
    progress(total, total)
    faults += [FileFault(path, "extra") for path in _list_extra(folder, set(sizes))]
    return faults


def load_contents(folder: Path, manifest: DatasetManifest) -> Contents:
    """Read kept records and rejections.

    Raises:
        TableError: A table is missing, damaged, or not one of ours.
    """
    # pyarrow takes 0.3 s to import, which a version without its files need not pay.
    from pipeline.publishing.tables import read_rejections, read_split

    train, validation = (
        read_split(folder / "data" / f"{side}.parquet") for side in ("train", "validation")
    )
    return Contents(Splits(train, validation, manifest.split_by), read_rejections(folder))


def find_table_faults(folder: Path, manifest: DatasetManifest, contents: Contents) -> Iterator[str]:
    """Tell what the tables hold that is not what the manifest says, the gravest first."""
    found = hash_content(contents.splits, contents.rejected, manifest.licence)
    if found != manifest.content_hash:
        yield (
            f"the tables and the licence hash to {found[:12]}…, the manifest says "
            f"{manifest.content_hash[:12]}…"
        )
    if not manifest.version.endswith(f"-{manifest.content_hash[:12]}"):
        yield (
            f"the version is called {manifest.version}, but its content hash begins with "
            f"{manifest.content_hash[:12]}"
        )
    yield from _find_wrong_ids(folder, contents)
    yield from _find_wrong_counts(manifest, contents)
    # Versions of programs that said nothing of it were split record by record.
    if "split_by" in manifest.model_fields_set and manifest.split_by == "lineage":
        yield from _find_relatives_apart(contents.splits)


def _find_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _judge_file(
    folder: Path, name: str, sha256: str
) -> Literal["missing", "changed", "outside", "unreadable"] | None:
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts:
        return "outside"
    try:
        return None if hash_file(folder / name) == sha256 else "changed"
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError:
        return "unreadable"


def _list_extra(folder: Path, known: set[str]) -> list[str]:
    return sorted(
        name
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".")
        if (name := file.relative_to(folder).as_posix()) not in known and name != _MANIFEST
    )


def _find_wrong_ids(folder: Path, contents: Contents) -> Iterator[str]:
    """Compare the ids in the tables, which the content hash does not hold, with the texts."""
    from pipeline.publishing.tables import read_ids

    train, validation = contents.splits.train, contents.splits.validation
    drafts = [rejection.draft for rejection in contents.rejected]
    tables: tuple[tuple[str, Sequence[InstructionRecord] | Sequence[Draft]], ...] = (
        ("data/train.parquet", train),
        ("data/validation.parquet", validation),
        ("rejected.parquet", drafts),
    )
    for name, items in tables:
        for row, (id_, item) in enumerate(
            zip(read_ids(folder / name), items, strict=True), start=1
        ):
            if id_ != item.id:
                yield f"row {row} of {name} is called {id_}, its text hashes to {item.id}"
                break


def _find_wrong_counts(manifest: DatasetManifest, contents: Contents) -> Iterator[str]:
    kept, rejected = contents.kept, contents.rejected
    origins = [draft.provenance for draft in contents.drafts]
    counts: tuple[tuple[str, object, object], ...] = (
        ("kept", manifest.kept, len(kept)),
        ("generated", manifest.generated, len(kept) + len(rejected)),
        ("rejected", manifest.rejected, count_reasons(rejected)),
        ("kept_by_language", manifest.kept_by_language, count_languages(kept)),
        (
            "rejected_by_language",
            manifest.rejected_by_language,
            count_reasons_by_language(rejected),
        ),
        (
            "splits",
            manifest.splits,
            {
                "train": len(contents.splits.train),
                "validation": len(contents.splits.validation),
            },
        ),
        ("teachers", manifest.teachers, Counter(origin.teacher for origin in origins)),
        ("strategies", manifest.strategies, Counter(origin.strategy for origin in origins)),
    )
    for name, stated, counted in counts:
        if stated != counted:
            yield f"the manifest's {name} is {_show(stated)}, the tables hold {_show(counted)}"


def _show(value: object) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    pairs = cast("Mapping[object, object]", value).items()
    return ", ".join(f"{key} {_show(one)}" for key, one in pairs) or "nothing"


def _find_relatives_apart(splits: Splits) -> Generator[str]:
    held_out = {key: one.id for one in splits.validation for key in _list_ties(one)}
    for record in splits.train:
        for key in _list_ties(record):
            if key in held_out:
                yield (
                    f"record {record.id} for training and record {held_out[key]} for validation "
                    f"both descend from {key}, though the manifest says split by lineage"
                )
                return


def _list_ties(record: InstructionRecord) -> list[str]:
    origin = record.provenance
    return [key for key in (record.id, *origin.seed_ids, origin.derived_from) if key]
