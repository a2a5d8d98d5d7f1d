import pytest

from training.finetuning.contract.protection import (
    Protected,
    find_evaluation_items,
    normalise,
    protect,
)
from training.finetuning.data import Row

EN = "Which of these animals cannot fly?"
KO = "다음 동물 가운데 날지 못하는 것은 무엇입니까?"
ITEMS = protect({"animals-en": [EN], "animals-ko": [KO]})


@pytest.mark.parametrize(
    ("row", "place", "task"),
    [
        pytest.param(Row("1", EN, "", "x", "en"), "instruction", "animals-en", id="en"),
        pytest.param(Row("1", KO, "", "x", "ko"), "instruction", "animals-ko", id="ko"),
        pytest.param(Row("1", "Answer.", EN, "x", "en"), "input", "animals-en", id="input"),
        pytest.param(Row("1", "답해 줘.", KO, "x", "ko"), "input", "animals-ko", id="input-ko"),
        pytest.param(Row("1", "Ask.", "", EN, "en"), "output", "animals-en", id="output"),
        pytest.param(Row("1", "물어봐.", "", KO, "ko"), "output", "animals-ko", id="output-ko"),
        pytest.param(
            Row("1", f"Answer this:\n{EN}\nBe brief.", "", "x", "en"),
            "instruction has a line that", "animals-en", id="line",
        ),
        pytest.param(
            Row("1", "답해 줘.", f"물음\n\n  {KO}\n가) 펭귄", "x", "ko"),
            "input has a line that", "animals-ko", id="line-ko",
        ),
        pytest.param(
            Row("1", "Which of these", "animals cannot fly?", "x", "en"),
            "instruction with its input", "animals-en", id="in-two-columns",
        ),
        pytest.param(
            Row("1", "WHICH of  these\nanimals cannot\tfly? ", "", "x", "en"),
            "instruction", "animals-en", id="case-and-space",
        ),
    ],
)  # fmt: skip
def test_an_evaluation_item_is_found_wherever_it_stands(row: Row, place: str, task: str) -> None:
    (fault,) = find_evaluation_items([row], ITEMS)

    assert fault.row_id == "1"
    assert fault.detail == f"its {place} is an item of the evaluation task '{task}'"


def test_decomposed_hangul_is_the_same_text() -> None:
    import unicodedata

    row = Row("1", unicodedata.normalize("NFD", KO), "", "x", "ko")

    assert len(find_evaluation_items([row], ITEMS)) == 1


@pytest.mark.parametrize(
    ("texts", "row"),
    [
        (["Yes."], Row("1", "Is it?", "", "Yes.", "en")),
        (["재밌어요"], Row("1", "어때?", "영화", "재밌어요", "ko")),
        (["재밌어요"], Row("1", "어때?", "별로예요\n재밌어요", "반반", "ko")),
        ([EN], Row("1", f"{EN} Or swim?", "", "x", "en")),
        (["", "  "], Row("1", "Is it?", "", "Yes.", "en")),
    ],
    ids=["short-output", "short-output-ko", "short-line-ko", "part-of-a-line", "empty"],
)
def test_what_is_anybodys_text_is_no_evaluation_item(texts: list[str], row: Row) -> None:
    assert find_evaluation_items([row], protect({"task": texts})) == []


def test_a_short_item_counts_where_it_is_the_whole_input() -> None:
    row = Row("1", "감정을 판별해 줘.", "재밌어요", "긍정", "ko")

    assert len(find_evaluation_items([row], protect({"reviews": ["재밌어요"]}))) == 1


def test_a_descendant_of_an_evaluation_item_is_found() -> None:
    row = Row("r", "Name a fruit.", "", "A pear.", "en", ("r", "seed-7"))

    (fault,) = find_evaluation_items([row], Protected({}, frozenset({"seed-7"})))

    assert "it descends from 'seed-7'" in fault.detail


def test_the_texts_themselves_are_not_kept() -> None:
    assert all(len(digest) == 16 for digest in ITEMS.digests)


@pytest.mark.parametrize(
    ("text", "normal"),
    [("  A\tB\n\nC ", "a b c"), ("Straße", "strasse"), ("가\u3000나", "가 나")],
)
def test_normal_form_by_hand(text: str, normal: str) -> None:
    assert normalise(text) == normal
