"""Prompts render as the papers have them, and a record's own braces stay text."""

import pytest

from schemas.records import Language
from schemas.templates import INSTRUCTION


def test_english_is_stanford_alpacas_template() -> None:
    # github.com/tatsu-lab/stanford_alpaca, README, "Data Release".
    assert INSTRUCTION.render_prompt("Name a fruit.", "", "en") == (
        "Below is an instruction that describes a task. Write a response that appropriately "
        "completes the request.\n\n### Instruction:\nName a fruit.\n\n### Response:"
    )
    assert "### Input:\nred\n\n### Response:" in INSTRUCTION.render_prompt(
        "Name a fruit.", "red", "en"
    )


def test_korean_is_koalpacas_template() -> None:
    assert INSTRUCTION.render("과일을 말해 줘.", "", "사과", "ko") == (
        "### 질문: 과일을 말해 줘.\n\n### 답변:",
        " 사과",
    )
    assert INSTRUCTION.render_prompt("골라 줘.", "사과, 배", "ko") == (
        "### 질문: 골라 줘.\n\n### 맥락: 사과, 배\n\n### 답변:"
    )


@pytest.mark.parametrize("language", ["en", "ko"])
def test_braces_in_a_record_are_text(language: Language) -> None:
    prompt = INSTRUCTION.render_prompt("Format {input} and {instruction}", "{0} {input}", language)

    assert prompt.count("Format {input} and {instruction}") == 1
    assert prompt.count("{0} {input}") == 1


@pytest.mark.parametrize("language", ["en", "ko"])
def test_prompt_ends_without_white_space(language: Language) -> None:
    prompt = INSTRUCTION.render_prompt("a", "b", language)
    assert prompt == prompt.rstrip()


def test_template_hash_is_pinned() -> None:
    # A change here is meant to be noticed: every tuned student was trained with these templates.
    assert INSTRUCTION.hash == "dc720a249ce307c8"
