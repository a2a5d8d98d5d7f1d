"""Publish curated records as an immutable dataset version.

The same content under the same name is the same version: it is found, not written again, unless
another was published since, or it was made or described otherwise. A version folder appears whole
or not at all. Cost: linear in the records.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pydantic import JsonValue

from pipeline.publishing.card.card import render_card
from pipeline.publishing.difference import Difference
from pipeline.publishing.edition import Edition, FindExchange, find_no_exchange
from pipeline.publishing.funnel import count_languages, count_reasons, count_reasons_by_language
from pipeline.publishing.locking import Say, hold_name, say_nothing
from pipeline.publishing.pictures.pictures import draw_pictures
from pipeline.publishing.splits import Splits, split_records
from pipeline.publishing.statistics.measuring import measure_version
from pipeline.publishing.versions import check_name, list_versions, open_version
from schemas.identity import digest_models
from schemas.judgements import Assessment
from schemas.manifest import (
    DatasetManifest,
    GenerationRun,
    JudgeReport,
    ParentDataset,
    ReviewReport,
    SourceFile,
)
from schemas.records import InstructionRecord, Language, Neighbour, Rejection, SeedTask
from schemas.review import ReviewDecision
from schemas.storage import atomic_folder, hash_file, write_jsonl

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
    card_language: Language | None = None
    """None: Korean where more than half of the records are."""


def publish(publication: Publication, root: Path, say: Say = say_nothing) -> Path:
    """Write a version under ``root/name`` and return its folder.

    Args:
        publication: What to publish.
        root: Folder of all names.
        say: Told one line when another process publishes under the name and is waited for.

    Raises:
        DatasetVersionError: The name cannot be a folder's.
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
            and _is_made_alike(published[-1], publication)
        ):
            return published[-1]
        ordinal = 1 + max((int(folder.name.split("-")[0]) for folder in published), default=0)
        version = f"{ordinal:04d}-{content_hash[:12]}"
        target = root / publication.name / version
        with atomic_folder(target) as folder:
            _write_version(folder, publication, splits, version, content_hash, None)
    return target


def choose_card_language(publication: Publication) -> Language:
    """Take the language asked for, or that of most records."""
    if publication.card_language is not None:
        return publication.card_language
    counts = count_languages(publication.kept)
    return "ko" if counts["ko"] > counts["en"] else "en"


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
    return not publication.assessments or read_assessments(folder) == publication.assessments


def hash_content(splits: Splits, rejected: Sequence[Rejection], licence: str) -> str:
    """Hash records by split, with their lineage, rejections and licence: 64 hex digits."""
    return digest_models(splits.train, splits.validation, rejected, licence)


def _write_version(
    folder: Path,
    publication: Publication,
    splits: Splits,
    version: str,
    content_hash: str,
    difference: Difference | None,
) -> None:
    # pyarrow takes 0.3 s to import, which `./pacaloom --help` need not pay.
    from pipeline.publishing.tables import (
        write_assessments,
        write_neighbours,
        write_records,
        write_rejections,
    )

    edition = Edition(
        manifest=_describe(publication, splits, version, content_hash),
        splits=splits,
        rejected=publication.rejected,
        assessments=publication.assessments,
        nearest=publication.nearest,
        seeds={seed.id: seed for seed in publication.seed_tasks},
        find_exchange=publication.find_exchange,
        statistics=measure_version(publication.kept, publication.nearest, publication.runs),
        difference=difference,
        decisions=publication.decisions,
    )
    (folder / "data").mkdir()
    write_records(folder / "data" / "train.parquet", splits.train)
    write_records(folder / "data" / "validation.parquet", splits.validation)
    write_rejections(folder / "rejected.parquet", publication.rejected)
    if publication.assessments:
        write_assessments(folder, publication.assessments)
    if publication.nearest:
        write_neighbours(folder, publication.nearest)
    if publication.decisions:
        write_jsonl(folder / "review.jsonl", publication.decisions)
    statistics = edition.statistics.model_dump_json(indent=2)
    (folder / "statistics.json").write_text(statistics, encoding="utf-8")
    gallery = draw_pictures(folder, edition)
    card = render_card(edition, gallery.pictures, gallery.notices)
    (folder / "README.md").write_text(card, encoding="utf-8")
    manifest = edition.manifest.model_copy(update={"files": _hash_files(folder)})
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2), encoding="utf-8")


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


def _hash_files(folder: Path) -> tuple[SourceFile, ...]:
    return tuple(
        SourceFile(path=file.relative_to(folder).as_posix(), sha256=hash_file(file))
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    )
