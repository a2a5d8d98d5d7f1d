"""Who is compared with whom: the champion where there is one, else the base model."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.engine import PlainEngine
from flows.parameters import EvaluateParams
from flows.settings import Settings
from flows.steps.evaluation import ContestError, find_contest
from schemas.evaluation import GateVerdict
from schemas.manifest import ContractSummary, MemoryEstimate, TrainingManifest
from training.evaluation.registered import Judgement
from training.evaluation.registry import Registry

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(outputs=tmp_path)


def make_tuned(settings: Settings, version: str) -> Path:
    base = settings.outputs / "base"
    base.mkdir(exist_ok=True)
    folder = settings.outputs / "models" / "demo" / version
    folder.mkdir(parents=True)
    contract = ContractSummary(
        rows={"train": 54, "validation": 6}, overlong=0, tokens=5400, trained_tokens=2700,
        length_median=100, length_longest=200, languages={"en": 54}, duplicates=0,
    )  # fmt: skip
    manifest = TrainingManifest(
        name="demo", version=version, method="lora", student="base-model", student_path=str(base),
        student_sha256="0" * 64, dataset="demo/0001-x", dataset_content_hash="0" * 64,
        template="instruction",
        template_hash="t", recipe={}, contract=contract, memory=MemoryEstimate(
            process_mb=100, weights_mb=1, adapters_mb=0, gradients_mb=0, optimizer_mb=0,
            activations_mb=0, logits_mb=0,
        ), steps=1,
        loss_before=2.0, loss_after=1.0, peak_memory_mb=1.0, train_seconds=1.0,
        tokens_per_second=1.0, trainable_parameters=1, total_parameters=2, files=(), libraries={},
        code_version="v",
    )  # fmt: skip
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return folder


def crown(settings: Settings, folder: Path) -> None:
    registry = Registry(settings.outputs / "registry.sqlite")
    verdict = GateVerdict(verdict="promote", reasons=("r",), challenger="c", champion="b")
    registry.register("demo", folder.name, folder, "demo/0001-x", NOON, Judgement(verdict))
    registry.promote("demo", folder.name, NOON)


def test_first_student_is_held_against_its_base(settings: Settings) -> None:
    first = make_tuned(settings, "0001-aaaaaaaaaaaa")

    contest = find_contest(EvaluateParams(model=("demo",)), settings, PlainEngine())

    assert contest.baseline == "base-model"
    assert contest.models == {
        "base-model": settings.outputs / "base",
        "demo/0001-aaaaaaaaaaaa": first,
    }


def test_later_student_is_held_against_the_champion_with_the_base_beside(
    settings: Settings,
) -> None:
    crown(settings, make_tuned(settings, "0001-aaaaaaaaaaaa"))
    make_tuned(settings, "0002-bbbbbbbbbbbb")

    contest = find_contest(EvaluateParams(model=("demo",)), settings, PlainEngine())

    assert contest.baseline == "demo/0001-aaaaaaaaaaaa"
    assert list(contest.models) == [
        "base-model",
        "demo/0001-aaaaaaaaaaaa",
        "demo/0002-bbbbbbbbbbbb",
    ]


def test_champion_judged_again_is_held_against_its_base(settings: Settings) -> None:
    champion = make_tuned(settings, "0001-aaaaaaaaaaaa")
    crown(settings, champion)

    contest = find_contest(EvaluateParams(model=(str(champion),)), settings, PlainEngine())

    assert contest.baseline == "base-model"


def test_named_baseline_wins_and_a_base_model_needs_one(settings: Settings) -> None:
    make_tuned(settings, "0001-aaaaaaaaaaaa")
    base = str(settings.outputs / "base")

    contest = find_contest(EvaluateParams(model=("demo",), baseline=base), settings, PlainEngine())

    assert contest.baseline == base
    with pytest.raises(ContestError, match="--baseline"):
        find_contest(EvaluateParams(model=(base,)), settings, PlainEngine())
