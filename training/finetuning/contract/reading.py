"""Read tokens back into text and compare it with what was to be written.

Decoding costs a tenth of tokenizing, so that all rows are decoded whole; the prompt is tokenized
once more, alone, as a server does that knows nothing of the answer yet.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from training.finetuning.contract.encoding import IGNORED, Example
from training.finetuning.contract.faults import Finding
from training.finetuning.data import Row
from training.tokens import control_forms

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from schemas.rendering import Rendered
    from schemas.templates import Template

_WORD = 24
"""Characters of an answer that could merge with the white space before them."""


class Reading(NamedTuple):
    """An example, read back."""

    row: Row
    example: Example
    wanted: "Rendered"
    asked: str
    """The prompt as it is written at inference."""
    prompt_tokens: list[int]
    """What stands before the first label, without the start."""
    prompt: str
    whole: str
    """Decoded; the last token is left out when it is the stop token."""


def read_back(
    pairs: Sequence[tuple[Row, Example]],
    template: "Template",
    tokenizer: "PreTrainedTokenizerBase",
    skip: int,
    stop: int,
) -> list[Reading]:
    """Decode prompts and whole rows.

    The answer is read at its place: decoded alone, some tokenizers strip its first space.

    Args:
        pairs: Rows with what was made of them; labels stand together at the end.
        template: Says what should have been written.
        tokenizer: The student's.
        skip: Start tokens of a row.
        stop: The token that ends an answer.
    """
    bodies = [_strip(example.input_ids, skip, stop) for _, example in pairs]
    heads = [example.input_ids[skip : example.labels.count(IGNORED)] for _, example in pairs]
    wholes, prompts = _decode(bodies, tokenizer), _decode(heads, tokenizer)
    readings: list[Reading] = []
    for (row, example), head, prompt, whole in zip(pairs, heads, prompts, wholes, strict=True):
        text = template.render(row.instruction, row.input, row.output, row.language)
        asked = template.render_prompt(row.instruction, row.input, row.language)
        readings.append(Reading(row, example, text, asked, head, prompt, whole))
    return readings


def _strip(tokens: list[int], skip: int, stop: int) -> list[int]:
    return tokens[skip:-1] if tokens[-1] == stop else tokens[skip:]


def _decode(tokens: list[list[int]], tokenizer: "PreTrainedTokenizerBase") -> list[str]:
    if not tokens:
        return []
    return cast("list[str]", tokenizer.decode(tokens, clean_up_tokenization_spaces=False))


def find_loose_space(tokenizer: "PreTrainedTokenizerBase") -> re.Pattern[str]:
    """Find control tokens with the white space that is not told apart beside them.

    Some swallow it when they are read (Phi-3's, the line end behind them), and tokenizers of
    Llama's kind write a space behind each. Inference has the very same tokens.
    """
    alternatives = [
        (r"\s*" if token.lstrip else "")
        + re.escape(token.content)
        + (r"\s*" if token.rstrip else " *")
        for token in control_forms(tokenizer)
    ]
    return re.compile("|".join(sorted(alternatives, key=len, reverse=True)) or "(?!)")


def compare_text(reading: Reading, stop: int, loose: re.Pattern[str]) -> Finding | None:
    """Hold what the tokens say against what was to be written.

    Args:
        reading: The example.
        stop: The token that ends an answer.
        loose: What :func:`find_loose_space` found.
    """
    wanted_prompt, completion = reading.wanted
    wanted = wanted_prompt + completion
    if not _is_same(reading.whole, wanted, loose):
        return _explain_difference(wanted, reading)
    if not _is_same(reading.prompt, wanted_prompt, loose):
        return _explain_border(wanted_prompt, reading.prompt)
    if reading.example.input_ids[-1] != stop:
        return Finding("untrained-stop", "no stop token follows its answer")
    if reading.asked != wanted_prompt:
        place = find_difference(wanted_prompt, reading.asked)
        detail = (
            f"at character {place} it is trained on {_excerpt(wanted_prompt, place)} and will be "
            f"asked with {_excerpt(reading.asked, place)}"
        )
        return Finding("prompt-differs", detail)
    return None


def _is_same(found: str, wanted: str, loose: re.Pattern[str]) -> bool:
    if found == wanted:
        return True
    tight, wanted_tight = (
        loose.sub(lambda match: match[0].strip(), text) for text in (found, wanted)
    )
    return tight == wanted_tight


def _explain_difference(wanted: str, reading: Reading) -> Finding:
    # A character cut in two decodes to a replacement character.
    found = reading.whole.rstrip("\ufffd")
    if wanted.startswith(found):
        return Finding("cut-answer", f"it ends after {_excerpt(wanted, max(0, len(found) - 20))}")
    place = find_difference(wanted, reading.whole)
    detail = (
        f"at character {place} {_excerpt(wanted, place)} became {_excerpt(reading.whole, place)}"
    )
    return Finding("changed-text", detail)


def _explain_border(wanted: str, found: str) -> Finding:
    if len(found) < len(wanted):
        detail = f"its labels begin with {_excerpt(wanted, len(found))}, before the answer"
        return Finding("trained-prompt", detail)
    return Finding("untrained-answer", f"{found[len(wanted) :][:20]!r} has no label")


def find_difference(wanted: str, found: str) -> int:
    """Return the first position at which two different texts differ."""
    shared = zip(wanted, found, strict=False)
    return next(
        (place for place, (a, b) in enumerate(shared) if a != b), min(len(wanted), len(found))
    )


def _excerpt(text: str, place: int) -> str:
    return repr(text[place : place + 20])


def compare_prompts(
    readings: Sequence[Reading], tokenizer: "PreTrainedTokenizerBase", control: frozenset[int]
) -> list[Finding | None]:
    """Tokenize the prompts as inference does, alone, and hold them against the examples' own."""
    asked = _tokenize([reading.asked for reading in readings], tokenizer)
    borders = _find_merged_borders(readings, tokenizer)
    return [
        _compare_prompt(reading, tokens, control) or border
        for reading, tokens, border in zip(readings, asked, borders, strict=True)
    ]


def _tokenize(texts: list[str], tokenizer: "PreTrainedTokenizerBase") -> list[list[int]]:
    if not texts:
        return []
    # Control tokens are parsed, as servers do that get a template's text.
    return tokenizer(texts, add_special_tokens=False, return_attention_mask=False)["input_ids"]


def _compare_prompt(reading: Reading, asked: list[int], control: frozenset[int]) -> Finding | None:
    trained = reading.prompt_tokens
    if trained == asked:
        return None
    if _count(asked, control) > _count(trained, control):
        # The record spells a control token: a server that parses it reads another text than ours,
        # and what we train on is right.
        return None
    place = next(
        (place for place, (a, b) in enumerate(zip(trained, asked, strict=False)) if a != b),
        min(len(trained), len(asked)),
    )
    detail = (
        f"from token {place} it is trained on {trained[place : place + 4]} and will be asked with "
        f"{asked[place : place + 4]}"
    )
    return Finding("prompt-differs", detail)


def _count(tokens: list[int], control: frozenset[int]) -> int:
    return sum(token in control for token in tokens)


def _find_merged_borders(
    readings: Sequence[Reading], tokenizer: "PreTrainedTokenizerBase"
) -> list[Finding | None]:
    """Find prompts whose last white space would be part of the answer's first token.

    A border after a letter or mark may merge too (Qwen's ":" with a line end): there the tokens of
    the answer's start are only rare. White space at the end of a prompt is what the student has
    seen nowhere: text almost always has the space inside the next word's token. An answer's own
    white space at its start is no fault of the prompt's: the tokens part where it begins.
    """
    findings: list[Finding | None] = [None] * len(readings)
    # As it was read back: what a control token has swallowed merges with nothing.
    places = [place for place, reading in enumerate(readings) if reading.prompt[-1:].isspace()]
    tails = [_space_at_end(readings[place].prompt) for place in places]
    heads = [readings[place].wanted.completion.lstrip()[:_WORD] for place in places]
    alone = _tokenize(tails, tokenizer)
    joined = _tokenize([a + b for a, b in zip(tails, heads, strict=True)], tokenizer)
    for place, tail, head, one, both in zip(places, tails, heads, alone, joined, strict=True):
        if both[: len(one)] != one:
            detail = f"its prompt ends in {tail!r}, which is one token with {head[:12]!r}"
            findings[place] = Finding("merged-border", detail)
    return findings


def _space_at_end(text: str) -> str:
    return text[len(text.rstrip()) :]
