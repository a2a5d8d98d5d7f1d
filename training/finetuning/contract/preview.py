"""Cut a row's tokens into pieces that people can read: whole characters, by what becomes of them.

Byte-level tokenizers cut a Hangul syllable into up to three tokens, none of which is text alone;
such tokens stay together. Cost: one small decoding a token.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from training.finetuning.contract.encoding import IGNORED, Example
from training.tokens import control_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Role = Literal["prompt", "trained", "stop"]
"""Read but not trained; trained; trained, and the token after which the student stops."""

_LONGEST_CHARACTER = 4
"""Bytes of UTF-8, each of which may be a token of its own."""
_BROKEN = "\ufffd"


class Span(NamedTuple):
    """Tokens that are text only together; almost always one."""

    text: str
    """As it stands in the row."""
    token_ids: tuple[int, ...]
    role: Role
    control: bool
    """A control token, however its text is spelled."""


def find_spans(example: Example, tokenizer: "PreTrainedTokenizerBase") -> list[Span]:
    """Cut a row into spans; together they hold every token once, in order."""
    control = set(control_tokens(tokenizer).values())
    # Decoded after another token: alone, some tokenizers strip a token's first space.
    anchor = cast("list[int]", tokenizer("a", add_special_tokens=False)["input_ids"])
    spans: list[Span] = []
    for begin, end, text in _cut(example, tokenizer, anchor, control):
        ids = tuple(example.input_ids[begin:end])
        role = _find_role(example, begin)
        spans.append(Span(text, ids, role, ids[0] in control))
    return spans


def _find_role(example: Example, place: int) -> Role:
    if example.labels[place] == IGNORED:
        return "prompt"
    return "stop" if place == len(example.labels) - 1 else "trained"


def _cut(
    example: Example,
    tokenizer: "PreTrainedTokenizerBase",
    anchor: Sequence[int],
    control: set[int],
) -> Iterator[tuple[int, int, str]]:
    """Give begin, end and text of each span."""
    before = _decode(anchor, tokenizer)
    begin = 0
    while begin < len(example.input_ids):
        texts: list[str] = []
        for end in _find_ends(example, begin, control):
            tokens = [*anchor, *example.input_ids[begin:end]]
            texts.append(_decode(tokens, tokenizer).removeprefix(before))
            if _BROKEN not in texts[-1]:
                break
        # Bytes that are no text, however many are taken together, are shown one by one.
        whole = _BROKEN not in texts[-1]
        end = begin + len(texts) if whole else begin + 1
        yield begin, end, texts[-1 if whole else 0]
        begin = end


def _find_ends(example: Example, begin: int, control: set[int]) -> Iterator[int]:
    """Give the places where a span may end: what completes a character is text of one role."""
    role = _find_role(example, begin)
    yield begin + 1
    for end in range(begin + 1, min(begin + _LONGEST_CHARACTER, len(example.input_ids))):
        if example.input_ids[end] in control or _find_role(example, end) != role:
            return
        yield end + 1


def _decode(tokens: Sequence[int], tokenizer: "PreTrainedTokenizerBase") -> str:
    return cast("str", tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False))
