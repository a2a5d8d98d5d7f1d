"""Editions of versions for the tests of card and pictures."""

from collections.abc import Sequence
from typing import NamedTuple, get_args

from pipeline.publishing.edition import Edition, find_no_exchange
from pipeline.publishing.funnel import count_languages, count_reasons, count_reasons_by_language
from pipeline.publishing.splits import split_records
from pipeline.publishing.statistics.figures import (
    Diversity,
    Histogram,
    LanguageFigures,
    Lengths,
    Phrase,
    Similarity,
    VersionStatistics,
)
from schemas.manifest import DatasetManifest, GenerationRun, RoundYield
from schemas.records import (
    Draft,
    InstructionRecord,
    Language,
    Provenance,
    Reason,
    Rejection,
    Stage,
)

NO_STATISTICS = VersionStatistics(languages={}, rounds=())
REASONS: tuple[Reason, ...] = get_args(Reason)
HASH = "0123456789abcdef" * 4


class Texts(NamedTuple):
    """What a record says."""

    instruction: str = "Name a fruit."
    input: str = ""
    output: str = "Apple"


FRUIT = Texts()


def make_record(
    texts: Texts = FRUIT, language: Language = "en", teacher: str = "teacher"
) -> InstructionRecord:
    """Make a kept record."""
    return InstructionRecord(
        **texts._asdict(),
        language=language,
        provenance=Provenance(
            strategy="structured", teacher=teacher, completion_id="c", seed_ids=("en-001",)
        ),
    )


def make_rejection(
    texts: Texts = FRUIT,
    reason: Reason = "repeat",
    stage: Stage = "novelty",
    language: Language = "en",
) -> Rejection:
    """Make a rejected draft."""
    record = make_record(texts, language)
    draft = Draft(**texts._asdict(), language=language, provenance=record.provenance)
    return Rejection(draft=draft, stage=stage, reason=reason, detail=texts.instruction)


def make_run(config: dict[str, object] | None = None) -> GenerationRun:
    """Make a run of 200 tokens read and 100 written."""
    return GenerationRun.model_validate(
        {
            "teacher": "teacher",
            "config": config or {},
            "admission": {},
            "seeds": (),
            "documents": (),
            "generated": 4,
            "admitted": {"en": 1, "ko": 1},
            "unanswered": (),
            "prompt_tokens": 2_000_000,
            "completion_tokens": 1_000_000,
            "stopped_because": "quotas-filled",
            "forecast": None,
        }
    )


def make_edition(
    kept: Sequence[InstructionRecord] = (),
    rejected: Sequence[Rejection] = (),
    statistics: VersionStatistics = NO_STATISTICS,
    **described: object,
) -> Edition:
    """Make a version of these records; ``described`` are fields of its manifest."""
    splits = split_records(kept)
    manifest: dict[str, object] = {
        "name": "toy",
        "version": "0001-0123456789ab",
        "content_hash": HASH,
        "generated": len(kept) + len(rejected),
        "kept": len(kept),
        "rejected": count_reasons(rejected),
        "kept_by_language": count_languages(kept),
        "rejected_by_language": count_reasons_by_language(rejected),
        "splits": {"train": len(splits.train), "validation": len(splits.validation)},
        "teachers": {"teacher": len(kept) + len(rejected)},
        "strategies": {"structured": len(kept) + len(rejected)},
        "licence": "apache-2.0",
        "curation": {"stage": ["schema", "novelty", "contamination"]},
        "seeds": (),
        "files": (),
        "code_version": "v1",
    }
    return Edition(
        manifest=DatasetManifest.model_validate(manifest | described),
        splits=splits,
        rejected=rejected,
        assessments={},
        nearest={},
        seeds={},
        find_exchange=find_no_exchange,
        statistics=statistics,
        difference=None,
    )


def make_statistics(
    phrases: dict[Language, Sequence[Phrase]], rounds: Sequence[RoundYield] = ()
) -> VersionStatistics:
    """Make figures of 2,000 records a language, with these phrases."""
    return VersionStatistics(
        languages={language: _figures(own) for language, own in phrases.items()},
        rounds=tuple(rounds),
    )


def make_phrases(verbs: Sequence[str], nouns: Sequence[str]) -> list[Phrase]:
    """Pair each verb with each noun, less often from verb to verb and from noun to noun."""
    return [
        Phrase(verb=verb, noun=noun, count=400 - 13 * place - 2 * order)
        for place, verb in enumerate(verbs)
        for order, noun in enumerate(nouns)
    ]


def _figures(phrases: Sequence[Phrase]) -> LanguageFigures:
    lengths = Lengths(
        filled=2000,
        shortest=8,
        p5=12,
        median=1234,
        p95=2000,
        longest=3999,
        histogram=Histogram(edges=(8, 64, 512, 4096), counts=(900, 0, 1100)),
    )
    return LanguageFigures(
        records=2000,
        lengths={"instruction": lengths, "output": lengths},
        task_types={"code": 2000},
        strategies={"structured": 2000},
        diversity=Diversity(
            looked_at=2000, parsed=1500, phrases=tuple(phrases), distinct_1=0.25, distinct_2=0.5
        ),
        similarity=Similarity(
            looked_at=1000,
            median=0.41,
            p95=0.66,
            histogram=Histogram(
                edges=tuple(step / 20 for step in range(21)),
                counts=(0,) * 6 + (100,) * 10 + (0,) * 4,
            ),
        ),
    )
