"""Publish curated records as an immutable dataset version.

The same content under the same name is the same version: it is found, not written again, unless
another was published since, it was made or described otherwise, or its files were damaged since:
curating again is the way out of that. A version folder appears whole or not at all. Cost: linear in
the records, and in the bytes of a version that is found.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pydantic import JsonValue

from pipeline.publishing.difference import Versioned, compare_versions
from pipeline.publishing.edition import Edition, FindExchange, find_no_exchange
from pipeline.publishing.funnel import count_languages, count_reasons, count_reasons_by_language
from pipeline.publishing.opening import load_edition, read_applied_decisions
from pipeline.publishing.splits import Splits, split_records
from pipeline.publishing.statistics.measuring import measure_version
from pipeline.publishing.versions import (
    DatasetVersionError,
    check_name,
    list_versions,
    open_version,
)
from pipeline.publishing.writing import write_version
from schemas.errors import UserError
from schemas.identity import digest_models
from schemas.judgements import Assessment
from schemas.locking import Say, hold_name, say_nothing
from schemas.manifest import (
    DatasetManifest,
    GenerationRun,
    JudgeReport,
    ParentDataset,
    ReviewReport,
    SourceFile,
)
from schemas.progress import Progress, no_progress
from schemas.records import InstructionRecord, Language, Neighbour, Rejection, SeedTask
from schemas.review import ReviewDecision
from schemas.storage import ManifestError, atomic_folder, hash_file

_NOT_JUDGED: Mapping[str, Assessment] = MappingProxyType({})
_NOT_COMPARED: Mapping[str, Neighbour] = MappingProxyType({})


class Publication(NamedTuple):
    """All that a version is made of."""

    name: str
    kept: Sequence[InstructionRecord]
    rejected: Sequence[Rejection]
    seeds: tuple[SourceFile, ...]
    curation: dict[str, JsonValue]
    judge: JudgeReport | None
    against: tuple[str, ...]
    """Earlier versions that the records were held against, as ``NAME/VERSION``."""
    runs: tuple[GenerationRun, ...]
    """What wrote the drafts; empty for records from a file."""
    licence: str
    """Licence id as the Hugging Face Hub spells it: ``apache-2.0``, ``other``."""
    code_version: str
    drafts_sha256: str = ""
    """Over the drafts, in their order; empty where nobody will ask whether they come again."""
    assessments: Mapping[str, Assessment] = _NOT_JUDGED
    """By record id: what judge and student found of records, dropped ones among them. They are no
    part of the content hash."""
    nearest: Mapping[str, Neighbour] = _NOT_COMPARED
    """By id of a kept record: the most similar other record or seed task. May be a sample."""
    seed_tasks: Sequence[SeedTask] = ()
    """What the records descend from, for their stories; the manifest names the files."""
    find_exchange: FindExchange = find_no_exchange
    decisions: Sequence[ReviewDecision] = ()
    """What readers decided, in order."""
    review: ReviewReport | None = None
    parents: tuple[ParentDataset, ...] = ()
    needed: tuple[Path, ...] = ()
    """Folders of the versions among ``against`` and ``parents``."""
    card_language: Language | None = None
    """None: Korean where more than half of the records are."""


def publish(
    publication: Publication,
    root: Path,
    say: Say = say_nothing,
    progress: Progress = no_progress,
) -> Path:
    """Write a version under ``root/name`` and return its folder.

    Args:
        publication: What to publish.
        root: Folder of all names.
        say: Told one line when another process publishes under the name and is waited for, and
            when the version before cannot be compared with.
        progress: Told how far the files are.

    Raises:
        DatasetVersionError: The name cannot be a folder's, or a version that the new one would
            refer to was removed meanwhile.
        BusyError: Another process holds the name and does not come to an end.
        StorageError: The folder cannot be written; nothing half-written stays.
    """
    check_name(publication.name)
    splits = split_records(publication.kept)
    content_hash = hash_content(splits, publication.rejected, publication.licence)
    with hold_name(root, publication.name, say):
        published = list_versions(root, publication.name)
        # Only the newest: a name stands for it, so older content is published again.
        if (
            published
            and published[-1].name.endswith(content_hash[:12])
            and _is_whole(published[-1])
            and _is_made_alike(published[-1], publication)
        ):
            return published[-1]
        ordinal = 1 + max((int(folder.name.split("-")[0]) for folder in published), default=0)
        version = f"{ordinal:04d}-{content_hash[:12]}"
        target = root / publication.name / version
        with atomic_folder(target) as folder:
            edition = _make_edition(publication, splits, version, content_hash)
            if published:
                edition = _compare_with(published[-1], edition, say)
            write_version(folder, edition, progress)
            # As late as can be, and under the lock of the name: maintenance removes under it too.
            _check_all_there(publication.needed)
    return target


def _check_all_there(needed: Sequence[Path]) -> None:
    """Refuse to refer to what is gone.

    Raises:
        DatasetVersionError: A version was removed.
    """
    for folder in needed:
        if not folder.exists():
            raise DatasetVersionError(
                f"The version {folder.parent.name}/{folder.name}, which the new one would refer "
                f"to, was removed meanwhile from {folder.parent}. Nothing was published: run the "
                "same command again, with a version that is there (`./pacaloom datasets list`)."
            )


def choose_card_language(publication: Publication) -> Language:
    """Take the language asked for, or that of most records."""
    if publication.card_language is not None:
        return publication.card_language
    counts = count_languages(publication.kept)
    return "ko" if counts["ko"] > counts["en"] else "en"


def _is_whole(folder: Path) -> bool:
    """Tell whether all files of a version are as they were published."""
    try:
        return all(
            hash_file(folder / file.path) == file.sha256 for file in open_version(folder).files
        )
    except (ManifestError, OSError):
        return False


def _is_made_alike(folder: Path, publication: Publication) -> bool:
    """Tell whether a version says of its making what would be said now."""
    from pipeline.publishing.tables import read_assessments

    manifest = open_version(folder)
    if manifest.curation != publication.curation or manifest.seeds != publication.seeds:
        return False
    if manifest.against != publication.against or manifest.parents != publication.parents:
        return False
    if manifest.card_language != choose_card_language(publication):
        return False
    if read_applied_decisions(folder) != list(publication.decisions):
        return False
    return not publication.assessments or read_assessments(folder) == publication.assessments


def hash_content(splits: Splits, rejected: Sequence[Rejection], licence: str) -> str:
    """Hash records by split, with their lineage, rejections and licence: 64 hex digits."""
    return digest_models(splits.train, splits.validation, rejected, licence)


def _make_edition(
    publication: Publication, splits: Splits, version: str, content_hash: str
) -> Edition:
    return Edition(
        manifest=_describe(publication, splits, version, content_hash),
        splits=splits,
        rejected=publication.rejected,
        assessments=publication.assessments,
        nearest=publication.nearest,
        seeds={seed.id: seed for seed in publication.seed_tasks},
        find_exchange=publication.find_exchange,
        statistics=measure_version(publication.kept, publication.nearest, publication.runs),
        difference=None,
        decisions=publication.decisions,
    )


def _compare_with(folder: Path, edition: Edition, say: Say) -> Edition:
    """Add the difference to the version before; one that cannot be read is only spoken of."""
    try:
        older = _to_versioned(load_edition(folder))
    except UserError as error:
        say(f"The new version is not compared with the one before it: {error}")
        return edition
    return edition._replace(difference=compare_versions(older, _to_versioned(edition)))


def _to_versioned(edition: Edition) -> Versioned:
    name = f"{edition.manifest.name}/{edition.manifest.version}"
    return Versioned(name, edition.kept, edition.rejected, edition.statistics)


def _describe(
    publication: Publication, splits: Splits, version: str, content_hash: str
) -> DatasetManifest:
    kept, rejected = publication.kept, publication.rejected
    origins = [record.provenance for record in kept]
    origins += [rejection.draft.provenance for rejection in rejected]
    return DatasetManifest(
        name=publication.name,
        version=version,
        content_hash=content_hash,
        generated=len(kept) + len(rejected),
        kept=len(kept),
        rejected=count_reasons(rejected),
        kept_by_language=count_languages(kept),
        rejected_by_language=count_reasons_by_language(rejected),
        splits={"train": len(splits.train), "validation": len(splits.validation)},
        split_by=splits.by,
        teachers=dict(sorted(Counter(origin.teacher for origin in origins).items())),
        strategies=dict(sorted(Counter(origin.strategy for origin in origins).items())),
        prompt_tokens=sum(run.prompt_tokens for run in publication.runs),
        completion_tokens=sum(run.completion_tokens for run in publication.runs),
        licence=publication.licence,
        runs=publication.runs,
        curation=publication.curation,
        judge=publication.judge,
        review=publication.review,
        parents=publication.parents,
        card_language=choose_card_language(publication),
        drafts_sha256=publication.drafts_sha256,
        against=publication.against,
        seeds=publication.seeds,
        files=(),
        code_version=publication.code_version,
    )
