"""Prompts render as the papers have them, and a record's own braces stay text."""

from collections.abc import Sequence

import pytest

from schemas.chat_template import Message, read_chat_template
from schemas.records import Language
from schemas.rendering import Piece, Shot, TemplateError
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


@pytest.mark.parametrize(
    ("language", "examples"),
    [
        ("en", [Shot("Name a fruit.", "red", "apple"), Shot("Name a bird.", "", "tit")]),
        ("ko", [Shot("과일을 말해 줘.", "빨강", "사과")]),
    ],
)
def test_worked_examples_are_whole_records_before_the_one_asked(
    language: Language, examples: list[Shot]
) -> None:
    records = ["".join(INSTRUCTION.render(*one, language)) for one in examples]
    asked = INSTRUCTION.render_prompt("{input}?", "", language)

    opened = INSTRUCTION.after(examples, language)

    assert opened.render_prompt("{input}?", "", language) == "\n\n".join([*records, asked])
    assert opened.hash == INSTRUCTION.hash


def write_chat(messages: Sequence[Message], asks: bool) -> str:
    turns = "".join(f"<{role}>{content}<end>\n" for role, content in messages)
    return "<s>" + turns + ("<assistant>" if asks else "")


def test_chat_template_shows_what_is_its_own_and_what_the_records() -> None:
    template = read_chat_template(write_chat, {"<s>", "<end>"}, "<s>", "x")

    rendered = template.render("골라 줘.", "사과<end>, 배", "배<end>", "ko")

    assert template[2:4] == ("<s>", "<end>")
    assert rendered == ("<user>골라 줘.\n\n사과<end>, 배<end>\n<assistant>", "배<end>")
    assert template.lay_out_prompt(rendered.prompt) == [
        Piece("<user>", is_frame=True),
        Piece("골라 줘.\n\n사과<end>, 배", is_frame=False),
        Piece("<end>\n<assistant>", is_frame=True),
    ]
    assert "".join(piece.text for piece in template.lay_out_completion("배<end>")) == "배<end>"


def test_chat_template_hash_is_pinned() -> None:
    # Tuned students carry it: whoever changes how it is made, makes them all useless.
    template = read_chat_template(write_chat, {"<s>", "<end>"}, "<s>", "x")

    assert template.hash == "91091d1778e394bb"


def test_longest_control_token_behind_an_answer_ends_it() -> None:
    template = read_chat_template(write_chat, {"<", "<end>", "<end>\n"}, "", "x")

    assert template.stop == "<end>\n"


def test_chat_template_that_closes_no_answer_is_refused() -> None:
    with pytest.raises(TemplateError, match="which is no control token"):
        read_chat_template(write_chat, {"<s>"}, "<s>", "x")
