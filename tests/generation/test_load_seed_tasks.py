"""Seed files: three forms, and each fault named by file, line and field."""

import json
from pathlib import Path

import pytest

from pipeline.generation.seeds import SeedFileError, load_seed_tasks
from schemas.records import Language

STANFORD = Path(__file__).parents[2] / "../shared/data/stanford_alpaca/seed_tasks.jsonl"

OWN_EN: dict[str, object] = {
    "id": "en-1",
    "language": "en",
    "instruction": "Add 2 and 3.",
    "output": "5",
}
OWN_KO: dict[str, object] = {
    "id": "ko-1",
    "language": "ko",
    "task_type": "classification",
    "instruction": "긍정인지 부정인지 고르세요.",
    "input": "재미있어요.",
    "output": "긍정",
    "labels": ["긍정", "부정"],
}
SELF_INSTRUCT: dict[str, object] = {
    "id": "seed_task_3",
    "name": "antonym",
    "instruction": "Is it a fruit?",
    "instances": [{"input": "apple", "output": "yes"}, {"input": "stone", "output": "no"}],
    "is_classification": True,
}
KOALPACA: dict[str, object] = {
    "instruction": "양파는 뿌리인가요?",
    "output": "아니요, 줄기입니다.",
    "url": "https://example.org/1",
}


def write(path: Path, *rows: dict[str, object] | str) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_own_form_keeps_every_field(tmp_path: Path) -> None:
    english, korean = load_seed_tasks(write(tmp_path / "s.jsonl", OWN_EN, OWN_KO))

    assert (english.id, english.language, english.task_type) == ("en-1", "en", "unspecified")
    assert (korean.input, korean.output, korean.labels) == ("재미있어요.", "긍정", ("긍정", "부정"))


def test_self_instruct_form_takes_the_first_instance_only(tmp_path: Path) -> None:
    (task,) = load_seed_tasks(write(tmp_path / "s.jsonl", SELF_INSTRUCT))

    assert (task.instruction, task.input, task.output) == ("Is it a fruit?", "apple", "yes")
    assert (task.language, task.task_type, task.source) == ("en", "classification", "self-instruct")


def test_koalpaca_form_is_korean_without_input(tmp_path: Path) -> None:
    (task,) = load_seed_tasks(write(tmp_path / "s.jsonl", KOALPACA))

    assert (task.instruction, task.input) == ("양파는 뿌리인가요?", "")
    assert (task.language, task.task_type, task.source) == ("ko", "unspecified", "koalpaca-v1.1")


def test_language_of_a_foreign_file_can_be_named(tmp_path: Path) -> None:
    (task,) = load_seed_tasks(write(tmp_path / "s.jsonl", SELF_INSTRUCT), language="ko")

    assert task.language == "ko"


def test_byte_order_mark_blank_lines_and_line_separators_are_harmless(tmp_path: Path) -> None:
    row = OWN_EN | {"output": "a\u2028b\u0085c"}
    path = write(tmp_path / "s.jsonl", "\ufeff", "", row, "")

    (task,) = load_seed_tasks(path)

    assert task.output == "a\u2028b\u0085c"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        pytest.param([], "s.jsonl: .*empty", id="empty"),
        pytest.param([OWN_EN, "{broken"], "s.jsonl:2: line: ", id="no JSON"),
        pytest.param(["[1]"], "s.jsonl:1: line: wanted a JSON object", id="no object"),
        pytest.param(["[" * 100_000], "s.jsonl:1: line: not JSON", id="deep"),
        pytest.param(
            [{"question": "?", "answer": "!"}],
            "s.jsonl:1: no known form.*answer, question",
            id="unknown form",
        ),
        pytest.param([OWN_EN, OWN_KO | {"output": " "}], "s.jsonl:2: output: ", id="blank output"),
        pytest.param([OWN_EN, OWN_KO | {"language": "fr"}], "s.jsonl:2: language: ", id="language"),
        pytest.param(
            [OWN_EN, OWN_KO | {"tasktype": "code"}], "s.jsonl:2: tasktype: ", id="extra field"
        ),
        pytest.param(
            [OWN_EN, "", OWN_EN], "s.jsonl:3: id: 'en-1' stands on line 1 already", id="repeated id"
        ),
        pytest.param(
            [SELF_INSTRUCT | {"instances": []}], "s.jsonl:1: instances: ", id="no instance"
        ),
        pytest.param(
            [SELF_INSTRUCT | {"instances": [{"input": "x"}]}],
            "s.jsonl:1: instances.0.output: ",
            id="instance without output",
        ),
        pytest.param(
            [KOALPACA, {"instruction": "물은?", "url": ""}], "s.jsonl:2: output: ", id="koalpaca"
        ),
    ],
)
def test_fault_is_named_by_file_line_and_field(
    rows: list[dict[str, object] | str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(SeedFileError, match=words) as caught:
        load_seed_tasks(write(tmp_path / "s.jsonl", *rows))

    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


def test_missing_file_and_binary_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(SeedFileError, match="no such seed file"):
        load_seed_tasks(tmp_path / "absent.jsonl")
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SeedFileError, match="cannot be read as UTF-8"):
        load_seed_tasks(tmp_path / "b.jsonl")


def test_line_in_another_language_than_the_wanted_one_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", OWN_EN, OWN_KO)

    with pytest.raises(SeedFileError, match=r"s.jsonl:2: language: wanted 'en', found 'ko'"):
        load_seed_tasks(path, language="en")


@pytest.mark.skipif(not STANFORD.exists(), reason="needs ../shared/data/stanford_alpaca")
def test_seed_tasks_of_stanford_alpaca_are_read_whole() -> None:
    tasks = load_seed_tasks(STANFORD)

    # 175 tasks as the Self-Instruct paper says; the file marks 26 as classification.
    assert len(tasks) == 175
    assert sum(task.task_type == "classification" for task in tasks) == 26
    languages: set[Language] = {task.language for task in tasks}
    assert languages == {"en"}
