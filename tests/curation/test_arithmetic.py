import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curation.rules.arithmetic import ARITHMETIC_RULES
from pipeline.curation.rules.spelled import read_korean_number
from pipeline.curation.rules.view import RecordView
from schemas.records import Language
from tests.curation.making import make_record

(RULE,) = ARITHMETIC_RULES


def evidence(
    output: str, instruction: str = "Solve this problem.", language: Language = "en"
) -> str | None:
    return RULE.find(RecordView(make_record(instruction, language, output=output)))


@pytest.mark.parametrize(
    "output",
    [
        "12 * 12 = 154",
        "12 times 12 equals 154.",
        "So 3 plus 4 equals 8.",
        "The sum is 1,250 + 750 = 2,100.",
        "(2 + 3) * 4 = 24",
        "2^10 = 1000",
        "-3 + 5 = -2",
        "First 2 + 2 = 4, then 4 * 3 = 13.",
        "Total = 5 * 3 = 16",
        "100 / 4 = 26",
        "1/2 + 1/3 = 2/5",
        "$5 * 3 = $18",
        "3 apples + 4 apples = 8 apples",
        "20% of it: 50 * 20% = 12",
        "2.5 million + 1 million = 4 million",
        "x = 3 + 4 = 8",
        "20% of 250 is 45.",
        "The discount is 25% of $40, which is $8.",
        "240 km / 4 h = 80 km/h",
        ".25 * 100 = 30",
    ],
)
def test_wrong_sum_is_found_in_english(output: str) -> None:
    assert evidence(output)


@pytest.mark.parametrize(
    "output",
    [
        "12 × 12 = 154입니다.",
        "12 곱하기 12는 154입니다.",
        "3 더하기 4는 8입니다.",
        "3만 + 2만 = 6만 원입니다.",
        "3,000원 × 4개 = 15,000원",
        "사과 3개 + 배 4개 = 8개",
        "따라서 15 - 7 = 9이다.",
        "20 ÷ 5 = 5",
        "250의 20%는 45입니다.",
        "열둘 곱하기 셋은 서른다섯이다.",
        "백이십 더하기 삼십은 백육십입니다.",
        "3만 5천 + 5천 = 5만",
        "365 × 24 = 8,670이니까 8,670시간이다.",
    ],
)
def test_wrong_sum_is_found_in_korean(output: str) -> None:
    assert evidence(output, "다음 문제를 푸세요.", "ko")


@pytest.mark.parametrize(
    "output",
    [
        "12 * 12 = 144",
        "10 / 3 = 3.33",
        "10 / 3 = 3.34 or so, 2 / 3 = 0.67",
        "10 / 3 = 3 remainder 1",
        "2x + 3 + 4 = 9",
        "x + 3 + 4 = 10, so x = 3",
        "1 hour 30 minutes + 20 minutes = 110 minutes",
        "45 / 60 * 100 = 75%",
        "20% + 30% = 50%",
        "1,250 + 750 = 2,000",
        "5 * 2 cm = 100 mm",
        "`2 + 2 = 5` is in code",
        "if 2 + 2 == 5: pass",
        "2 + 2 != 5 and 2 + 2 >= 3",
        "It is wrong that 2 + 2 = 5.",
        "Ratio 3:4 = 6:8",
        "10 - 5 - 2 = 3",
        "2 * 3^2 = 18",
        "-2^2 = -4",
        "5 / 0 = 7",
        "3 + 4 = 7x",
        "Call 555-0143 = home",
        "3 + 4 = y",
        "sin 30 + 1 = 1.5",
        "9.99 ≈ 10",
        "(1 + 2 = 3",
        "2024-01-05",
        "9" * 40 + " + 1 = 3",
        "2^99999 = 1",
        "20% of 250 is 50.",
        ".25 * 100 = 25",
        "2 miles / 1/6 hour = 12 miles/hour",
        "80 = 4 W^2",
        "1" + ",000" * 3000 + " + 1 = 2",
    ],
)
def test_right_or_open_sum_passes_in_english(output: str) -> None:
    assert evidence(output) is None


@pytest.mark.parametrize(
    "output",
    [
        "12 × 12 = 144입니다.",
        "12 곱하기 12는 144입니다.",
        "3만 5천 + 5천 = 4만",
        "3만 + 2만 = 5만 원",
        "1 + 2는 4보다 작다.",
        "7 ÷ 2 = 3 나머지 1",
        "2 + 2 = 5는 틀린 식입니다.",
        "3,000원 × 4개 = 12,000원",
        "1시간 30분 + 20분 = 110분",
        "250의 20%는 50입니다.",
        "열둘 곱하기 셋은 서른여섯이다.",
        "백이십 더하기 삼십은 백오십입니다.",
        "365 × 24 = 8,760이니까 8,760시간이다.",
    ],
)
def test_right_or_open_sum_passes_in_korean(output: str) -> None:
    assert evidence(output, "다음 문제를 푸세요.", "ko") is None


def test_sum_of_the_task_may_be_repeated() -> None:
    instruction = "Is 12 * 12 = 154 right?"

    assert evidence("The claim 12*12 = 154 is to be checked.", instruction) is None


def test_other_number_systems_are_left_alone() -> None:
    assert evidence("10 + 10 = 100", "Add these binary numbers.") is None


def test_evidence_shows_claim_and_sum() -> None:
    assert evidence("So 12 * 12 = 154.") == "“12 * 12 = 154”, but the sum is 144"


whole = st.integers(-999, 999)


@given(whole, whole, st.sampled_from("+-*"), st.integers(-50, 50))
def test_whole_sums_are_judged_as_by_python(a: int, b: int, operator: str, error: int) -> None:
    right = {"+": a + b, "-": a - b, "*": a * b}[operator]

    found = evidence(f"{a} {operator} ({b}) = {right + error}")

    assert (found is None) == (error == 0)


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("서른여섯", 36),
        ("백오십사", 154),
        ("이천이십육", 2026),
        ("삼만오천", 35_000),
        ("일억이천만", 120_000_000),
    ],
)
def test_korean_number_words_are_read(word: str, number: int) -> None:
    assert read_korean_number(word) == number


@pytest.mark.parametrize("piece", ["1+", "1 = ", "= ", "(", "1,", "3만 ", "1", "5% of 5 "])
def test_long_texts_of_one_piece_are_read_in_linear_time(piece: str) -> None:
    evidence(f"= 곱하기 1 of 의 {piece * (100_000 // len(piece))}")
