"""`prompts`: what models are asked, letter by letter, and which wording suits one."""

import json
from pathlib import Path

import pytest

from tests.cli.command import run_pacaloom, run_warm
from training.evaluation.tasks.loading import list_tasks


def test_tasks_lists_ours_with_their_counts(tmp_path: Path) -> None:
    done = run_warm("prompts", "tasks", outputs=tmp_path)

    listed = {task["name"]: task for task in json.loads(done.stdout.splitlines()[-1])["tasks"]}
    assert set(listed) == set(list_tasks())
    assert listed["movie-sentiment-ko"]["labels"] == ["긍정", "부정", "중립"]
    assert listed["movie-sentiment-ko"]["items"] >= 300
    assert "movie-sentiment-ko" in done.stderr


def test_show_prints_the_arrow_form_as_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    rows = [
        {"id": "1", "split": "test", "text": "너무 지루해", "label": "부정"},
        {"id": "2", "split": "shots", "text": "또 보고 싶다", "label": "긍정"},
        {"id": "3", "split": "shots", "text": "돈이 아깝다", "label": "부정"},
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))

    done = run_pacaloom(
        "prompts", "show", str(path), "--wording", "arrow", "--shots", "2", outputs=tmp_path
    )

    shown = json.loads(done.stdout.splitlines()[-1])
    first, second, asked = shown["prompt"].splitlines()
    assert {first, second} == {'"또 보고 싶다" -> 긍정', '"돈이 아깝다" -> 부정'}
    assert asked == '"너무 지루해" ->'
    assert shown["answer"] == " 부정"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--wording", "song"), "has no wording 'song', only plain"),
        (("--item", "999"), "items 1 to 3"),
        (("--shots", "60"), "worked examples need"),
    ],
)
def test_what_the_task_does_not_have_is_named(
    tmp_path: Path, arguments: tuple[str, str], message: str
) -> None:
    done = run_warm("prompts", "show", "movie-sentiment-ko", *arguments, outputs=tmp_path)

    assert done.status == 2
    assert message in done.stderr.splitlines()[-1]


def test_unknown_task_is_one_line_that_names_ours(tmp_path: Path) -> None:
    done = run_warm("prompts", "tasks", "poems", outputs=tmp_path)

    assert done.status == 2
    assert "Unknown task 'poems'" in done.stderr
