"""Prove that a dataset version follows from a journal: answer every prompt from it and curate anew.

The drafts are made again (:mod:`flows.replay`) and must be those of the version, each from its own
place in its own answer. Then they are curated with the version's config and reviewed with its
decisions, and the hash over records, rejections and licence must be the one that the version has in
its name. Costs what generating from a full journal and curating cost.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from flows.earlier import find_versions
from flows.engine import Engine
from flows.paths import journal_path
from flows.replay import VerificationError, replay
from flows.resources import find_dataset, load_seeds
from flows.settings import Settings
from flows.sources import Sources, UnverifiableError
from flows.steps.workbench import Workbench
from pipeline.curation.config import CurationConfig
from pipeline.curation.shards import examine_here
from pipeline.publishing.integrity import Contents, FileFault, find_file_faults, load_contents
from pipeline.publishing.opening import read_applied_decisions
from pipeline.publishing.publish import hash_content
from pipeline.publishing.splits import Splits, split_records
from pipeline.publishing.versions import open_version
from schemas.manifest import DatasetManifest
from schemas.records import Draft, InstructionRecord, Rejection
from schemas.storage import describe_validation_error

_FAULTS = {
    "missing": "is missing",
    "changed": "was changed after publication: its sha256 is not the manifest's",
    "extra": "was not published with the version",
    "outside": "is no file of the version, though its manifest names it",
    "unreadable": "cannot be read",
}
_Item = InstructionRecord | Rejection


class Verification(NamedTuple):
    """A version that was proved."""

    dataset: Path
    journal: Path
    content_hash: str
    generated: int
    kept: int


class _Place(NamedTuple):
    """Where in the answers a draft stands, and what it says."""

    completion_id: str
    position: int
    id: str


def verify(
    reference: str, files: Sequence[Path], settings: Settings, engine: Engine
) -> Verification:
    """Replay and compare.

    Args:
        reference: A dataset version as :func:`find_dataset` takes it.
        files: Seed and document files of the runs that are not where they were.
        settings: Where versions and journals are.
        engine: Told how far it is.

    Raises:
        VerificationError: The version differs, or an answer is missing.
        UnverifiableError: The version names no runs, or one of their files is not found.
        JournalError: There is no journal of that name.
    """
    folder = find_dataset(reference, settings)
    manifest = open_version(folder)
    for fault in find_file_faults(folder, manifest):
        raise VerificationError(
            f"{describe_fault(folder, fault)}. Publish it again with `./pacaloom curate`, or bring "
            "back a copy."
        )
    return prove_by_replay(folder, files, settings, engine)


def describe_fault(folder: Path, fault: FileFault) -> str:
    """Say in a few words what is wrong with a file."""
    return f"{folder / fault.path} {_FAULTS[fault.kind]}"


def prove_by_replay(
    folder: Path, files: Sequence[Path], settings: Settings, engine: Engine
) -> Verification:
    """Make the drafts of a version again, curate and review them, and compare as :func:`verify`."""
    manifest = open_version(folder)
    config = _check_provable(folder, manifest)
    contents = load_contents(folder, manifest)
    sources = Sources(files, [manifest.name], settings)
    path = journal_path(settings.outputs, manifest.name)
    with engine.progress(f"replay {folder.name}") as progress:
        drafts = replay(manifest.runs, path, sources, progress)
        _compare_drafts(contents, drafts, path)
        bench = Workbench(
            name=manifest.name,
            drafts=drafts,
            runs=manifest.runs,
            seeds=load_seeds(sources.find(manifest.seeds)),
            seed_files=(),
            against=find_versions(manifest.against, settings),
            examine=examine_here,
            settings=settings,
            engine=engine,
            decisions=read_applied_decisions(folder),
        )
        result = bench.curate(config, progress, may_ask=False).result
    splits = _split_alike(result.kept, manifest, contents)
    if hash_content(splits, result.dropped, manifest.licence) != manifest.content_hash:
        raise VerificationError(
            _tell_difference(folder, manifest, contents, Contents(splits, result.dropped))
        )
    return Verification(folder, path, manifest.content_hash, len(drafts), len(result.kept))


def _check_provable(folder: Path, manifest: DatasetManifest) -> CurationConfig:
    if not manifest.runs:
        raise UnverifiableError(
            f"{folder} was made from a file of records, so no journal can prove it."
        )
    try:
        config = CurationConfig.model_validate(manifest.curation)
    except ValidationError as error:
        raise UnverifiableError(
            f"{folder / 'manifest.json'} has settings of another version of Pacaloom: "
            f"{describe_validation_error(error)} Prove it with the version {manifest.code_version}."
        ) from error
    if config.near_duplicates.storage is not None:
        raise UnverifiableError(
            f"{folder} was curated beside machines that shared {config.near_duplicates.storage}: "
            "what those had kept by then is not on record, so no journal can prove it."
        )
    return config


def _split_alike(
    kept: Sequence[InstructionRecord], manifest: DatasetManifest, contents: Contents
) -> Splits:
    """Split as the version was: earlier programs split by another rule and did not say so."""
    if "split_by" in manifest.model_fields_set:
        return split_records(kept)
    held_out = {record.id for record in contents.splits.validation}
    return Splits(
        [record for record in kept if record.id not in held_out],
        [record for record in kept if record.id in held_out],
    )


def _compare_drafts(contents: Contents, drafts: Sequence[Draft], journal: Path) -> None:
    """Find each draft of the version among those that the journal gives.

    What a reader has edited is no teacher's text; curating again shows whether it follows.

    Raises:
        VerificationError: Names the first that is not there, and what stands in its place.
    """
    made = Counter(map(_locate, drafts))
    for draft in contents.drafts:
        place = _locate(draft)
        if not draft.provenance.edited and made[place] < 1:
            there = [f"record {one.id}" for one in made if one[:2] == place[:2]] or ["nothing"]
            raise VerificationError(
                f"Record {place.id} does not follow from the journal: at place {place.position} of "
                f"answer {place.completion_id}, {journal} gives {' and '.join(there)}."
            )
        made[place] -= 1


def _locate(draft: Draft | InstructionRecord) -> _Place:
    return _Place(draft.provenance.completion_id, draft.provenance.position, draft.id)


def _tell_difference(
    folder: Path, manifest: DatasetManifest, published: Contents, made: Contents
) -> str:
    """Name the first record or rejection in which the replay differs from the version."""
    sides: tuple[tuple[str, Sequence[_Item], Sequence[_Item]], ...] = (
        ("data/train.parquet", published.splits.train, made.splits.train),
        ("data/validation.parquet", published.splits.validation, made.splits.validation),
        ("rejected.parquet", published.rejected, made.rejected),
    )
    for file, theirs, ours in sides:
        for row, (one, other) in enumerate(zip_longest(theirs, ours), start=1):
            if one != other:
                return (
                    f"{folder.name} does not follow from the journal: row {row} of {file} is "
                    f"{_name(one)}, the replay has {_name(other)}."
                )
    return (
        f"{folder.name} does not follow from the journal: its rows do, but not its content hash "
        f"{manifest.content_hash[:12]}…: the licence differs."
    )


def _name(item: _Item | None) -> str:
    if item is None:
        return "nothing"
    if isinstance(item, Rejection):
        draft, what = item.draft, f"draft {item.draft.id}, rejected as {item.reason},"
    else:
        draft, what = item, f"record {item.id}"
    return f"{what} of answer {draft.provenance.completion_id}"
