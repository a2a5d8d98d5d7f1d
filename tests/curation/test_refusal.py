import pytest

from pipeline.curation.rules.refusal import REFUSAL_RULES
from pipeline.curation.rules.view import RecordView
from schemas.records import Language
from tests.curation.making import make_record

REFUSAL, ITSELF = REFUSAL_RULES


def view(output: str, language: Language, instruction: str | None = None) -> RecordView:
    asked = instruction or {"en": "Review a film.", "ko": "영화 감상을 쓰세요."}[language]
    return RecordView(make_record(asked, language, output=output))


@pytest.mark.parametrize(
    ("output", "language"),
    [
        ("I could not follow the plot, and the ending came too soon.", "en"),
        ("내용이 잘 이해가 되지 않았고 끝도 너무 빨랐다.", "ko"),
        ("관객은 이 형식을 이해하지 못했다.", "ko"),
    ],
)
def test_review_of_what_was_not_understood_is_no_refusal(output: str, language: Language) -> None:
    assert REFUSAL.find(view(output, language)) is None


@pytest.mark.parametrize(
    ("output", "language"),
    [
        ("I'm sorry, but I can't provide a review.", "en"),
        ("죄송하지만 질문을 이해하지 못했습니다.", "ko"),
    ],
)
def test_refusal_is_found(output: str, language: Language) -> None:
    assert REFUSAL.find(view(output, language))


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("As an artificial intelligence, I have no taste.", "en"),
        ("저는 인공지능이라서 영화를 보지 못합니다.", "ko"),
    ],
)
def test_self_reference_is_found_in_any_sentence(sentence: str, language: Language) -> None:
    long = "The light was good. " * 30 if language == "en" else "빛이 좋았습니다. " * 30

    assert ITSELF.find(view(f"{long}{sentence} {long}", language))
    assert ITSELF.find(view(long, language)) is None
