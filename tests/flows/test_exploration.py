"""What-if and sweep compare draft by draft, publish nothing, and ask nothing."""

import json
from pathlib import Path

import pytest

from flows.engine import PlainEngine
from flows.exploration import DraftDifference, KnobError, explore, read_variants
from flows.outcomes import ExploreOutcome
from flows.parameters import ExploreParams
from flows.settings import Settings
from pipeline.curation.config import CurationConfig
from schemas.storage import read_jsonl

ROWS = [
    {"instruction": "List three fruits that grow in Jeju.", "output": "Kiwi, orange and lemon."},
    {"instruction": "List three fruits that grow in Busan.", "output": "Pear, grape and plum."},
    {"instruction": "서울의 봄 날씨를 설명해 줘.", "output": "죄송하지만 도와드릴 수 없습니다."},
    {"instruction": "봄에 피는 꽃을 하나 말해 줘.", "output": "개나리입니다."},
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), "utf-8")
    return path


def run(source: Path, *what_if: str, sweep: str | None = None) -> ExploreOutcome:
    params = ExploreParams(
        name="fruits", input=source, seeds=("none",), what_if=what_if, sweep=sweep, processes=1
    )
    return explore(params, make_settings(source.parent), PlainEngine())


def make_settings(outputs: Path) -> Settings:
    nothing = {"base_url": None, "api_key": None, "prefect_api_url": None}
    return Settings.model_validate({**nothing, "outputs": outputs})


def test_every_draft_that_ends_otherwise_is_named_with_both_reasons(source: Path) -> None:
    outcome = run(source, "novelty.threshold=0.9", "rules.off=[refusal]")

    (variant,) = outcome.variants
    assert (outcome.kept, variant.kept, variant.gained, variant.lost) == (2, 4, 2, 0)
    differences = list(read_jsonl(variant.differences, DraftDifference))
    assert [(one.change, one.before, one.after, one.language) for one in differences] == [
        ("gained", "repeat", None, "en"),
        ("gained", "refusal", None, "ko"),
    ]


def test_stricter_knobs_lose_what_they_drop(source: Path) -> None:
    (variant,) = run(source, "novelty.korean_threshold=0.3", "novelty.threshold=0.9").variants

    assert variant.gained == 1
    assert variant.kept_by_language["ko"] <= 1


def test_sweep_tries_each_value_in_order(source: Path) -> None:
    outcome = run(source, sweep="novelty.threshold=0.5,0.7,0.9")

    assert [variant.changes for variant in outcome.variants] == [
        {"novelty.threshold": value} for value in (0.5, 0.7, 0.9)
    ]
    assert [variant.kept for variant in outcome.variants] == [2, 2, 3]


def test_nothing_is_published(source: Path) -> None:
    run(source, "novelty.threshold=0.9")

    assert not (source.parent / "datasets").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param("novelty.treshold=0.9", "novelty.threshold", id="misspelt"),
        pytest.param("novelty.threshold=9", "less than or equal to 1", id="out-of-range"),
        pytest.param("novelty.threshold", "KNOB=VALUE", id="no-value"),
        pytest.param("stage.novelty=1", "There is no knob", id="not-a-group"),
        pytest.param("rules.off=[unheard]", "rules.off", id="unknown-rule"),
    ],
)
def test_wrong_knob_is_named_with_what_there_is(change: str, message: str) -> None:
    with pytest.raises(KnobError, match=message):
        read_variants((change,), None, CurationConfig())


def test_knob_may_be_written_as_its_flag_and_one_value_is_a_list_of_one() -> None:
    (variant,) = read_variants(("near-duplicates.threshold = 0.8",), None, CurationConfig())
    without = read_variants((), "rules.off=refusal,placeholder", CurationConfig())

    assert variant.changes == {"near_duplicates.threshold": 0.8}
    assert variant.config.near_duplicates.threshold == 0.8
    assert [one.config.rules.off for one in without] == [("refusal",), ("placeholder",)]


def test_knob_that_is_changed_twice_is_not_half_obeyed() -> None:
    with pytest.raises(KnobError, match="changed twice"):
        read_variants(("novelty.threshold=0.8", "novelty.threshold=0.9"), None, CurationConfig())
