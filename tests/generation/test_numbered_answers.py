"""Numbered answers in every form that small teachers give them, and none guessed."""

import pytest

from pipeline.generation.strategies.reading.numbered_answers import find_long, find_numbered


def number(text: str, count: int = 2) -> dict[int, str]:
    return {each.number: each.text for each in find_numbered(text, count, is_cut=False)}


def number_long(text: str, count: int = 3, *, is_cut: bool = False) -> list[str]:
    found = find_long(text, count, is_cut=is_cut)
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    return [each.text for each in found]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("4. Write a limerick.\n5. 낱말을 늘어놓으세요.", id="plain"),
        pytest.param("- 4. Write a limerick.\n- 5. 낱말을 늘어놓으세요.", id="bullets"),
        pytest.param("Task 4: Write a limerick.\n과제 5: 낱말을 늘어놓으세요.", id="task named"),
        pytest.param("4번: Write a limerick.\n5번. 낱말을 늘어놓으세요.", id="ko counter"),
        pytest.param(
            '{"4": {"instruction": "Write a limerick.", "type": "x"},'
            ' "5": {"지시": "낱말을 늘어놓으세요."}}',
            id="objects under numbers",
        ),
        pytest.param(
            '[{"number": 4, "task": "Write a limerick."},'
            ' {"번호": "5.", "과제": "낱말을 늘어놓으세요."}]',
            id="objects with numbers",
        ),
        pytest.param(
            '{"4": "Write a limerick.", // verse\n"5": "낱말을 늘어놓으세요." /* 낱말 */ }',
            id="comments",
        ),
    ],
)
def test_number_names_its_answer_in_whatever_form_it_comes(text: str) -> None:
    assert number(text) == {4: "Write a limerick.", 5: "낱말을 늘어놓으세요."}


def test_array_without_numbers_is_read_when_it_has_as_many_as_were_asked_for() -> None:
    text = 'Here [both]:\n{"tasks": ["Write a limerick.", "낱말을 늘어놓으세요."]}'

    assert number(text, 2) == {1: "Write a limerick.", 2: "낱말을 늘어놓으세요."}
    assert number(text, 3) == {}


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        pytest.param(
            "1. First.\n\nAnd more.\n\n2. Steps:\n1. Boil.\n2. Add.\n3. Stop.\n\n3. positive",
            ["First.\n\nAnd more.", "Steps:\n1. Boil.\n2. Add.\n3. Stop.", "positive"],
            id="en",
        ),
        pytest.param(
            "**1.** 첫 문단입니다.\n\n둘째 문단입니다.\n\n**2.** 순서:\n\n1. 끓인다.\n2. 넣는다."
            "\n\n**3.** 긍정",
            ["첫 문단입니다.\n\n둘째 문단입니다.", "순서:\n\n1. 끓인다.\n2. 넣는다.", "긍정"],
            id="ko",
        ),
        pytest.param("1. a\n2. b\nc\n3. 라", ["a", "b\nc", "라"], id="no empty lines"),
    ],
)
def test_long_answers_keep_their_paragraphs_and_steps(text: str, answers: list[str]) -> None:
    assert number_long(text) == answers


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1. a\n\n2. Steps:\n\n1. b\n\n2. c\n\n3. d\n\n3. e", id="number twice"),
        pytest.param("1. 가\n2. 순서:\n1. 나\n2. 다\n3. 라\n3. 마", id="ko number twice"),
        pytest.param("1. a\n\n3. c", id="number left out"),
        pytest.param("1. 가\n2. 나", id="ko too few"),
    ],
)
def test_long_answers_whose_ends_nobody_knows_are_none(text: str) -> None:
    assert number_long(text) == []


@pytest.mark.parametrize("text", ["1. a\n2. b", "1. 가\n\n2. 나"])
def test_cut_list_keeps_what_is_whole(text: str) -> None:
    assert [each.is_cut for each in find_long(text, 3, is_cut=True)] == [False, True]
