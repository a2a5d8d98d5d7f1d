"""What people see of an evaluation at its end: Prefect's artifacts and the closing table."""

from pathlib import Path

import pytest

from cli.summary import print_summary
from flows.engine import Artifact, PlainEngine
from flows.evaluation_artifacts import show_evaluation
from flows.outcomes import EvaluateOutcome
from schemas.evaluation import EvaluationReport, GateCheck
from tests.evaluation.evaluated import MODELS, Asked, make_evaluation

HOSTILE = "\x1b[31m`|<img src=x>\n# heading"
FAMILIES = ("sentiment", "topic", "entailment", "extraction", "arithmetic", "instruction-following")
TWELVE = [
    Asked(f"{family}-{language}", family, language, ("a", "b"))
    for language in ("en", "ko") for family in FAMILIES
]  # fmt: skip


class _Watching(PlainEngine):
    def __init__(self) -> None:
        self.shown: list[Artifact] = []

    def show(self, artifact: Artifact) -> str:
        self.shown.append(artifact)
        return ""


def keep(folder: Path, report: EvaluationReport) -> EvaluateOutcome:
    (folder / "report.json").write_text(report.model_dump_json())
    verdict = report.verdict
    return EvaluateOutcome(
        evaluation=folder, matrix=report.matrix, verdict=verdict.verdict if verdict else None,
        reasons=verdict.reasons if verdict else (), challenger=report.challenger,
        baseline=report.baseline,
    )  # fmt: skip


def print_at(width: int, outcome: EvaluateOutcome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    print_summary(outcome)


def make_hostile() -> EvaluationReport:
    report = make_evaluation(
        (MODELS[0], HOSTILE), [Asked(HOSTILE, "other", "ko", ("a", "b"))]
    ).report
    verdict = report.verdict
    assert verdict
    checks = (GateCheck(name="gain", outcome="hold", reason=HOSTILE),)
    hostile = verdict.model_copy(update={"reasons": (HOSTILE, "other"), "checks": checks})
    return report.model_copy(update={"verdict": hostile})


def test_the_artifacts_hold_matrix_verdict_checks_and_the_way_to_the_page(tmp_path: Path) -> None:
    report = make_evaluation().report
    engine = _Watching()

    show_evaluation(engine, keep(tmp_path, report))

    matrix, verdict = engine.shown
    assert (matrix.key, verdict.key) == ("matrix-chat-lora", "verdict-chat-lora")
    row = next(r for r in report.matrix if (r.model, r.task) == (MODELS[2], "topic-ko"))
    cell = f"{100 * row.accuracy:.1f} ({100 * row.low:.0f}–{100 * row.high:.0f}) ▲"
    assert f"| `topic-ko` | `chat-lora/0004` | {cell} |" in matrix.markdown
    assert f"`{tmp_path / 'report.html'}`" in matrix.markdown
    assert verdict.title == "Verdict: hold"
    assert "With about 1,140 items" in verdict.markdown
    assert "| ✗ | slices | reject | topic-ko is 9 points worse. |" in verdict.markdown
    assert (
        "[training](../key/training-chat-lora), [dataset card](../key/card-chat)"
        in verdict.markdown
    )


def test_without_a_verdict_the_artifact_says_why(tmp_path: Path) -> None:
    report = make_evaluation().report.model_copy(
        update={"verdict": None, "no_verdict": "wanted zero-shot, found 4-shot alone."}
    )
    engine = _Watching()

    show_evaluation(engine, keep(tmp_path, report))

    assert engine.shown[1].title == "Verdict: no verdict"
    assert "wanted zero-shot, found 4-shot alone." in engine.shown[1].markdown


def test_names_and_reasons_are_no_markup(tmp_path: Path) -> None:
    engine = _Watching()

    show_evaluation(engine, keep(tmp_path, make_hostile()))

    for artifact in engine.shown:
        assert "\x1b" not in artifact.markdown
        assert "\n# heading" not in artifact.markdown
        assert set(artifact.key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        for line in artifact.markdown.splitlines():
            # Within a code span, or escaped.
            outside = "".join(line.split("``")[::2])
            assert "<img" not in outside.replace("\\<img", "")


@pytest.mark.parametrize("width", [80, 100, 200])
def test_twelve_tasks_fit_into_the_window_and_a_hundred_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    report = make_evaluation(tasks=TWELVE, items=4, shots=(0, 1, 4)).report

    print_at(width, keep(tmp_path, report), monkeypatch)

    lines = capsys.readouterr().err.splitlines()
    shown = [line for line in lines if not line.startswith(("evaluation:", "page:"))]
    assert max(map(len, shown)) <= min(width, 100)
    assert len(lines) < 120


def test_the_closing_table_tells_matrix_verdict_and_what_could_have_been_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_at(100, keep(tmp_path, make_evaluation(items=40).report), monkeypatch)

    said = " ".join(capsys.readouterr().err.split())
    for words in (
        "English: marks in %",
        "Korean: marks in %",
        "chat-lora/0004",
        "Verdict: hold chat-lora/0004 against smollm2-135m",
        "✗ slices topic-ko is 9 points worse.",
        "With about 1,140 items a difference of this size would be decided.",
        "points in a cell is found 4 times out of 5.",
    ):
        assert words in said
    assert said.endswith("report.html")


def test_the_terminal_is_not_spoken_to_by_names_and_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_at(100, keep(tmp_path, make_hostile()), monkeypatch)

    assert "\x1b" not in capsys.readouterr().err
