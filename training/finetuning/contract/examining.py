"""Prove of every row's tokens that they say what its text says, and train what they should.

Nothing here trusts how the tokens were made: labels are compared position by position, text comes
back by decoding, and the prompt is tokenized once more as a server would. Cost: linear, about as
much as making the tokens.
"""

import re
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from schemas.records import LANGUAGES, Language
from training.finetuning.contract.encoding import IGNORED, Example, tokenize_rows
from training.finetuning.contract.faults import Fault, Finding
from training.finetuning.contract.reading import (
    Reading,
    compare_prompts,
    compare_text,
    find_loose_space,
    read_back,
)
from training.finetuning.data import Row
from training.tokens import control_tokens, start_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from schemas.templates import Template

_CHUNK = 1024
"""Rows that are decoded at once: enough to be fast, few enough to hold no second dataset."""
_PLACEHOLDER = "x"


class Marks(NamedTuple):
    """Control tokens, as far as a template and its tokenizer use them."""

    start: list[int]
    """What stands before a text: Gemma's and Llama's ``<bos>``, or nothing."""
    stop: int
    control: frozenset[int]
    """All of the tokenizer's control tokens."""
    skeletons: dict[tuple[Language, bool], list[int]]
    """By language and whether there is an input: a row's control tokens, in order."""
    loose: re.Pattern[str]
    """Control tokens with the white space that is not told apart beside them."""


def find_marks(template: "Template", tokenizer: "PreTrainedTokenizerBase", stop: int) -> Marks:
    """Learn from harmless rows which control tokens a row has."""
    control = {*control_tokens(tokenizer).values(), stop}
    shapes: list[tuple[Language, bool]] = [
        (language, has_input) for language in LANGUAGES for has_input in (False, True)
    ]
    rows = [
        Row("", _PLACEHOLDER, _PLACEHOLDER if has_input else "", _PLACEHOLDER, language)
        for language, has_input in shapes
    ]
    examples = tokenize_rows(rows, template, tokenizer)
    skeletons = {
        shape: [token for token in example.input_ids if token in control]
        for shape, example in zip(shapes, examples, strict=True)
    }
    start, loose = start_tokens(tokenizer, template), find_loose_space(tokenizer)
    return Marks(start, stop, frozenset(control), skeletons, loose)


def examine(
    rows: Sequence[Row],
    examples: Sequence[Example],
    template: "Template",
    tokenizer: "PreTrainedTokenizerBase",
    marks: Marks,
    vocabulary_size: int,
    split: str,
) -> list[Fault]:
    """Find the faulty among examples.

    Args:
        rows: What the examples were made from, in the same order.
        examples: Made by whomever.
        template: The template that was asked for.
        tokenizer: The student's.
        marks: Its control tokens.
        vocabulary_size: Rows of the student's embedding matrix.
        split: Name for the report.

    Returns:
        At most one fault a row, in the order of the rows within about a thousand.
    """
    pairs = zip(rows, examples, strict=True)
    faults: list[Fault] = []
    while chunk := list(islice(pairs, _CHUNK)):
        sound: list[tuple[Row, Example]] = []
        for row, example in chunk:
            if found := _examine_labels(row, example, marks, vocabulary_size):
                faults.append(Fault(found.kind, row.id, split, found.detail))
            else:
                sound.append((row, example))
        readings = read_back(sound, template, tokenizer, len(marks.start), marks.stop)
        prompts = compare_prompts(readings, tokenizer, marks.control)
        for reading, of_prompt in zip(readings, prompts, strict=True):
            found = compare_text(reading, marks.stop, marks.loose)
            if found := found or _examine_control(reading, marks) or of_prompt:
                faults.append(Fault(found.kind, reading.row.id, split, found.detail))
    return faults


def _examine_labels(
    row: Row, example: Example, marks: Marks, vocabulary_size: int
) -> Finding | None:
    """Look at what needs no text."""
    tokens, labels = example.input_ids, example.labels
    if tokens and max(tokens) >= vocabulary_size:
        detail = (
            f"token {max(tokens)}, but there are embeddings for 0 to {vocabulary_size - 1} only"
        )
        return Finding("outside-vocabulary", detail)
    if not row.output.strip():
        return Finding("no-labels", "its answer is empty")
    if labels.count(IGNORED) == len(labels):
        return Finding("no-labels", "no token has a label")
    first = _find_first_label(example)
    if labels[first:] != tokens[first:]:
        if labels[first:-1] == tokens[first:-1] and labels[-1] == IGNORED:
            return Finding("untrained-stop", "its last token has no label")
        return Finding("untrained-answer", "its labels are not the tokens of its answer")
    return _examine_start(tokens, marks.start)


def _find_first_label(example: Example) -> int:
    """Return the position of the first label, or the length when there is none."""
    for place, label in enumerate(example.labels):
        if label != IGNORED:
            return place
    return len(example.labels)


def _examine_start(tokens: list[int], start: list[int]) -> Finding | None:
    found, length = tokens[: 2 * len(start)], len(start)
    if found[:length] != start:
        return Finding("missing-start", f"it begins with {found[:length]} instead of {start}")
    if length and found[length:] == start:
        return Finding("double-start", f"it begins with {found} instead of {start}")
    return None


def _examine_control(reading: Reading, marks: Marks) -> Finding | None:
    """Compare a row's control tokens with those that its template has."""
    found = [token for token in reading.example.input_ids if token in marks.control]
    wanted = marks.skeletons[reading.row.language, bool(reading.row.input)]
    if found == wanted:
        return None
    if found == marks.start + wanted:
        return Finding("double-start", f"it has the control tokens {found} instead of {wanted}")
    detail = f"it has the control tokens {found}, its template {wanted}"
    return Finding("control-in-text", detail)
