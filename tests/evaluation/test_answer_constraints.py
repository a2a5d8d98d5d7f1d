"""Every kind of constraint, in English and Korean."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from training.evaluation.answers.constraints import is_met
from training.evaluation.tasks.constraints import Case, Characters, Constraint, Keyword, Words

_CONSTRAINT: TypeAdapter[Constraint] = TypeAdapter(Constraint)

MET = [
    ({"kind": "words", "at_least": 3, "at_most": 3}, "We don't know."),
    ({"kind": "words", "at_most": 2}, "well-known — fact"),
    ({"kind": "words", "at_least": 2, "at_most": 2}, "1. red\n2. blue"),
    ({"kind": "words", "at_least": 4, "at_most": 4}, "dawn - dusk - 5. dark"),
    ({"kind": "words", "at_least": 3, "at_most": 3}, "오늘은 날씨가 좋다."),
    ({"kind": "characters", "at_most": 6}, "a b c\nd e f"),
    ({"kind": "characters", "at_least": 6, "at_most": 6}, "봄이 왔어요."),
    ({"kind": "characters", "at_most": 2}, unicodedata.normalize("NFD", "한글")),
    ({"kind": "sentences", "at_least": 2, "at_most": 2}, "Dr. Kim paid $3.50, i.e. too much. Why?"),
    ({"kind": "sentences", "at_least": 1, "at_most": 1}, '"Stop!" he cried... and ran.'),
    ({"kind": "sentences", "at_least": 2, "at_most": 2}, "Ann B. Lee took vitamin C. It was 12."),
    ({"kind": "sentences", "at_least": 3, "at_most": 3}, "No. It is 7 p.m. now. Go, etc."),
    ({"kind": "sentences", "at_least": 2, "at_most": 2}, "물은 100°C. 얼음은 0이다."),
    ({"kind": "sentences", "at_least": 2, "at_most": 2}, "비가 왔다. 3.5mm쯤 왔다!"),
    ({"kind": "sentences", "at_least": 1, "at_most": 1}, "“가자!” 하고 그가 글쎄… 외쳤다."),
    ({"kind": "sentences", "at_least": 2, "at_most": 2}, "봄이 왔어요\n꽃이 폈어요"),
    ({"kind": "lines", "at_least": 2, "at_most": 2}, "one\n\n  \ntwo\n"),
    ({"kind": "lines", "at_most": 1}, "한 줄"),
    ({"kind": "paragraphs", "at_least": 2, "at_most": 2}, "one\ntwo\n \n\nthree"),
    ({"kind": "paragraphs", "at_least": 2, "at_most": 2}, "첫 문단.\n\n둘째 문단."),
    ({"kind": "list_items", "at_least": 3}, "- a\n* b\n• c"),
    ({"kind": "list_items", "at_least": 2, "at_most": 2}, "준비물:\n- 물\n  - 컵"),
    ({"kind": "list_items", "at_least": 2, "numbered": True}, "Here:\n1. a\n- x\n2. b"),
    ({"kind": "list_items", "at_least": 2, "numbered": True}, "① 사과\n② 배"),
    ({"kind": "keyword", "at_least": 2, "text": "sea"}, "The Sea, the sea"),
    ({"kind": "keyword", "at_most": 0, "text": "very"}, "every day"),
    ({"kind": "keyword", "at_least": 1, "text": "ice cream"}, "Ice\ncream!"),
    ({"kind": "keyword", "at_least": 2, "text": "바다"}, "바다가 바다를 부른다"),
    ({"kind": "keyword", "at_least": 1, "text": "AI"}, "AI가 답한다"),
    ({"kind": "keyword", "at_most": 0, "text": ","}, "쉼표 없이 쓴다."),
    ({"kind": "starts_with", "text": "In my view"}, '"**In my view**, yes."'),
    ({"kind": "starts_with", "text": "안녕하세요"}, "안녕하세요. 저는 준호입니다."),
    ({"kind": "starts_with", "text": "# "}, "# 제목"),
    ({"kind": "ends_with", "text": "Any questions?"}, 'It is so. "Any questions?"'),
    ({"kind": "ends_with", "text": "Thank you"}, "It is so. Thank you!"),
    ({"kind": "ends_with", "text": "고맙습니다"}, "읽어 주셔서 고맙습니다."),
    ({"kind": "sentence_endings", "texts": ["요"]}, "봄이에요. 꽃이 피었어요~ 좋지요? 네요 ㅎㅎ"),
    ({"kind": "sentence_endings", "texts": ["요"]}, "1. 물이 필요해요\n2. 컵도 챙겨요 😊"),
    ({"kind": "sentence_endings", "texts": ["다", "니까"]}, "합니다. 했습니까?"),
    ({"kind": "sentence_endings", "texts": ["right"]}, "It is late, right? All right!"),
    ({"kind": "language", "language": "en"}, "Seoul (서울) is a city."),
    ({"kind": "language", "language": "ko"}, "나는 NASA에서 일하는 사람이다."),
    ({"kind": "language", "language": "ko"}, "12"),
    ({"kind": "json"}, "[1, 2]"),
    ({"kind": "json", "keys": ["name"]}, '```json\n{"name": "Kim", "age": 3}\n```'),
    ({"kind": "json", "keys": ["이름", "나이"]}, '{"나이": 3, "이름": "준호"}'),
    ({"kind": "case", "case": "upper"}, "STOP 123!"),
    ({"kind": "case", "case": "lower"}, "나는 nasa에 간다"),
]
NOT_MET = [
    ({"kind": "words", "at_least": 3}, "only two"),
    ({"kind": "words", "at_most": 2}, "오늘은 날씨가 좋다."),
    ({"kind": "characters", "at_most": 4}, "hello"),
    ({"kind": "characters", "at_least": 4}, "가 나 다"),
    ({"kind": "sentences", "at_most": 1}, "One. Two."),
    ({"kind": "sentences", "at_most": 1}, "하나다. 둘이다."),
    ({"kind": "lines", "at_most": 1}, "one\ntwo"),
    ({"kind": "lines", "at_least": 3}, "하나\n둘"),
    ({"kind": "paragraphs", "at_least": 2}, "one\ntwo"),
    ({"kind": "paragraphs", "at_least": 2}, "한 문단.\n같은 문단."),
    ({"kind": "list_items", "at_least": 1}, "a - b\n-3\n**bold**"),
    ({"kind": "list_items", "at_least": 1}, "물, 컵"),
    ({"kind": "list_items", "at_least": 2, "numbered": True}, "1. a\n3. b"),
    ({"kind": "list_items", "at_least": 2, "numbered": True}, "- 사과\n- 배"),
    ({"kind": "keyword", "at_least": 1, "text": "cat"}, "cats concatenate"),
    ({"kind": "keyword", "at_most": 0, "text": "바다"}, "푸른바다를 본다"),
    ({"kind": "starts_with", "text": "In my view"}, "Well.\nIn my view, yes."),
    ({"kind": "starts_with", "text": "In"}, "Indeed."),
    ({"kind": "starts_with", "text": "안녕"}, "네, 안녕하세요."),
    ({"kind": "ends_with", "text": "the end"}, "the end of it"),
    ({"kind": "ends_with", "text": "끝?"}, "끝."),
    ({"kind": "sentence_endings", "texts": ["요"]}, "봄이에요. 꽃이 피었다."),
    ({"kind": "sentence_endings", "texts": ["요"]}, "!?"),
    ({"kind": "sentence_endings", "texts": ["right"]}, "All right. No."),
    ({"kind": "language", "language": "en"}, "서울은 큰 city다."),
    ({"kind": "language", "language": "ko"}, "This is 서울."),
    ({"kind": "language", "language": "ko"}, "東京は大きい。"),
    ({"kind": "json"}, 'Here: {"a": 1}'),
    ({"kind": "json"}, "3"),
    ({"kind": "json"}, "[NaN]"),
    ({"kind": "json"}, "[" * 100_000),
    ({"kind": "json", "keys": ["이름"]}, '{"나이": 3}'),
    ({"kind": "json", "keys": ["a"]}, '["a"]'),
    ({"kind": "case", "case": "upper"}, "Stop"),
    ({"kind": "case", "case": "upper"}, "서울 123"),
]


@pytest.mark.parametrize(("data", "answer"), MET)
def test_constraint_is_met(data: dict[str, object], answer: str) -> None:
    assert is_met(_CONSTRAINT.validate_python(data), answer)


@pytest.mark.parametrize(("data", "answer"), NOT_MET)
def test_constraint_is_not_met(data: dict[str, object], answer: str) -> None:
    assert not is_met(_CONSTRAINT.validate_python(data), answer)


@pytest.mark.parametrize("data", [data for data, _ in MET])
@pytest.mark.parametrize("blank", ["", " \n\t"])
def test_blank_answer_meets_nothing(data: dict[str, object], blank: str) -> None:
    assert not is_met(_CONSTRAINT.validate_python(data), blank)


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "keyword", "text": "sea"},
        {"kind": "words", "at_least": 5, "at_most": 4},
        {"kind": "keyword", "text": " ", "at_least": 1},
    ],
)
def test_constraint_that_nothing_or_everything_meets_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _CONSTRAINT.validate_python(data)


_WRITTEN = st.text("가나비bB sea. \n", min_size=1).filter(str.strip)


@given(_WRITTEN, st.sampled_from(["비", "sea", "B"]))
def test_forbidding_a_text_is_the_opposite_of_asking_for_it(answer: str, text: str) -> None:
    asked = is_met(Keyword(text=text, at_least=1), answer)
    forbidden = is_met(Keyword(text=text, at_most=0), answer)

    assert asked != forbidden


@given(_WRITTEN, st.integers(1, 12))
def test_a_count_is_either_below_a_bound_or_reaches_it(answer: str, bound: int) -> None:
    for kind in (Words, Characters):
        assert is_met(kind(at_least=bound), answer) != is_met(kind(at_most=bound - 1), answer)


@given(_WRITTEN)
def test_upper_case_of_what_has_a_case_is_upper_case(answer: str) -> None:
    has_case = any(letter.upper() != letter.lower() for letter in answer)

    assert is_met(Case(case="upper"), answer.upper()) == has_case


@given(st.dictionaries(st.text(min_size=1).filter(str.strip), st.integers(), min_size=1))
def test_what_json_writes_is_json(value: dict[str, int]) -> None:
    assert is_met(_CONSTRAINT.validate_python({"kind": "json"}), json.dumps(value))
