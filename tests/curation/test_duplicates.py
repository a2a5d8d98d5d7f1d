import unicodedata

import pytest

from pipeline.curation.duplicates import TwinIndex, fold, task_key
from pipeline.curation.novelty.index import Standing, Task

KO = "과일 세 가지를 말해 줘."


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("List three fruits.", "list THREE fruits!", id="case-and-punctuation"),
        pytest.param("List three\n fruits .", "List three fruits", id="white-space"),
        pytest.param("What’s a “fruit”?", "What's a 'fruit'", id="quotation-marks"),
        pytest.param(KO, "과일 세가지를 말해줘", id="korean-spacing"),
        pytest.param(KO, unicodedata.normalize("NFD", KO), id="decomposed-jamo"),
        pytest.param("Python의 장점은?", "python의 장점은", id="korean-with-latin"),
        pytest.param("Straße", "STRASSE", id="casefold"),
    ],
)
def test_accidental_differences_fold_away(first: str, second: str) -> None:
    assert fold(first) == fold(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("Round 1.5 up", "Round 15 up", id="decimal-point"),
        pytest.param("Add 1 2", "Add 12", id="space-between-digits"),
        pytest.param("What is a[0]?", "What is a(0)?", id="brackets"),
        pytest.param("What is 3 - 1?", "What is 3 + 1?", id="operators"),
        pytest.param("now here", "nowhere", id="english-words"),
        pytest.param("서울 날씨", "부산 날씨", id="korean-noun"),
        pytest.param("3.5를 반올림", "35를 반올림", id="korean-decimal"),
        pytest.param("???", "!!!", id="marks-alone"),
        pytest.param("🙂", "🙁", id="emoji"),
    ],
)
def test_differences_that_matter_stay(first: str, second: str) -> None:
    assert fold(first) != fold(second)


def test_input_counts_and_output_does_not() -> None:
    index = TwinIndex()
    index.add([Task("first", "Translate.", task_key("ko", "Translate.", "나는 간다."))])

    def judge(instruction: str, input_text: str) -> Standing:
        key = task_key("ko", instruction, input_text)
        return index.sift([Task("next", instruction, key, barred=True)])[0]

    assert judge("translate", "나는  간다") == Standing("twin", "first", 1.0)
    assert judge("Translate.", "너는 간다.").kind == "barred"
    assert judge("Translate. 나는 간다.", "").kind == "barred"


def test_first_of_equal_tasks_keeps_the_place() -> None:
    index = TwinIndex()
    tasks = [
        Task(task_id, text, task_key("ko", text, ""))
        for task_id, text in (("seed", KO), ("later", "과일 세가지를 말해줘"), ("last", KO))
    ]
    index.add(tasks[:2])

    assert index.sift(tasks[2:]) == [Standing("twin", "seed", 1.0)]


def test_equal_texts_of_two_languages_are_two_tasks() -> None:
    assert task_key("en", "Python?", "") != task_key("ko", "Python?", "")
