"""A judge's answer is scores with reasons, or nothing; whatever it says, nothing is raised."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curation.judging.answers import parse_judgement
from schemas.judgements import CRITERIA, Grade, Judgement

KOREAN = Judgement(Grade(4, "할 일을 다 했다."), Grade(5, "사실이 맞다."), Grade(3, "끝이 없다."))
GOOD = json.dumps(
    {
        name: {"reason": grade.reason, "score": grade.score}
        for name, grade in zip(CRITERIA, KOREAN, strict=True)
    },
    ensure_ascii=False,
)


def answer(score: str, reason: str = '"fine"') -> str:
    grade = f'{{"reason": {reason}, "score": {score}}}'
    return "{" + ", ".join(f'"{name}": {grade}' for name in CRITERIA) + "}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(GOOD, id="alone"),
        pytest.param(f"```json\n{GOOD}\n```", id="fenced"),
        pytest.param(f"채점 결과입니다: {GOOD} 이상입니다.", id="in prose"),
        pytest.param(f"The set {{1, 2}} is fine. {GOOD} {{end}}", id="after other braces"),
        pytest.param(f"{answer('1')}\n{GOOD}", id="after the example"),
        pytest.param(GOOD.replace("}}", '}, "total": 12}'), id="with more than was asked"),
    ],
)
def test_scores_are_found_whatever_stands_around_them(text: str) -> None:
    assert parse_judgement(text) == KOREAN


@pytest.mark.parametrize("score", ['"4"', "4.0", '" 4 "'])
def test_number_in_another_spelling_is_read(score: str) -> None:
    judgement = parse_judgement(answer(score))

    assert judgement is not None
    assert [grade.score for grade in judgement] == [4, 4, 4]


@pytest.mark.parametrize(
    "score",
    ["0", "6", "-1", "3.5", "true", "null", '"4/5"', '"네 점"', "[4]", "NaN", "1e400", "9" * 5000],
)
def test_score_that_is_no_whole_number_from_1_to_5_spoils_the_answer(score: str) -> None:
    assert parse_judgement(answer(score)) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("I would give it a 4.", id="prose"),
        pytest.param("죄송하지만 채점할 수 없습니다.", id="refusal"),
        pytest.param(GOOD[:-20], id="cut off"),
        pytest.param('{"helpfulness": {"reason": "r", "score": 4}}', id="one criterion"),
        pytest.param("{" * 100_000, id="braces"),
        pytest.param('{"a":' * 100_000, id="deep"),
        pytest.param("[" * 100_000 + "{" + "[" * 100_000, id="deep lists"),
    ],
)
def test_answer_without_all_scores_is_none(text: str) -> None:
    assert parse_judgement(text) is None


def test_reason_is_one_line_of_valid_text_and_may_be_missing() -> None:
    folded = parse_judgement(answer("2", r'"one\n\ntwo \ud800 \u0000 \ud83d\ude00 \u1100\u1161"'))
    absent = parse_judgement(answer("2", "null"))
    long = parse_judgement(answer("2", json.dumps("긴 이유 " * 1000)))

    assert folded is not None
    assert folded.clarity.reason == "one two \ufffd 😀 가"
    assert absent is not None
    assert absent.clarity.reason == ""
    assert long is not None
    assert len(long.clarity.reason) == 300


@given(st.text() | st.text(alphabet='{}[]":,\\u0123456789 helpfulnesscorrectnessclarityscore'))
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse_judgement(text)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(CRITERIA), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["score", "reason"]), JSON), JSON)
def test_any_object_is_read_without_an_error_and_with_scores_in_range(
    grade: dict[str, object], other: object
) -> None:
    text = json.dumps({"helpfulness": grade, "correctness": grade, "clarity": grade, "x": other})

    judgement = parse_judgement(text)

    grades = judgement or ()
    assert all(1 <= one.score <= 5 for one in grades)
    assert all(one.reason.encode().decode() == one.reason for one in grades)
