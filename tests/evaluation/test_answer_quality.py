"""Answers that go round, and in which script they are."""

import pytest

from schemas.records import Language
from training.evaluation.answers.quality import is_in_language, is_repetitive

_SENTENCE_EN = "The river is long and the town on it is old. "
_SENTENCE_KO = "강은 길고 그 강가의 마을은 오래되었다. "
_FACTS_KO = """사과는 비타민이 많습니다. 바나나는 칼륨이 많습니다. 귤은 겨울에 맛있습니다.
포도는 여름에 익습니다. 배는 물이 많아 시원합니다."""


@pytest.mark.parametrize(
    "text",
    [
        "It is very good. " * 4,
        _SENTENCE_EN * 3,
        "no " * 40,
        "I like it. You like tea. " * 3,
        "1. red\n2. blue and red\n" + "3. blue and red\n" * 4,
        "haha" * 12,
        "자두는 맛이 좋습니다. " * 4,
        _SENTENCE_KO * 3,
        "저는 학생입니다. " * 5,
        "아주 " * 30,
        "좋은 책입니다.\n재미있는 글이다.\n" * 3,
        "가나" * 20,
        "### 명령어:\n요약해 줘.\n### 응답:\n네, 요약할게요.\n" * 4,
    ],
)
def test_text_that_goes_round_is_repetitive(text: str) -> None:
    assert is_repetitive(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "positive",
        "Row, row, row your boat, gently down the stream.",
        "No, no, no, no!",
        "1000000000000000000000 and 0.3333333333333333333",
        "1. Wash the rice.\n2. Soak the rice.\n3. Cook the rice.\n4. Eat the rice.",
        _SENTENCE_EN * 2,
        "긍정",
        "아주아주 아주 좋아요!",
        "ㅋㅋㅋㅋㅋ 재미있네요",
        "하나, 둘, 셋, 넷, 다섯, 여섯, 일곱, 여덟",
        _FACTS_KO,
        _SENTENCE_KO * 2,
        "| 이름 | 나이 |\n|---|---|\n| 준호 | 3 |\n| 서연 | 4 |",
    ],
)
def test_text_that_says_something_is_not_repetitive(text: str) -> None:
    assert not is_repetitive(text)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("A plain answer.", "en", True),
        ("평범한 답입니다.", "ko", True),
        ("평범한 답입니다.", "en", False),
        ("A plain answer.", "ko", False),
        ("파이썬의 print() 함수를 쓰세요.", "ko", True),
        ("Use print(), in Korean 출력.", "en", True),
        ("これはペンです", "ko", False),
        ("Привет", "en", False),
        ("Été déjà", "en", True),
        ("ㅇㅇ", "ko", True),
        ("42", "ko", True),
        ("42", "en", True),
        (" ", "en", False),
        ("", "ko", False),
    ],
)
def test_language_is_told_by_script(text: str, language: Language, expected: bool) -> None:
    assert is_in_language(text, language) is expected
