import io
from typing import Any

import pytest
from rich.console import Console

from cli.preview import print_faulty_tokens, print_preview
from schemas.templates import InstructionTemplate
from tests.finetuning.contract_makers import TextTemplate, make_tokenizer
from training.finetuning.contract.encoding import IGNORED, Example, tokenize_rows
from training.finetuning.contract.faults import TokenRow
from training.finetuning.contract.preview import Span, find_spans
from training.finetuning.data import Row

# One token a byte, so that a Hangul syllable is three.
ROW = Row("r1", "색은?", "", "파랑 A", "ko")
TEMPLATE: Any = TextTemplate("Q:{q}\nA:", " ")


def show(examples: list[Example], tokenizer: Any, *, terminal: bool = False, **options: Any) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        force_terminal=terminal,
        color_system="truecolor" if terminal else None,
        width=100,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    print_preview(examples, tokenizer, console=console, **options)
    return out.getvalue()


def test_every_token_is_in_one_span_and_the_texts_are_the_rows() -> None:
    tokenizer = make_tokenizer(adds_bos=True)
    (example,) = tokenize_rows([ROW], TEMPLATE, tokenizer)

    spans = find_spans(example, tokenizer)

    assert [token for span in spans for token in span.token_ids] == example.input_ids
    assert "".join(span.text for span in spans) == "<s>Q:색은?\nA: 파랑 A</s>"
    assert [span.text for span in spans if span.role == "trained"] == [" ", "파", "랑", " ", "A"]
    assert [span.text for span in spans if span.control] == ["<s>", "</s>"]
    assert spans[-1] == Span("</s>", (tokenizer.eos_token_id,), "stop", control=True)


def test_tokens_that_are_parts_of_one_syllable_are_shown_together() -> None:
    tokenizer = make_tokenizer()
    (example,) = tokenize_rows([ROW], TEMPLATE, tokenizer)

    syllable = next(span for span in find_spans(example, tokenizer) if span.text == "파")

    assert len(syllable.token_ids) == len("파".encode())


def test_bytes_that_are_no_text_do_not_swallow_what_follows() -> None:
    tokenizer = make_tokenizer()
    broken = tokenizer("파", add_special_tokens=False)["input_ids"][:1] * 5
    good = tokenizer("Ab", add_special_tokens=False)["input_ids"]
    example = Example("x", [*broken, *good], [IGNORED] * 7)

    spans = find_spans(example, tokenizer)

    assert [span.text for span in spans][-1] == "b"
    assert sum(len(span.token_ids) for span in spans) == 7


def test_spelled_control_tokens_are_not_shown_as_control_tokens() -> None:
    tokenizer = make_tokenizer()
    row = Row("r", "x", "", "write </s> so", "en")
    (example,) = tokenize_rows([row], InstructionTemplate("</s>"), tokenizer)

    assert [span.text for span in find_spans(example, tokenizer) if span.control] == ["</s>"]


def test_without_a_terminal_marks_take_the_place_of_colours() -> None:
    tokenizer = make_tokenizer(adds_bos=True)

    text = show(tokenize_rows([ROW], TEMPLATE, tokenizer), tokenizer)

    assert "‹<s>›Q:색은?↵\nA:⟦·파랑·A⟧⟦■ </s> ■⟧" in text
    assert "1  row r1  " in text
    assert ", 10 trained" in text  # " 파랑 A" is 1 + 6 + 1 + 1 bytes, and the stop token.
    assert "\x1b" not in text


def test_in_a_terminal_the_mask_is_coloured() -> None:
    tokenizer = make_tokenizer()

    text = show(tokenize_rows([ROW], TEMPLATE, tokenizer), tokenizer, terminal=True)

    assert "⟦" not in text
    assert "\x1b[2m색" in text  # Dim.
    assert "\x1b[32m파" in text or "\x1b[4;32m파" in text  # Green.
    assert "\x1b[1;30;42m</s>" in text


def test_token_numbers_are_written_on_request() -> None:
    tokenizer = make_tokenizer()
    ids = tokenizer("파", add_special_tokens=False)["input_ids"]

    text = show(tokenize_rows([ROW], TEMPLATE, tokenizer), tokenizer, show_ids=True)

    assert f"파[{','.join(map(str, ids))}] " in text


@pytest.mark.parametrize(
    ("hostile", "sign"),
    [("a\x1b]0;owned\x07b", "a␛]0;owned␇b"), ("a\u202eb", "a\ufffdb")],
    ids=["escape", "bidi"],
)
def test_a_record_cannot_speak_to_the_terminal(hostile: str, sign: str) -> None:
    tokenizer = make_tokenizer()
    row = Row("id\x1b[31m", hostile, "", hostile, "en")

    text = show(tokenize_rows([row], TEMPLATE, tokenizer), tokenizer)

    assert sign in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_of_a_faulty_row_both_ends_and_the_first_labels_are_shown() -> None:
    rows = [TokenRow(place, f"t{place}", place >= 50) for place in range(100)]
    out = io.StringIO()

    print_faulty_tokens(rows, Console(file=out, width=80))

    shown = [line.split()[:2] for line in out.getvalue().splitlines()[1:]]
    places = [int(words[0]) for words in shown if words[0] != "…"]
    assert places == [*range(5), *range(45, 55), *range(94, 100)]
    assert "50     50  't50'  trained" in out.getvalue()


def test_tokens_cannot_speak_to_the_terminal() -> None:
    out = io.StringIO()

    print_faulty_tokens([TokenRow(1, "\x1b[31m\u202e", True)], Console(file=out, width=80))

    assert "\x1b" not in out.getvalue()
    assert "\u202e" not in out.getvalue()
