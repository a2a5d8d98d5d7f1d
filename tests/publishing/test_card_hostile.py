"""Nothing that a teacher, a user or an endpoint wrote becomes markup in a card."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline.publishing.card.card import render_card
from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.picture import Picture
from pipeline.publishing.statistics.figures import Phrase
from schemas.manifest import JudgeReport, ParentDataset, SourceFile
from schemas.markdown import code, fence, plain, table
from schemas.records import Language
from tests.publishing.card_editions import (
    HASH,
    Texts,
    make_edition,
    make_record,
    make_rejection,
    make_run,
    make_statistics,
)

CORES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "<https://evil.example>",
    "https://evil.example www.evil.example a@evil.example",
    "[x]: https://evil.example",
    "</details></summary><iframe src=//evil.example>",
    "<!-- --><b>",
    "<![CDATA[<b>]]>",
    "<?php x ?>",
    "&lt;b&gt; &#60;b&#62;",
    "| a | b |",
    "\\| \\\\| \\",
    "# Heading",
    "Heading\n===",
    "- item\n1. item",
    "> quote",
    "$\\frac{1}{2}$ :smile: @name #12",
    "**bold** _em_ ~~gone~~ `code` ``two``",
    "name: evil\nconfigs: []",
    "\u202egnp.exe\u202c \u2066x",
    "\ud800 \x00 \x1b[31m \x7f \u2028",
)
FRAMES = (
    "{}",
    "\n\n{}\n\n",
    "```\n{}\n```",
    "~~~~\n{}\n````````````",
    "\n---\n{}\n---\n",
    "`{}`` ```",
    "\r{}\r\n\t{}",
    "한글 {} 글자",
    "</code></pre>{}",
)
PAYLOADS = [frame.replace("{}", core) for core in CORES for frame in FRAMES]
OURS = re.compile(r"<details>\n<summary>[^<>&]+</summary>\n|</details>\n?")


def fill(payload: str, language: Language) -> Edition:
    """Put a payload wherever a text is not ours."""
    texts = Texts(f"{payload}.", payload, f"x{payload}")
    file = SourceFile(path=payload, sha256=HASH)
    return make_edition(
        [make_record(texts, "en", payload), make_record(texts, "ko", payload)],
        [make_rejection(texts, "refusal", "rules"), make_rejection(texts)],
        make_statistics({"en": [Phrase(verb=payload, noun=payload, count=3)], "ko": []}),
        card_language=language,
        licence=payload,
        code_version=payload,
        seeds=(file,),
        teachers={payload: 4},
        strategies={payload: 4},
        against=(payload,),
        runs=(make_run().model_copy(update={"stopped_because": payload}),),
        parents=(
            ParentDataset(
                source=payload, revision=payload, columns={}, available=9, taken=4, licence=payload
            ),
        ),
        judge=JudgeReport(
            model=payload, judged=2, means={}, mean_score=None, audited=0,
            audited_mean_score=None, kappa=None,
        ),
        curation={"stage": ["contamination"], "contamination": {"sets": [payload]}},
    )  # fmt: skip


def render(payload: str, language: Language = "en") -> str:
    picture = Picture("phrases-en", "figures/phrases-en.png", "Phrases", payload)
    return render_card(fill(payload, language), [picture], [payload])


def walk(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from walk(token.children or [])


def assert_harmless(card: str) -> None:
    body = card.split("\n---\n", 1)[1]
    tokens = list(walk(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body)))
    for token in tokens:
        assert token.type != "html_inline", token.content
        if token.type == "html_block":
            assert OURS.fullmatch(token.content), token.content
        if token.type == "link_open":
            assert str(token.attrs["href"]).startswith("#"), token.attrs
        if token.type == "image":
            assert token.attrs["src"] == "figures/phrases-en.png"
            assert all(child.type == "text" or child.type == "text_special"
                       for child in token.children or [])  # fmt: skip
    assert [token.content for token in tokens if token.type == "s_open"] == []


def shape(card: str) -> list[str]:
    """Name the blocks of a card, and the cells of each table row."""
    body = card.split("\n---\n", 1)[1]
    return [token.type for token in MarkdownIt("commonmark").enable("table").parse(body)]


HARMLESS_SHAPE = shape(render("harmless"))


def test_there_are_two_hundred_payloads() -> None:
    assert len(set(PAYLOADS)) >= 200


@pytest.mark.parametrize("core", CORES)
def test_payloads_stay_text_and_change_no_block_of_the_card(core: str) -> None:
    for frame in FRAMES:
        card = render(frame.replace("{}", core))

        assert_harmless(card)
        assert shape(card) == HARMLESS_SHAPE


@pytest.mark.parametrize("core", CORES)
def test_payloads_stay_text_in_korean(core: str) -> None:
    assert_harmless(render(core, "ko"))


@pytest.mark.parametrize("core", CORES)
def test_cards_are_text_that_can_be_written_and_shows_nothing_unseen(core: str) -> None:
    card = render(core)

    card.encode("utf-8")
    assert not set(card) & {"\u202e", "\u2066", "\x00", "\x1b", "\x7f", "\u2028", "\r"}


@settings(max_examples=150)
@given(st.text(alphabet="`~<>[]()!|\\#*_&;\n\r\t -=a가:/.@\x00\ud800"))
def test_any_text_of_marks_stays_in_its_span_fence_and_description(text: str) -> None:
    parse = MarkdownIt("commonmark").enable("table").parse
    fenced = parse(fence(text))
    described = parse(f"![{plain(text)}](figures/x.png)")[1].children or []
    spanned = parse(f"a {code(text)} b")[1].children or []
    cells = parse(table(["a", "b"], [[code(text), "c"]]))

    assert [token.type for token in fenced] == ["fence"]
    assert [token.type for token in described] == ["image"]
    assert [token.type for token in spanned] in (
        ["text", "code_inline", "text"],
        ["text"],
    )
    assert sum(token.type == "td_open" for token in cells) == 2


def test_names_are_shown_as_they_are() -> None:
    assert code("gpt-4.1|mini") == "`gpt-4.1|mini`"
    assert code("a`b``c") == "``` a`b``c ```"
    assert code(" \n ") == "–"


def test_drafts_with_personal_data_or_keys_are_not_shown() -> None:
    secret = Texts("Call 010-1234-5678", "", "sk-123456")
    rejected = [
        make_rejection(secret, "personal-data", "rules"),
        make_rejection(secret, "credentials", "rules"),
    ]

    card = render_card(make_edition([make_record()], rejected))

    assert "010-1234" not in card
    assert "sk-123456" not in card
    assert "hold 2 drafts that were rejected for personal data or keys" in card


def test_folders_of_the_machine_are_not_shown() -> None:
    sets = ["/home/kim/secret/exam.jsonl", "C:\\kim\\exam2.jsonl", "nsmc/0001-0123456789ab"]
    curation = {"stage": ["contamination"], "contamination": {"sets": sets}}

    card = render_card(make_edition([make_record()], curation=curation))

    assert "`exam.jsonl`, `exam2.jsonl`, `nsmc/0001-0123456789ab`" in card
    assert "kim" not in card
