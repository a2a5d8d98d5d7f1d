"""Cut a rendered record into tokens, the same way for training and for scoring.

Prompt and answer are tokenized together where the prompt's tokens stay the same, so that a
tokenizer that treats the start of a text specially (Llama 2's) does not do so in the middle; and
apart where they would merge across the border (Qwen merges ":" with a following newline), because
at inference the prompt stands alone.

Control tokens come from the template alone: a record about HTML may contain "<s>", one about
chats "<|im_end|>", which is text there and not the token of the same spelling
(huggingface/transformers#29279, #47822). Such a text is cut at the template's own control tokens,
and what is between is tokenized as text; all others are tokenized whole, exactly as
``apply_chat_template(tokenize=True)`` does it. Tokens that were added without being marked special,
as Qwen3's "<think>", are words like any other and read as such everywhere.

Cost: linear in the text, about 0.2 ms a record.
"""

import re
from collections.abc import Sequence
from itertools import count, takewhile
from typing import TYPE_CHECKING, NamedTuple, cast

from schemas.rendering import Piece, Rendered

if TYPE_CHECKING:
    from tokenizers import AddedToken
    from transformers import PreTrainedTokenizerBase

    from schemas.templates import Template


class Split(NamedTuple):
    """A text in tokens, without start and stop."""

    prompt: list[int]
    answer: list[int]


def start_tokens(
    tokenizer: "PreTrainedTokenizerBase", template: "Template | None" = None
) -> list[int]:
    """Return what stands before a text: Gemma's and Llama's ``<bos>``, or nothing.

    The virtual tokens of a prompt-tuned student come before that, as in its training.

    Args:
        tokenizer: The student's.
        template: A chat template decides whether a text begins with it; without one it does.
    """
    virtual, own = _virtual_tokens(tokenizer), find_start(tokenizer)
    if own is None or (template is not None and template.name == "chat" and not template.start):
        return virtual
    return [*virtual, own]


def find_start(tokenizer: "PreTrainedTokenizerBase") -> int | None:
    """Return what a tokenizer itself puts before a text."""
    start = cast("int | None", tokenizer.bos_token_id)
    return start if start is not None and tokenizer("a")["input_ids"][0] == start else None


def virtual_token(number: int) -> str:
    """Name the token that stands for one trained embedding of prompt tuning, from 0."""
    return f"<|prompt-{number}|>"


def _virtual_tokens(tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Return what a prompt-tuned student was trained to see before anything else."""
    own = cast("dict[str, int]", tokenizer.added_tokens_encoder)
    return [own[name] for name in takewhile(own.__contains__, map(virtual_token, count()))]


def control_tokens(tokenizer: "PreTrainedTokenizerBase") -> dict[str, int]:
    """Return spelling and id of the tokens that no record's text may turn into."""
    added = {token.content: id for id, token in _added(tokenizer).items() if token.special}
    return added | dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))


def control_forms(tokenizer: "PreTrainedTokenizerBase") -> "list[AddedToken]":
    """Return the control tokens with what they do to the white space beside them."""
    controls = control_tokens(tokenizer)
    return [token for token in _added(tokenizer).values() if token.content in controls]


def split_rows(
    texts: Sequence[Rendered], template: "Template", tokenizer: "PreTrainedTokenizerBase"
) -> list[Split]:
    """Tokenize what a template rendered, in order."""
    cutter = _Cutter(tokenizer)
    heads = [template.lay_out_prompt(text.prompt) for text in texts]
    tails = [template.lay_out_completion(text.completion) for text in texts]
    prompts = cutter.cut_all(heads)
    wholes = cutter.cut_all([head + tail for head, tail in zip(heads, tails, strict=True)])
    splits: list[Split] = []
    for tail, prompt, whole in zip(tails, prompts, wholes, strict=True):
        joined = whole[: len(prompt)] == prompt
        splits.append(Split(prompt, whole[len(prompt) :] if joined else cutter.cut_all([tail])[0]))
    return splits


class _Cutter:
    """Tokenizes texts whose control tokens are known."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self._tokenizer = tokenizer
        self._controls = control_tokens(tokenizer)
        self._ids = frozenset(self._controls.values())
        longest_first = sorted(filter(None, self._controls), key=len, reverse=True)
        self._spelling = re.compile(f"({'|'.join(map(re.escape, longest_first)) or '(?!)'})")
        self._added = {token.content: token for token in _added(tokenizer).values()}

    def cut_all(self, rows: Sequence[list[Piece]]) -> list[list[int]]:
        """Tokenize whole what reads as meant, and the rest between its control tokens."""
        texts = ["".join(piece.text for piece in pieces) for pieces in rows]
        cut = self._encode(texts, as_text=False)
        for place, pieces in enumerate(rows):
            runs = self._find_runs(pieces)
            meant = [self._controls[one] for one in runs[1::2]]
            if [token for token in cut[place] if token in self._ids] != meant:
                cut[place] = self._encode_runs(runs)
        return cut

    def _find_runs(self, pieces: list[Piece]) -> list[str]:
        """Return text and control tokens in turn, beginning and ending with a text."""
        runs = [""]
        for piece in pieces:
            parts = self._spelling.split(piece.text) if piece.is_frame else [piece.text]
            runs[-1] += parts[0]
            runs += parts[1:]
        return runs

    def _encode_runs(self, runs: list[str]) -> list[int]:
        texts = runs[::2]
        for number, control in enumerate(runs[1::2]):
            # Some control tokens swallow the white space beside them (Phi-3's).
            token = self._added.get(control)
            if token is not None and token.lstrip:
                texts[number] = texts[number].rstrip()
            if token is not None and token.rstrip:
                texts[number + 1] = texts[number + 1].lstrip()
        ids = self._encode(texts, as_text=True)
        for number, control in enumerate(runs[1::2]):
            ids[number].append(self._controls[control])
        return [token for part in ids for token in part]

    def _encode(self, texts: list[str], *, as_text: bool) -> list[list[int]]:
        if not texts:
            return []
        encoded = self._tokenizer(
            texts,
            add_special_tokens=False,
            split_special_tokens=as_text,
            return_attention_mask=False,
        )
        return encoded["input_ids"]


def _added(tokenizer: "PreTrainedTokenizerBase") -> "dict[int, AddedToken]":
    return cast("dict[int, AddedToken]", tokenizer.added_tokens_decoder)
