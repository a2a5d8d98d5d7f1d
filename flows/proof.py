"""Prove a version link by link: files, tables, review, parents, the chain to seed tasks, replay.

Each link is looked at by itself, in the order in which one rests on the other, so that the first
that is broken can be named, and what this machine cannot know is told apart from what is wrong.
Cost: files and tables are read once, each answer is looked up, and the replay costs what generating
from a full journal and curating cost. Nothing is written and nobody is asked.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from flows.ancestry import prove_chain, prove_parents
from flows.chain import CHAIN
from flows.engine import Engine
from flows.links import Grounds, Link, skip
from flows.replay import MissingAnswerError, VerificationError
from flows.resources import find_dataset
from flows.settings import Settings
from flows.sources import UnverifiableError
from flows.verification import describe_fault, prove_by_replay
from pipeline.generation.journal.file import JournalError, JournalWriteError
from pipeline.publishing.integrity import (
    Contents,
    find_file_faults,
    find_table_faults,
    load_contents,
)
from pipeline.publishing.opening import read_applied_decisions
from pipeline.publishing.versions import open_version
from schemas.errors import PacaloomError
from schemas.manifest import DatasetManifest
from schemas.storage import RecordFileError

_TABLES = ("data/train.parquet", "data/validation.parquet", "rejected.parquet")
_MOST_FAULTS_NAMED = 5


class Proof(NamedTuple):
    """How far a version could be proved."""

    folder: Path
    manifest: DatasetManifest
    links: tuple[Link, ...]

    @property
    def first_break(self) -> Link | None:
        """The first link that does not hold."""
        return next((link for link in self.links if link.state == "broken"), None)


def prove(
    reference: str,
    files: Sequence[Path],
    settings: Settings,
    engine: Engine,
    *,
    files_only: bool = False,
) -> Proof:
    """Look at every link of a version.

    Args:
        reference: A dataset version as :func:`find_dataset` takes it.
        files: Seed and document files that are not where they were.
        settings: Where versions and journals are.
        engine: Told how far it is.
        files_only: Look at files and tables alone.

    Raises:
        UserError: There is no such version, or its manifest is none.
    """
    folder = find_dataset(reference, settings)
    grounds = Grounds(folder, open_version(folder), files, settings, engine)
    return Proof(folder, grounds.manifest, tuple(_look(grounds, files_only)))


def _look(grounds: Grounds, files_only: bool) -> Iterator[Link]:
    files, tables_are_whole = _prove_files(grounds)
    yield files
    if not tables_are_whole:
        yield from skip("tables", *_names_after_tables(grounds))
        return
    tables, contents = _prove_tables(grounds, files_hold=files.state == "proven")
    yield tables
    if files_only or contents is None or tables.state == "broken":
        yield from skip(*_names_after_tables(grounds))
        return
    links: list[Link] = []
    if grounds.manifest.review is not None:
        links.append(_prove_review(grounds, contents))
    if grounds.manifest.parents:
        links.append(prove_parents(grounds, contents))
    links += prove_chain(grounds, contents)
    yield from links
    if files.state == "broken" or any(link.state == "broken" for link in links):
        yield from skip("replay")
    else:
        yield _prove_by_replay(grounds)


def _names_after_tables(grounds: Grounds) -> list[str]:
    review = ["review"] if grounds.manifest.review is not None else []
    parents = ["parents"] if grounds.manifest.parents else []
    return [*review, *parents, *CHAIN, "replay"]


def _prove_files(grounds: Grounds) -> tuple[Link, bool]:
    folder, manifest = grounds.folder, grounds.manifest
    with grounds.engine.progress("hash files, in MB") as progress:
        faults = find_file_faults(folder, manifest, progress)
    if not faults:
        detail = f"{len(manifest.files)} files are as they were published"
        return Link("files", "proven", detail), True
    told = [describe_fault(Path(), fault) for fault in faults[:_MOST_FAULTS_NAMED]]
    more = len(faults) - len(told)
    detail = "; ".join(told) + (f"; and {more} more" if more else "")
    bad = {fault.path for fault in faults if fault.kind != "extra"}
    return Link("files", "broken", detail), bad.isdisjoint(_TABLES)


def _prove_tables(grounds: Grounds, *, files_hold: bool) -> tuple[Link, Contents | None]:
    folder, manifest = grounds.folder, grounds.manifest
    try:
        with grounds.engine.progress("read the tables") as progress:
            contents = load_contents(folder, manifest)
            fault = next(find_table_faults(folder, manifest, contents), None)
            progress(1, 1)
    except PacaloomError as error:
        # Files that are as they were published, and no tables of ours, are another program's.
        return Link("tables", "not here" if files_hold else "broken", str(error)), None
    if fault is not None:
        return Link("tables", "broken", fault), contents
    detail = (
        f"{manifest.kept:,} records and {len(contents.rejected):,} rejections give the content "
        f"hash {manifest.content_hash[:12]}… and the manifest's counts"
    )
    return Link("tables", "proven", detail), contents


def _prove_review(grounds: Grounds, contents: Contents) -> Link:
    """Find a reader's decision behind every text that a reader wrote or dropped."""
    try:
        decisions = read_applied_decisions(grounds.folder)
    except RecordFileError as error:
        return Link("review", "broken", str(error))
    written = {
        (one.edited.instruction, one.edited.input, one.edited.output)
        for one in decisions
        if one.edited is not None
    }
    for draft in contents.drafts:
        text = (draft.instruction, draft.input, draft.output)
        if draft.provenance.edited and text not in written:
            return Link("review", "broken", f"no decision has edited a text into record {draft.id}")
    dropped = {one.record for one in decisions if one.verdict == "reject"}
    for rejection in contents.rejected:
        if rejection.reason == "rejected-by-reader" and rejection.draft.id not in dropped:
            return Link("review", "broken", f"no decision has rejected record {rejection.draft.id}")
    return Link("review", "proven", f"{len(decisions):,} decisions of readers say what was done")


def _prove_by_replay(grounds: Grounds) -> Link:
    if grounds.manifest.parents:
        return Link("replay", "not here", "a mixture is drawn, not generated; verify its parents")
    try:
        proof = prove_by_replay(grounds.folder, grounds.files, grounds.settings, grounds.engine)
    except MissingAnswerError as error:
        # The chain holds, so that no record hangs on it: another program would ask other prompts.
        return Link(
            "replay",
            "not here",
            f"every answer that a record names is there, but this program (version "
            f"{grounds.settings.code_version}) would have asked others too. {error}",
        )
    except VerificationError as error:
        ours, theirs = grounds.settings.code_version, grounds.manifest.code_version
        other = f" This is version {ours} of Pacaloom, it was made with {theirs}."
        return Link("replay", "broken", str(error) + (other if ours != theirs else ""))
    except (UnverifiableError, JournalError, JournalWriteError) as error:
        return Link("replay", "not here", str(error))
    return Link(
        "replay",
        "proven",
        f"generated and curated again from the journal: the same {proof.generated:,} drafts, the "
        f"same {proof.kept:,} kept",
    )
