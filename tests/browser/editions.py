"""Small versions to look at in a browser."""

from collections.abc import Mapping, Sequence

from pipeline.publishing.edition import Edition, FindExchange, find_no_exchange
from pipeline.publishing.splits import split_records
from pipeline.publishing.statistics.figures import (
    Histogram,
    LanguageFigures,
    Similarity,
    VersionStatistics,
)
from schemas.judgements import Assessment
from schemas.manifest import DatasetManifest, RoundYield
from schemas.records import (
    InstructionRecord,
    Language,
    Neighbour,
    Provenance,
    Reason,
    Rejection,
    SeedTask,
    Stage,
    to_draft,
)


def make_record(
    instruction: str,
    output: str = "answer",
    input_: str = "",
    language: Language = "en",
    origin: Provenance | None = None,
) -> InstructionRecord:
    return InstructionRecord(
        instruction=instruction,
        input=input_,
        output=output,
        language=language,
        provenance=origin or make_origin(),
    )


def make_origin(
    completion_id: str = "c0", position: int = 0, seed_ids: tuple[str, ...] = ()
) -> Provenance:
    return Provenance(
        strategy="structured",
        teacher="teacher",
        completion_id=completion_id,
        position=position,
        seed_ids=seed_ids,
        task_type="explanation",
    )


def make_rejection(
    record: InstructionRecord,
    stage: Stage = "rules",
    reason: Reason = "placeholder",
    detail: str = "because",
    score: float | None = None,
    collides_with: str | None = None,
) -> Rejection:
    return Rejection(
        draft=to_draft(record),
        stage=stage,
        reason=reason,
        detail=detail,
        score=score,
        collides_with=collides_with,
    )


def make_edition(
    kept: Sequence[InstructionRecord] = (),
    rejected: Sequence[Rejection] = (),
    *,
    card_language: Language = "en",
    assessments: Mapping[str, Assessment] | None = None,
    nearest: Mapping[str, Neighbour] | None = None,
    seeds: Sequence[SeedTask] = (),
    find_exchange: FindExchange = find_no_exchange,
    teacher: str = "teacher",
) -> Edition:
    """Make a version of these rows with figures that fit them."""
    reasons: dict[Language, dict[Reason, int]] = {"en": {}, "ko": {}}
    for one in rejected:
        own = reasons[one.draft.language]
        own[one.reason] = own.get(one.reason, 0) + 1
    splits = split_records(kept)
    return Edition(
        manifest=DatasetManifest(
            name="toy",
            version="0001-0123456789ab",
            content_hash="0" * 64,
            generated=len(kept) + len(rejected),
            kept=len(kept),
            rejected={},
            kept_by_language={"en": _count(kept, "en"), "ko": _count(kept, "ko")},
            rejected_by_language=reasons,
            splits={"train": len(splits.train), "validation": len(splits.validation)},
            teachers={teacher: len(kept) + len(rejected)},
            strategies={"structured": len(kept) + len(rejected)},
            licence="apache-2.0",
            curation={},
            card_language=card_language,
            seeds=(),
            files=(),
            code_version="test",
        ),
        splits=splits,
        rejected=rejected,
        assessments=assessments or {},
        nearest=nearest or {},
        seeds={seed.id: seed for seed in seeds},
        find_exchange=find_exchange,
        statistics=_measure(kept),
        difference=None,
    )


def _count(kept: Sequence[InstructionRecord], language: Language) -> int:
    return sum(record.language == language for record in kept)


def _measure(kept: Sequence[InstructionRecord]) -> VersionStatistics:
    edges = tuple(step / 20 for step in range(21))
    similarity = Similarity(
        looked_at=20, median=0.3, p95=0.6, histogram=Histogram(edges=edges, counts=(1,) * 20)
    )
    languages: tuple[Language, ...] = ("en", "ko")
    figures: dict[Language, LanguageFigures] = {
        language: LanguageFigures(
            records=_count(kept, language),
            lengths={},
            task_types={"explanation": 3, "code": 1},
            strategies={"structured": 4},
            diversity=None,
            similarity=similarity,
        )
        for language in languages
        if _count(kept, language)
    }
    rounds = (RoundYield(drafts=8, admitted=4), RoundYield(drafts=8, admitted=6))
    return VersionStatistics(languages=figures, rounds=rounds)
