"""ROUGE-L against the library rouge_score, chrF against values of sacrebleu and of hand."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score import rouge_scorer  # pyright: ignore[reportMissingTypeStubs]

from training.evaluation.answers.chrf import chrf
from training.evaluation.answers.rouge_l import rouge_l

_TEXT = st.text("abc AB1-é. 가\n", max_size=60)


@given(_TEXT, _TEXT)
def test_english_rouge_l_is_that_of_the_library(answer: str, reference: str) -> None:
    library = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)  # pyright: ignore
    expected: float = library.score(reference, answer)["rougeL"].fmeasure  # pyright: ignore

    assert rouge_l(answer, [reference], "en") == pytest.approx(expected)  # pyright: ignore


def test_korean_rouge_l_counts_syllables() -> None:
    # 나 는 갔 다 within 나 는 학 교 에 갔 다: F1 = 2 * 4 / (4 + 7).
    assert rouge_l("나는 갔다.", ["나는 학교에 갔다."], "ko") == pytest.approx(8 / 11)


def test_korean_rouge_l_keeps_latin_words_and_numbers_whole() -> None:
    # "seoul" and "2026" are one token each, so 2 of 3 are shared with 2 of 2.
    assert rouge_l("Seoul 2026", ["seoul 2026 년"], "ko") == pytest.approx(4 / 5)
    assert rouge_l("202", ["2026"], "ko") == 0


def test_decomposed_hangul_is_the_same_text() -> None:
    text = "봄이 왔다"
    decomposed = unicodedata.normalize("NFD", text)

    assert rouge_l(decomposed, [text], "ko") == 1
    assert chrf(decomposed, [text]) == 1


def test_the_closest_reference_counts() -> None:
    assert rouge_l("red fox", ["blue", "red fox"], "en") == 1
    assert chrf("red fox", ["blue", "red fox"]) == 1
    assert rouge_l("red", [], "en") == chrf("red", []) == 0


def test_chrf_equals_the_value_worked_out_by_hand() -> None:
    # Orders 1 and 2: precision 1, recall (2/7 + 1/6) / 2 = 19/84; F2 = 5 PR / (4 P + R).
    recall = 19 / 84

    assert chrf("가나", ["가나다라마바사"]) == pytest.approx(5 * recall / (4 + recall))


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        ("The cat sat on the mat.", "The cat is on the mat.", 0.6717273492330232),
        ("cat", "The cat is on the mat.", 0.1488248583092228),
        ("나는 학교에 갔다.", "나는 어제 학교에 갔습니다.", 0.2573938191271709),
        ("the the the the", "the cat", 0.17868921870125237),
        ("xyz", "abc", 0.0),
        ("", "abc", 0.0),
    ],
)
def test_chrf_equals_that_of_sacrebleu(answer: str, reference: str, score: float) -> None:
    # sacrebleu 2.6.0, CHRF().sentence_score(answer, [reference]).score / 100
    assert chrf(answer, [reference]) == pytest.approx(score)


@given(st.text("ab 가나", min_size=1), st.text("ab 가나", min_size=1))
def test_chrf_lies_between_nothing_and_all(answer: str, reference: str) -> None:
    assert 0 <= chrf(answer, [reference]) <= 1
    assert chrf(answer, [answer]) == (1 if answer.strip() else 0)
