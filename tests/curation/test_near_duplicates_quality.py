import pytest

from pipeline.curation.near_duplicates.quality import assess
from schemas.records import Language
from tests.curation.making import make_record

EN = "Water boils at 100 degrees Celsius at sea level."
KO = "물은 해수면에서 섭씨 100도에 끓습니다."


@pytest.mark.parametrize(
    ("better", "worse", "language"),
    [
        pytest.param(EN, EN[:-1] + " and", "en", id="ends-with-and"),
        pytest.param(EN, EN[:-1] + ",", "en", id="ends-with-comma"),
        pytest.param(EN, EN + " For example:", "en", id="ends-with-colon"),
        pytest.param(EN, EN[:-1] + " ...", "en", id="ellipsis"),
        pytest.param(EN, EN + " (as measured", "en", id="open-bracket"),
        pytest.param("```\nx = 1\n```", "```\nx = 1\ny = 2", "en", id="open-code-block"),
        pytest.param(EN, EN[:-1], "en", id="no-full-stop"),
        pytest.param(EN, f"{EN} {EN}", "en", id="says-it-twice"),
        pytest.param(EN, EN.upper(), "en", id="all-capitals"),
        pytest.param(EN, EN.replace(" at ", "   at "), "en", id="runs-of-blanks"),
        pytest.param(f"{EN} Salt raises this.", EN, "en", id="says-less"),
        pytest.param(KO, KO[:-1] + ". 그리고", "ko", id="korean-and"),
        pytest.param(KO, "물은 해수면에서 섭씨 100도에 끓지만", "ko", id="korean-open-ending"),
        pytest.param(KO, "물은 해수면에서 섭씨 100도를", "ko", id="korean-particle"),
        pytest.param(KO, KO + " 예를 들면:", "ko", id="korean-colon"),
        pytest.param(KO, KO[:-1] + "…", "ko", id="korean-ellipsis"),
        pytest.param(KO, KO + " 「소금", "ko", id="korean-open-bracket"),
        pytest.param(KO, f"{KO}\n{KO}", "ko", id="korean-says-it-twice"),
        pytest.param(KO, KO.replace(" 섭씨", "    섭씨"), "ko", id="korean-runs-of-blanks"),
        pytest.param(f"{KO} 소금을 넣으면 더 높아집니다.", KO, "ko", id="korean-says-less"),
    ],
)
def test_the_record_that_a_reader_would_keep_is_rated_higher(
    better: str, worse: str, language: Language
) -> None:
    first = assess(make_record("Tell me.", language, output=better))
    second = assess(make_record("Tell me.", language, output=worse))

    assert first > second


@pytest.mark.parametrize(
    ("output", "language"),
    [
        (EN, "en"),
        ('He said: "Water boils."', "en"),
        ("- salt\n- water (cold)", "en"),
        ("| a | b |", "en"),
        (KO, "ko"),
        ("물은 100도에 끓어요", "ko"),
        ("그는 “물이 끓는다.”", "ko"),
    ],
)
def test_finished_outputs_are_rated_as_finished(output: str, language: Language) -> None:
    assert assess(make_record("Tell me.", language, output=output)).ending == 2


@pytest.mark.parametrize(("output", "language"), [("Positive", "en"), ("42", "en"), ("긍정", "ko")])
def test_labels_and_numbers_are_open_but_do_not_break_off(output: str, language: Language) -> None:
    assert assess(make_record("Tell me.", language, output=output)).ending == 1


def test_indented_code_is_tidy() -> None:
    code = "```python\nif x:\n    y  = 1\n```"

    assert assess(make_record("Write it.", "en", output=code)).is_tidy
