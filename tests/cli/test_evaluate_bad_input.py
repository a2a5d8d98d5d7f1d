"""What a user of `evaluate`, `prompts` and `models` did wrong is one line before any model runs."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.command import Finished, run_pacaloom, run_warm

LINES = [
    {"id": f"{split}-{number}-{label}", "split": split, "text": f"{text} {number}", "label": label}
    for split, count in (("test", 3), ("shots", 2))
    for number in range(count)
    for label, text in (("praise", "It came within a day."), ("complaint", "The box was torn."))
]


@pytest.fixture
def task(tmp_path: Path) -> str:
    return write_task(tmp_path / "mine.jsonl", LINES)


def write_task(path: Path, lines: list[dict[str, str]]) -> str:
    path.write_text("\n".join(map(json.dumps, lines)))
    return str(path)


def make_folder_like_a_model(folder: Path) -> str:
    """Make what passes for a checkpoint until it is loaded."""
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_text("{}")
    (folder / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    return str(folder)


def expect_one_line(done: Finished, status: int, *parts: str) -> None:
    assert done.status == status, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("pacaloom: error: ")
    for part in parts:
        assert part in done.stderr
    assert done.stdout == ""


def test_line_without_a_label_is_named(tmp_path: Path) -> None:
    lines = [dict(line) for line in LINES]
    lines[2]["label"] = ""
    path = write_task(tmp_path / "mine.jsonl", lines)

    done = run_warm("prompts", "tasks", path, outputs=tmp_path)

    expect_one_line(done, 2, "item 'test-1-praise' has no label", "complaint, praise")


def test_label_that_begins_another_is_named(tmp_path: Path) -> None:
    lines = [line | {"label": line["label"].replace("complaint", "praise, no")} for line in LINES]
    path = write_task(tmp_path / "mine.jsonl", lines)

    done = run_warm("prompts", "tasks", path, outputs=tmp_path)

    expect_one_line(done, 2, "'praise' is a prefix of label 'praise, no'", "rename one")


def test_card_that_is_none_is_named_by_its_file(tmp_path: Path, task: str) -> None:
    (tmp_path / "mine.card.json").write_text('{"language": "en"')

    done = run_warm("prompts", "tasks", task, outputs=tmp_path)

    expect_one_line(done, 2, "mine.card.json is no task card")


@pytest.mark.parametrize(
    ("shots", "parts"),
    [
        ("8", ("8 balanced worked examples need 4 lines", "found 2", "lower --shots")),
        ("-1", ("Wanted --shots of 0 or more, found -1",)),
    ],
)
def test_shots_that_cannot_be_drawn_are_refused(
    tmp_path: Path, task: str, shots: str, parts: tuple[str, ...]
) -> None:
    done = run_warm("prompts", "show", task, "--shots", shots, outputs=tmp_path)

    expect_one_line(done, 2, *parts)


def test_registry_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    done = run_warm("models", "list", outputs=tmp_path)

    expect_one_line(done, 2, str(path), "format 99", "up to 3", "update pacaloom")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (("--rule", "fairest"), ("rule", "'raw', 'per_byte' or 'calibrated'", "'fairest'")),
        (("--judge-model", "demo"), ("--judge-model demo", "mine are given", "leave out")),
    ],
)
def test_evaluation_that_cannot_end_well_is_not_begun(
    tmp_path: Path, task: str, flags: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    models = [make_folder_like_a_model(tmp_path / name) for name in ("one", "other")]

    done = run_warm(
        "evaluate", "--model", models[0], "--baseline", models[1], "--task", task, *flags,
        outputs=tmp_path,
    )  # fmt: skip

    expect_one_line(done, 2, *parts)


def test_folder_without_a_model_is_refused_before_the_others_are_asked(
    tmp_path: Path, task: str
) -> None:
    baseline = make_folder_like_a_model(tmp_path / "one")
    folder = tmp_path / "empty"
    folder.mkdir()

    done = run_warm(
        "evaluate", "--model", str(folder), "--baseline", baseline, "--task", task,
        outputs=tmp_path,
    )  # fmt: skip

    expect_one_line(done, 2, f"{folder}: wanted a checkpoint folder", "no config.json")


def test_model_is_not_compared_with_itself(tmp_path: Path, task: str) -> None:
    model = make_folder_like_a_model(tmp_path / "one")

    done = run_pacaloom(
        "evaluate", "--model", model, "--baseline", model, "--task", task, outputs=tmp_path
    )

    expect_one_line(done, 2, f"found {model} twice", "--baseline")
