"""An evaluation: every model, item, wording and draw; kept, continued, and judged."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.evaluation import EvaluationReport
from schemas.records import InstructionRecord, Provenance
from training.evaluation.answerers import LocalModel
from training.evaluation.config import EvaluationConfig
from training.evaluation.reading import EvaluationError, read_report
from training.evaluation.report import Contestant, EvaluationRequest, evaluate
from training.evaluation.tasks.items import EvaluationTask, TaskError

MATRIX = [
    (model, task, language, shots)
    for model in ("base", "tuned/0001-a")
    for task, language in (("reviews-en", "en"), ("reviews-ko", "ko"))
    for shots in (0, 2)
]


class InterruptedByTestError(Exception):
    pass


@pytest.fixture(scope="module")
def challenger(make_llama: Callable[[int], Path]) -> Path:
    return make_llama(1)


@pytest.fixture
def request_of_both(
    llama: Path, challenger: Path, english_task: EvaluationTask, korean_task: EvaluationTask
) -> EvaluationRequest:
    return EvaluationRequest(
        contestants={
            "base": Contestant(LocalModel(llama), llama),
            "tuned/0001-a": Contestant(LocalModel(challenger), challenger),
        },
        baseline="base",
        tasks=[english_task, korean_task],
        config=EvaluationConfig(shots=(0, 2), limit=9, wordings=2, draws=2),
        records=[make_record(language, n) for language in ("en", "ko") for n in range(3)],
    )


def make_record(language: str, number: int) -> InstructionRecord:
    texts = {"en": ("Name a colour.", "Blue"), "ko": ("색 하나를 말하세요.", "파랑")}
    instruction, output = texts[language]
    return InstructionRecord.model_validate(
        {
            "instruction": f"{instruction} ({number})",
            "output": output * (number + 1),
            "language": language,
            "provenance": Provenance(strategy="import", teacher="t", completion_id="c"),
        }
    )


def test_evaluation_holds_every_model_item_wording_and_draw(
    request_of_both: EvaluationRequest, tmp_path: Path
) -> None:
    folder = evaluate(request_of_both, tmp_path / "evaluations")

    report = read_report(folder)
    rows = pq.read_table(folder / "items.parquet").to_pylist()
    assert folder == tmp_path / "evaluations" / "tuned-0001-a" / report.id
    assert [(r.model, r.task, r.language, r.shots) for r in report.matrix] == MATRIX
    # Two wordings, and with examples two draws of each: 2 + 4 cells of 9 items.
    assert len(rows) == 2 * 2 * (2 + 4) * 9
    for row in report.matrix:
        cell = [
            r
            for r in rows
            if (r["model"], r["task"], r["shots"]) == (row.model, row.task, row.shots)
        ]
        assert len(row.variants) == (2 if row.shots == 0 else 4)
        assert row.accuracy == pytest.approx(sum(r["marks"] for r in cell) / 100 / len(cell))
        assert row.low <= row.accuracy <= row.high
        assert row.chance == pytest.approx(1 / 3)
    for row in rows:
        best = max(row["log_probs"], key=lambda score: score["log_prob"])
        assert row["prediction"] == best["label"]
        assert row["marks"] == 100 * (row["prediction"] == row["label"])


def test_report_tells_loss_canaries_facts_and_a_verdict(
    request_of_both: EvaluationRequest, tmp_path: Path
) -> None:
    report = read_report(evaluate(request_of_both, tmp_path))

    assert [(loss.model, loss.language, loss.records) for loss in report.held_out] == [
        (model, language, 3) for model in ("base", "tuned/0001-a") for language in ("en", "ko")
    ]
    assert all(loss.bits_per_byte > 0 for loss in report.held_out)
    assert {answer.model for answer in report.canaries} == {"base", "tuned/0001-a"}
    facts = report.models["tuned/0001-a"]
    assert facts.damage == ""
    assert facts.size_mb == pytest.approx(
        sum(
            file.stat().st_size
            for file in Path(facts.path).glob("*.safetensors")
        ) / 10**6, abs=1e-3
    )  # fmt: skip
    assert facts.answers_per_second > 0
    assert report.verdict is not None
    assert {check.name for check in report.verdict.checks} >= {"integrity", "gain", "slices"}


def test_page_is_beside_the_report(request_of_both: EvaluationRequest, tmp_path: Path) -> None:
    folder = evaluate(request_of_both, tmp_path)

    page = (folder / "report.html").read_text()
    assert "tuned/0001-a" in page
    assert sorted(path.name for path in folder.iterdir()) == [
        "items.parquet",
        "report.html",
        "report.json",
    ]


def test_what_the_items_can_show_is_said_before_the_first_question(
    request_of_both: EvaluationRequest, tmp_path: Path
) -> None:
    said: list[str] = []

    def asked(done: int, total: int, note: str = "") -> None:
        assert said

    evaluate(request_of_both, tmp_path, asked, said.append)

    assert "9 items of reviews-en, reviews-ko" in said[0]


def test_same_request_finds_its_finished_folder_and_computes_nothing(
    request_of_both: EvaluationRequest, tmp_path: Path
) -> None:
    folder = evaluate(request_of_both, tmp_path)
    before = (folder / "report.json").read_bytes()

    calls: list[int] = []
    again = evaluate(request_of_both, tmp_path, lambda done, total, note="": calls.append(done))

    assert (again, calls) == (folder, [])
    assert (folder / "report.json").read_bytes() == before


def test_interrupted_evaluation_continues_with_the_cell_it_was_in(
    request_of_both: EvaluationRequest, tmp_path: Path
) -> None:
    def interrupt(done: int, total: int, note: str = "") -> None:
        if done >= 130:
            raise InterruptedByTestError

    with pytest.raises(InterruptedByTestError):
        evaluate(request_of_both, tmp_path / "a", interrupt)
    cells = tmp_path / "a/.cells"
    kept = {path.name: path.stat().st_mtime_ns for path in cells.rglob("*.parquet")}
    resumed = evaluate(request_of_both, tmp_path / "a")
    undisturbed = evaluate(request_of_both, tmp_path / "b")

    assert len(kept) >= 12, "the first model's cells were finished"
    left = {path.name: path.stat().st_mtime_ns for path in cells.rglob("*.parquet")}
    assert kept.items() <= left.items()
    assert _without_time(resumed) == _without_time(undisturbed)
    assert (resumed / "items.parquet").read_bytes() == (undisturbed / "items.parquet").read_bytes()


def test_base_is_scored_once_for_all_its_challengers(
    request_of_both: EvaluationRequest, make_llama: Callable[[int], Path], tmp_path: Path
) -> None:
    evaluate(request_of_both, tmp_path)
    third = make_llama(2)
    contestants = {
        "base": request_of_both.contestants["base"],
        "other": Contestant(LocalModel(third), third),
    }
    cells = len(list((tmp_path / ".cells").rglob("*.parquet")))

    evaluate(request_of_both._replace(contestants=contestants), tmp_path)

    assert len(list((tmp_path / ".cells").rglob("*.parquet"))) == cells + 12


@pytest.mark.parametrize("change", [{"limit": 6}, {"rule": "calibrated"}, {"wordings": 1}])
def test_other_settings_are_another_evaluation(
    request_of_both: EvaluationRequest, tmp_path: Path, change: dict[str, object]
) -> None:
    first = evaluate(request_of_both, tmp_path)
    config = request_of_both.config.model_copy(update=change)

    assert evaluate(request_of_both._replace(config=config), tmp_path) != first


def test_another_seed_is_another_evaluation(
    request_of_both: EvaluationRequest, tmp_path: Path
) -> None:
    first = evaluate(request_of_both, tmp_path)

    assert evaluate(request_of_both._replace(seed=1), tmp_path) != first


def test_moved_model_is_the_same_model(request_of_both: EvaluationRequest, tmp_path: Path) -> None:
    first = evaluate(request_of_both, tmp_path / "e")
    path = request_of_both.contestants["tuned/0001-a"].path
    assert path is not None
    moved = tmp_path / "moved"
    moved.symlink_to(path)
    contestants = {
        **request_of_both.contestants,
        "tuned/0001-a": Contestant(LocalModel(moved), moved),
    }

    again = evaluate(request_of_both._replace(contestants=contestants), tmp_path / "e")

    assert again == first


def test_unusable_requests_are_refused_before_anything_is_written(
    request_of_both: EvaluationRequest, tmp_path: Path
) -> None:
    root = tmp_path / "evaluations"
    with pytest.raises(EvaluationError, match="Baseline 'gone' is none of base, tuned"):
        evaluate(request_of_both._replace(baseline="gone"), root)
    none = request_of_both.config.model_copy(update={"shots": ()})
    with pytest.raises(TaskError, match="at least one number of shots"):
        evaluate(request_of_both._replace(config=none), root)
    twice = [request_of_both.tasks[0]] * 2
    with pytest.raises(TaskError, match="at least one task, each once"):
        evaluate(request_of_both._replace(tasks=twice), root)
    assert not root.exists()


def test_matrix_without_zero_shot_has_no_verdict_and_says_why(
    request_of_both: EvaluationRequest, tmp_path: Path
) -> None:
    config = request_of_both.config.model_copy(update={"shots": (2,)})

    report = read_report(evaluate(request_of_both._replace(config=config), tmp_path))

    assert report.verdict is None
    assert "--shots 0" in report.no_verdict


def test_folder_that_is_no_evaluation_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"wanted a folder with report\.json"):
        read_report(tmp_path)
    (tmp_path / "report.json").write_text(json.dumps({"id": "x"}))
    with pytest.raises(EvaluationError, match="no evaluation report"):
        read_report(tmp_path)


def _without_time(folder: Path) -> EvaluationReport:
    report = read_report(folder)
    models = {
        name: facts.model_copy(update={"answers_per_second": 0.0})
        for name, facts in report.models.items()
    }
    return report.model_copy(update={"seconds": 0.0, "models": models})
