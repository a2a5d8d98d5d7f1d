"""The weakest cells of an evaluation decide what the next generation asks for."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.parameters import RetrainParams
from flows.settings import Settings
from flows.steering import TAUGHT_BY, find_headroom, plan_steering, steer
from pipeline.generation.config import GenerationConfig
from schemas.evaluation import EvaluationReport, Family, GateVerdict, MatrixRow, VariantScore
from schemas.records import Language
from training.evaluation.registered import Judgement
from training.evaluation.registry import Registry

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def make_row(
    language: Language, family: Family, accuracy: float, shots: int = 0, model: str = "demo/2"
) -> MatrixRow:
    return MatrixRow(
        model=model, task=f"{family}-{language}", family=family, language=language,
        metric="accuracy", shots=shots, item_count=300, cluster_count=300, chance=0.5,
        accuracy=accuracy, low=accuracy, high=accuracy,
        variants=(VariantScore(wording="plain", draw=0, score=accuracy),),
    )  # fmt: skip


def make_report(*rows: MatrixRow) -> EvaluationReport:
    return EvaluationReport(
        id="e", items_hash="i", template_hash="t", seed=0, baseline="base", challenger="demo/2",
        models={}, matrix=rows, comparisons=(), seconds=1.0,
    )  # fmt: skip


def test_headroom_is_what_is_missing_above_chance_at_zero_shot() -> None:
    report = make_report(
        make_row("en", "topic", 0.75),
        make_row("en", "topic", 0.95, shots=4),
        make_row("en", "topic", 0.50, model="base"),
        make_row("ko", "entailment", 0.50),
    )

    # Chance is .5: .75 leaves half of what lies above it, .50 leaves all.
    assert find_headroom(report) == {("en", "topic"): 0.5, ("ko", "entailment"): 1.0}


def test_a_score_below_chance_leaves_all_there_is() -> None:
    assert find_headroom(make_report(make_row("ko", "topic", 0.3)))["ko", "topic"] == 1.0


def test_weakest_kind_and_language_are_asked_for_more_within_bounds() -> None:
    headroom: dict[tuple[Language, Family], float] = {
        ("en", "topic"): 0.1,
        ("en", "arithmetic"): 0.9,
        ("ko", "topic"): 0.8,
        ("ko", "spelling"): 0.8,
    }

    steering = plan_steering(headroom, {"en": 100, "ko": 100}, "demo/2")

    assert steering is not None
    # Means .1 and .9 around .5: a fifth and 1.8 times; a fifth is held at a half.
    assert steering.emphasis == {
        "en/arithmetic": 1.8, "en/classification": 0.5,
        "ko/classification": 1.0, "ko/language": 1.0,
    }  # fmt: skip
    # .5 and .8 around .65: 1.23 times a hundred, which the other language gives up.
    assert steering.quota == {"en": 77, "ko": 123}
    assert "arithmetic (en, 90 %" in steering.reason
    GenerationConfig(quota=steering.quota, emphasis=steering.emphasis)


def test_no_language_wins_or_loses_more_than_a_quarter() -> None:
    headroom: dict[tuple[Language, Family], float] = {("en", "topic"): 1.0, ("ko", "topic"): 0.1}

    steering = plan_steering(headroom, {"en": 700, "ko": 100}, "demo/2")

    # A quarter of the smaller quota is all that can be moved.
    assert steering is not None
    assert steering.quota == {"en": 725, "ko": 75}


def test_a_student_without_headroom_steers_nothing() -> None:
    assert plan_steering({("en", "topic"): 0.0}, {"en": 10}, "demo/2") is None


def test_a_language_without_a_quota_gets_none() -> None:
    steering = plan_steering({("en", "topic"): 0.2, ("ko", "topic"): 0.9}, {"en": 10}, "demo/2")

    assert steering is not None
    assert steering.quota == {"en": 10}
    assert all(key.startswith("en/") for key in steering.emphasis)


def test_every_family_is_taught_by_kinds_that_can_be_emphasised() -> None:
    for kinds in TAUGHT_BY.values():
        GenerationConfig(emphasis={f"ko/{kind}": 1.5 for kind in kinds})


@pytest.fixture
def evaluated(tmp_path: Path) -> Settings:
    """Outputs in which the last student of a name was weak in Korean."""
    settings = Settings(outputs=tmp_path)
    folder = tmp_path / "evaluations" / "demo-2" / "e"
    folder.mkdir(parents=True)
    report = make_report(make_row("en", "topic", 0.9), make_row("ko", "topic", 0.5))
    (folder / "report.json").write_text(report.model_dump_json())
    verdict = GateVerdict(verdict="hold", reasons=("r",), challenger="demo/2", champion="base")
    Registry(tmp_path / "registry.sqlite").register(
        "demo", "2", tmp_path / "models", "demo/1", NOON, Judgement(verdict, folder)
    )
    return settings


def test_growing_retraining_is_steered_by_the_last_evaluation_of_its_name(
    evaluated: Settings,
) -> None:
    params = RetrainParams(name="demo", grow=True, quota={"en": 40, "ko": 40})

    steering = steer(params, evaluated)

    assert steering is not None
    assert steering.quota["ko"] > 40 > steering.quota["en"]


@pytest.mark.parametrize(
    "change",
    [{"grow": False}, {"steer": False}, {"emphasis": {"en/code": 2.0}}, {"name": "other"}],
)
def test_nothing_is_steered_against_the_wish_of_the_user(
    evaluated: Settings, change: dict[str, object]
) -> None:
    params = RetrainParams(name="demo", grow=True).model_copy(update=change)

    assert steer(params, evaluated) is None


def test_an_evaluation_that_is_gone_steers_nothing(evaluated: Settings) -> None:
    for file in evaluated.outputs.rglob("report.json"):
        file.unlink()

    assert steer(RetrainParams(name="demo", grow=True), evaluated) is None
