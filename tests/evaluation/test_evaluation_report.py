import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.evaluation import EvaluationReport
from training.base_model import ModelLoadError
from training.evaluation.report import (
    EvaluationError,
    EvaluationRequest,
    evaluate,
    read_report,
)
from training.evaluation.tasks.items import EvaluationTask, TaskError


class InterruptedByTestError(Exception):
    pass


@pytest.fixture(scope="module")
def challenger(make_llama: Callable[[int], Path]) -> Path:
    return make_llama(1)


@pytest.fixture
def task_files(
    tmp_path: Path, english_task: EvaluationTask, korean_task: EvaluationTask
) -> tuple[str, str]:
    def write(task: EvaluationTask) -> str:
        path = tmp_path / f"{task.name}.jsonl"
        path.write_text("\n".join(i.model_dump_json() for i in (*task.items, *task.shots)))
        return str(path)

    return write(english_task), write(korean_task)


@pytest.fixture
def request_of_both(
    llama: Path, challenger: Path, task_files: tuple[str, str]
) -> EvaluationRequest:
    return EvaluationRequest(
        models={"base": llama, "tuned/0001-a": challenger},
        baseline="base",
        tasks=task_files,
        shots=(0, 2),
        limit=9,
    )


def test_evaluation_holds_every_model_item_and_shot_count(
    request_of_both: EvaluationRequest, tmp_path: Path
) -> None:
    folder = evaluate(request_of_both, tmp_path / "evaluations")

    report = read_report(folder)
    rows = pq.read_table(folder / "items.parquet").to_pylist()
    assert folder == tmp_path / "evaluations" / "tuned-0001-a" / report.id
    assert [(r.model, r.task, r.language, r.shots) for r in report.matrix] == [
        (model, task, language, shots)
        for model in ("base", "tuned/0001-a")
        for task, language in (("reviews-en", "en"), ("reviews-ko", "ko"))
        for shots in (0, 2)
    ]
    assert len(rows) == 8 * 9
    for row in report.matrix:
        cell = [
            r
            for r in rows
            if (r["model"], r["task"], r["shots"]) == (row.model, row.task, row.shots)
        ]
        assert row.accuracy == pytest.approx(sum(r["correct"] for r in cell) / 9)
        assert row.low <= row.accuracy <= row.high
    for row in rows:
        best = max(row["log_probs"], key=lambda score: score["log_prob"])
        assert row["prediction"] == best["label"]
        assert row["correct"] == (row["prediction"] == row["label"])
        assert len(row["log_probs"]) == 3


def test_comparisons_pair_the_same_items_and_zero_shot_with_few_shot(
    request_of_both: EvaluationRequest, tmp_path: Path
) -> None:
    folder = evaluate(request_of_both, tmp_path)

    rows = pq.read_table(folder / "items.parquet").to_pylist()
    right = {(r["model"], r["task"], r["shots"], r["item"]): r["correct"] for r in rows}
    comparisons = read_report(folder).comparisons
    assert [(c.task, c.shots, c.baseline_shots) for c in comparisons] == [
        ("reviews-en", 0, 0),
        ("reviews-en", 2, 2),
        ("reviews-ko", 0, 0),
        ("reviews-ko", 2, 2),
        ("reviews-en", 0, 2),
        ("reviews-ko", 0, 2),
    ]
    for c in comparisons:
        items = [
            r["item"] for r in rows if (r["model"], r["task"], r["shots"]) == ("base", c.task, 0)
        ]
        mine = [right["tuned/0001-a", c.task, c.shots, item] for item in items]
        theirs = [right["base", c.task, c.baseline_shots, item] for item in items]
        assert c.wins == sum(m and not t for m, t in zip(mine, theirs, strict=True))
        assert c.difference == pytest.approx((sum(mine) - sum(theirs)) / 9)


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
        if done >= 50:
            raise InterruptedByTestError

    with pytest.raises(InterruptedByTestError):
        evaluate(request_of_both, tmp_path / "a", interrupt)
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a/.cells").iterdir()}
    resumed = evaluate(request_of_both, tmp_path / "a")
    undisturbed = evaluate(request_of_both, tmp_path / "b")

    assert len(kept) >= 4, "the first model's cells were finished"
    assert (
        kept.items()
        <= {p.name: p.stat().st_mtime_ns for p in (tmp_path / "a/.cells").iterdir()}.items()
    )
    assert _without_time(resumed) == _without_time(undisturbed)
    assert (resumed / "items.parquet").read_bytes() == (undisturbed / "items.parquet").read_bytes()


def test_base_is_scored_once_for_all_its_challengers(
    request_of_both: EvaluationRequest, make_llama: Callable[[int], Path], tmp_path: Path
) -> None:
    evaluate(request_of_both, tmp_path)
    models = {"base": request_of_both.models["base"], "other": make_llama(2)}
    cells = len(list((tmp_path / ".cells").iterdir()))

    evaluate(request_of_both.model_copy(update={"models": models}), tmp_path)

    assert len(list((tmp_path / ".cells").iterdir())) == cells + 4


@pytest.mark.parametrize("change", [{"seed": 1}, {"limit": 6}, {"precision": "bf16"}])
def test_other_settings_are_another_evaluation(
    request_of_both: EvaluationRequest, tmp_path: Path, change: dict[str, object]
) -> None:
    first = evaluate(request_of_both, tmp_path)

    assert evaluate(request_of_both.model_copy(update=change), tmp_path) != first


def test_moved_model_is_the_same_model(request_of_both: EvaluationRequest, tmp_path: Path) -> None:
    first = evaluate(request_of_both, tmp_path / "e")
    moved = tmp_path / "moved"
    moved.symlink_to(request_of_both.models["tuned/0001-a"])
    models = {**request_of_both.models, "tuned/0001-a": moved}

    assert evaluate(request_of_both.model_copy(update={"models": models}), tmp_path / "e") == first


def test_unusable_requests_are_refused_before_anything_is_written(
    request_of_both: EvaluationRequest, tmp_path: Path
) -> None:
    root = tmp_path / "evaluations"
    models = request_of_both.models
    with pytest.raises(EvaluationError, match="Baseline 'gone' is none of the models base, tuned"):
        EvaluationRequest(models=models, baseline="gone")
    with pytest.raises(TaskError, match="at least one number of shots"):
        evaluate(request_of_both.model_copy(update={"shots": ()}), root)
    task = Path(request_of_both.tasks[0])
    namesake = tmp_path / "elsewhere" / task.name
    with pytest.raises(TaskError, match="at least one task, each once"):
        evaluate(request_of_both.model_copy(update={"tasks": (str(task),) * 2}), root)
    namesake.parent.mkdir()
    namesake.symlink_to(task)
    with pytest.raises(TaskError, match="Two tasks have the same name"):
        evaluate(request_of_both.model_copy(update={"tasks": (str(task), str(namesake))}), root)
    with pytest.raises(TaskError, match="Unknown task"):
        evaluate(request_of_both.model_copy(update={"tasks": ("nsmc",)}), root)
    gone = {"base": tmp_path / "gone"}
    with pytest.raises(ModelLoadError, match="found no folder there"):
        evaluate(request_of_both.model_copy(update={"models": gone}), root)
    assert not root.exists()


def test_folder_that_is_no_evaluation_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"wanted a folder with report\.json"):
        read_report(tmp_path)
    (tmp_path / "report.json").write_text(json.dumps({"id": "x"}))
    with pytest.raises(EvaluationError, match="no evaluation report"):
        read_report(tmp_path)


def _without_time(folder: Path) -> EvaluationReport:
    return read_report(folder).model_copy(update={"seconds": 0.0})
