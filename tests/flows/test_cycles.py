"""Versions of one name over time: what they scored, and where each generation was steered."""

from datetime import UTC, datetime
from pathlib import Path

from flows.cycles import read_cycles
from flows.settings import Settings
from schemas.evaluation import EvaluationReport, GateVerdict, MatrixRow, VariantScore
from schemas.manifest import DatasetManifest, GenerationRun
from training.evaluation.registered import Judgement
from training.evaluation.registry import Registry

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
VERDICT = GateVerdict(verdict="hold", reasons=("r",), challenger="c", champion="b")


def write_dataset(outputs: Path, version: str, emphasis: dict[str, float]) -> None:
    run = GenerationRun(
        teacher="t", config={"emphasis": dict(emphasis)}, admission={}, seeds=(), documents=(),
        generated=1, admitted={}, unanswered=(), prompt_tokens=0, completion_tokens=0,
        stopped_because="quotas-filled", forecast=None,
    )  # fmt: skip
    manifest = DatasetManifest(
        name="demo", version=version, content_hash="0" * 64, generated=1, kept=1, rejected={},
        kept_by_language={}, rejected_by_language={}, splits={"train": 1}, teachers={},
        strategies={}, licence="apache-2.0", runs=(run,), curation={}, seeds=(), files=(),
        code_version="v",
    )  # fmt: skip
    folder = outputs / "datasets" / "demo" / version
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(manifest.model_dump_json())


def register(settings: Settings, version: str, accuracy: float, emphasis: dict[str, float]) -> None:
    write_dataset(settings.outputs, version, emphasis)
    rows = tuple(
        MatrixRow(
            model=model, task="topic-ko", family="topic", language="ko", metric="accuracy",
            shots=shots, item_count=10, cluster_count=10, accuracy=accuracy, low=accuracy - 0.1,
            high=accuracy + 0.1, variants=(VariantScore(wording="w", draw=0, score=accuracy),),
        )
        for model in ("base", f"demo/{version}")
        for shots in (0, 4)
    )  # fmt: skip
    report = EvaluationReport(
        id=version, items_hash="i", template_hash="t", seed=0, baseline="base",
        challenger=f"demo/{version}", models={}, matrix=rows, comparisons=(),
        seconds=1.0, verdict=VERDICT,
    )  # fmt: skip
    folder = settings.outputs / "evaluations" / version
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(report.model_dump_json())
    Registry(settings.outputs / "registry.sqlite").register(
        "demo", version, settings.outputs / "models" / version, f"demo/{version}", NOON,
        Judgement(
            GateVerdict(verdict="hold", reasons=("r",), challenger="c", champion="b"), folder),
    )  # fmt: skip


def test_cycles_tell_scores_verdicts_and_the_share_of_what_was_asked_for_more(
    tmp_path: Path,
) -> None:
    settings = Settings(outputs=tmp_path)
    register(settings, "0001-a", 0.4, {})
    # One unit extra for what topics and sentiment practise, half a one for arithmetic.
    register(settings, "0002-b", 0.5, {"ko/classification": 2.0, "ko/arithmetic": 1.5})

    first, second = read_cycles("demo", settings)

    assert (first.version, first.verdict, first.steered) == ("0001-a", "hold", {})
    assert first.scores == {("ko", "topic"): (0.4, 0.4 - 0.1, 0.4 + 0.1)}
    assert second.steered["ko", "topic"] == second.steered["ko", "sentiment"] == 2 / 3
    assert second.steered["ko", "arithmetic"] == 1 / 3


def test_evaluation_that_is_gone_is_left_out(tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path)
    register(settings, "0001-a", 0.4, {})
    (tmp_path / "evaluations" / "0001-a" / "report.json").unlink()

    assert read_cycles("demo", settings) == []


def test_other_names_are_other_stories(tmp_path: Path) -> None:
    register(Settings(outputs=tmp_path), "0001-a", 0.4, {})

    assert read_cycles("mine", Settings(outputs=tmp_path)) == []
