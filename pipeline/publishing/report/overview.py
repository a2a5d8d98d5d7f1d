"""What the page shows at once, before any record is unpacked.

Cost: linear in the records, once.
"""

from collections.abc import Sequence

from pydantic import JsonValue

from pipeline.publishing.difference import Difference
from pipeline.publishing.edition import Edition
from pipeline.publishing.funnel import FunnelStep, count_funnel
from pipeline.publishing.report.rows import MOST_CHARACTERS, Names, Row
from pipeline.publishing.report.stories import Stories
from pipeline.publishing.statistics.figures import VersionStatistics
from schemas.frozen import Frozen
from schemas.manifest import DatasetManifest
from schemas.records import STAGES, Language, Stage
from schemas.review import DecisionTable, ReviewDecision, ReviewedText, ReviewVerdict


class DifferenceCounts(Frozen):
    """What became of the records of the version before."""

    older: str
    added: int
    lost: int
    changed: int
    unchanged: int
    regained: int


class StoryCounts(Frozen):
    """How many answers the page holds, of how many."""

    held: int
    looked_for: int
    missing: int
    firsts: tuple[str, ...] = ()
    """The first id of each block of stories."""


class ShownDecision(Frozen):
    """What a reader decided, without who and when: a page is passed on to people and hubs."""

    record: str
    verdict: ReviewVerdict
    edited: ReviewedText | None
    note: str


class Overview(Frozen):
    """The figures of a version and how to read the blocks that follow."""

    manifest: dict[str, JsonValue]
    asked: tuple[Stage, ...]
    """Stages that ran, in order."""
    funnel: tuple[tuple[Stage, dict[Language, int], dict[Language, int]], ...]
    """Stage, dropped and remaining by language."""
    statistics: VersionStatistics
    difference: DifferenceCounts | None
    names: dict[str, tuple[str, ...]]
    rows: int
    row_blocks: int
    stories: StoryCounts
    most_characters: int
    decisions: tuple[ShownDecision, ...]
    """Those that stand."""
    reviewing: bool


_SHOWN = {
    "name",
    "version",
    "content_hash",
    "generated",
    "kept",
    "rejected_by_language",
    "kept_by_language",
    "splits",
    "split_by",
    "teachers",
    "strategies",
    "prompt_tokens",
    "completion_tokens",
    "licence",
    "judge",
    "review",
    "parents",
    "card_language",
    "against",
    "code_version",
}


def describe(
    edition: Edition,
    rows: Sequence[Row],
    names: Names,
    row_blocks: int,
    stories: Stories,
    firsts: Sequence[str],
    decisions: Sequence[ReviewDecision] | None,
) -> Overview:
    """Gather the figures; decisions of a review under way take the place of those applied."""
    return Overview(
        manifest=edition.manifest.model_dump(mode="json", include=_SHOWN),
        asked=list_asked_stages(edition.manifest),
        funnel=tuple(_funnel_row(step) for step in count_funnel(edition.kept, edition.rejected)),
        statistics=edition.statistics,
        difference=_count_difference(edition.difference),
        names={field: tuple(values) for field, values in names._asdict().items()},
        rows=len(rows),
        row_blocks=row_blocks,
        stories=StoryCounts(
            held=len(stories.exchanges),
            looked_for=stories.looked_for,
            missing=stories.missing,
            firsts=tuple(firsts),
        ),
        most_characters=MOST_CHARACTERS,
        decisions=_list_standing(edition.decisions if decisions is None else decisions),
        reviewing=decisions is not None,
    )


def _list_standing(decisions: Sequence[ReviewDecision]) -> tuple[ShownDecision, ...]:
    return tuple(
        ShownDecision(record=one.record, verdict=one.verdict, edited=one.edited, note=one.note)
        for _, one in DecisionTable(decisions).list_standing()
    )


def list_asked_stages(manifest: DatasetManifest) -> tuple[Stage, ...]:
    """List the stages that ran; those of a manifest that does not say are taken to have run."""
    chosen = manifest.curation.get("stage")
    asked = {"schema", *(map(str, chosen) if isinstance(chosen, list) else STAGES)}
    judge = manifest.curation.get("judge")
    settings = judge if isinstance(judge, dict) else {}
    if manifest.judge is None and not settings.get("model") and not settings.get("student"):
        asked -= {"judge"}
    if manifest.review is None:
        asked -= {"review"}
    return tuple(stage for stage in STAGES if stage in asked)


def _funnel_row(step: FunnelStep) -> tuple[Stage, dict[Language, int], dict[Language, int]]:
    return step.stage, step.dropped, step.remaining


def _count_difference(difference: Difference | None) -> DifferenceCounts | None:
    if difference is None:
        return None
    return DifferenceCounts(
        older=difference.older,
        added=len(difference.added),
        lost=len(difference.lost),
        changed=len(difference.changed),
        unchanged=difference.unchanged,
        regained=len(difference.regained),
    )
