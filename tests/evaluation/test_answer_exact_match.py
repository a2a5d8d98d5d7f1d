"""What counts as the right answer, judged as a marker would."""

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Language
from training.evaluation.answers.exact_match import is_exact_match
from training.evaluation.answers.numbers import find_numbers

RIGHT: list[tuple[str, str, Language]] = [
    ("Paris", "Paris", "en"),
    (" paris.\n\nParis is in France.", "Paris", "en"),
    ('"The White House"', "white house", "en"),
    ("The answer is **Paris**.", "Paris", "en"),
    ("Answer: Paris", "Paris", "en"),
    ("Final answer:\nParis", "Paris", "en"),
    ("- Paris", "Paris", "en"),
    ("Answer the phone!", "Answer the phone", "en"),
    ("C#", "C#", "en"),
    ("$1,200", "1200 dollars", "en"),
    ("1,200 seats", "1200 seats", "en"),
    ("three people", "3 people", "en"),
    ("1,200 seats on May 3", "1200 seats on May 3", "en"),
    ("red\nblue\nmore", "red\nblue", "en"),
    ("12", "12", "en"),
    ("12 apples\n\nNext question: 7 + 1 = ?", "12", "en"),
    ("The answer is 12.", "12", "en"),
    ("He has 3 boxes of 4, so 3 * 4 = 12.0", "12", "en"),
    ("twenty-one", "21", "en"),
    ("It is -5.", "-5", "en"),
    ("서울입니다.", "서울", "ko"),
    ("정답은 서울이에요.", "서울", "ko"),
    ("답: 서울 시청", "서울시청", "ko"),
    ("「토지」", "토지", "ko"),
    ("5월 3일까지입니다", "5월 3일", "ko"),
    (unicodedata.normalize("NFD", "박경리가"), "박경리", "ko"),
    ("3 명", "3명", "ko"),
    ("세 명입니다.", "3명", "ko"),
    ("3", "3명", "ko"),
    ("3만 5천 원", "35,000원", "ko"),
    ("삼백오십 원", "350원", "ko"),
    ("10㎏", "10kg", "ko"),
    ("35000원", "35000", "ko"),
    ("3만5천원이에요.", "35000", "ko"),
    ("세 명", "3", "ko"),
    ("답은 17입니다.\n\n다음 문제: 사과 3개", "17", "ko"),
    ("사과는 5개이고 배는 12개이므로 모두 17개입니다.", "17", "ko"),
]
WRONG: list[tuple[str, str, Language]] = [
    ("", "Paris", "en"),
    ("London or Paris", "Paris", "en"),
    ("We met in Paris.", "Paris", "en"),
    ("C", "C#", "en"),
    ("3 hours", "3 people", "en"),
    ("13", "12", "en"),
    ("We begin with 12.\nThen 2 go, so 10.", "12", "en"),
    ("1/2", "2", "en"),
    ("no number", "0", "en"),
    ("at 3:30", "30", "en"),
    ("고양이를 키운다", "고양이", "ko"),
    ("부산입니다", "서울", "ko"),
    ("3시간", "3시", "ko"),
    ("3시 30분", "30분", "ko"),
    ("네 명", "3명", "ko"),
    ("3만", "3", "ko"),
    ("이 사람", "2명", "ko"),
]


@pytest.mark.parametrize(("answer", "reference", "language"), RIGHT)
def test_answer_counts_as_right(answer: str, reference: str, language: Language) -> None:
    assert is_exact_match(answer, [reference], language)


@pytest.mark.parametrize(("answer", "reference", "language"), WRONG)
def test_answer_counts_as_wrong(answer: str, reference: str, language: Language) -> None:
    assert not is_exact_match(answer, [reference], language)


def test_any_reference_will_do() -> None:
    assert is_exact_match("USA", ["United States", "USA"], "en")
    assert not is_exact_match("UK", ["United States", "USA"], "en")
    assert not is_exact_match("USA", [], "en")


@pytest.mark.parametrize(
    ("task", "copied", "language"),
    [
        ("Ann has 7 pens and 4 pins. How many pins?", "Ann has 7 pens and 4 pins.", "en"),
        ("펜이 7개, 핀이 4개 있다. 핀은 몇 개인가?", "펜이 7개, 핀이 4개 있다.", "ko"),
    ],
)
def test_number_of_the_task_counts_only_by_itself(
    task: str, copied: str, language: Language
) -> None:
    assert not is_exact_match(copied, ["4"], language, task)
    assert is_exact_match("4", ["4"], language, task)
    assert is_exact_match(f"{copied} 7 + 4 = 11", ["11"], language, task)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5 + 7 = 12.", 12),
        ("1만2000", 12_000),
        ("2억 3천5백만 원", 235_000_000),
        ("3천5백만", 35_000_000),
        ("3만큼", 3),
        ("5-3", 3),
        ("v = -2.5", Decimal("-2.5")),
        ("12:30", None),
        ("없음", None),
    ],
)
def test_last_number_is_read_as_written(text: str, number: int | Decimal | None) -> None:
    assert find_numbers(text)[-1:] == ([] if number is None else [number])


@given(st.integers(-(10**9), 10**9), st.sampled_from(["{}", "{:,}", "So it is {:,}.", "{}개예요"]))
def test_number_is_right_however_it_is_set(number: int, form: str) -> None:
    for language in ("en", "ko"):
        assert is_exact_match(form.format(number), [str(number)], language)
        assert not is_exact_match(form.format(number), [str(number + 1)], language)


@pytest.mark.parametrize("answer", ["A", "a.", "The answer is A.", "(A)"])
def test_letter_of_a_choice_that_is_an_article_too_is_matched(answer: str) -> None:
    assert is_exact_match(answer, ["A"], "en")
    assert not is_exact_match(answer, ["B"], "en")
    assert not is_exact_match("B", ["A"], "en")


@given(
    st.text(min_size=1).filter(lambda text: any(sign.isalnum() for sign in text.splitlines()[0]))
)
def test_reference_is_its_own_match(text: str) -> None:
    for language in ("en", "ko"):
        assert is_exact_match(text, [text], language)
