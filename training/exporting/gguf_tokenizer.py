"""Describe a Hugging Face tokenizer in GGUF: byte-level BPE whose split rule llama.cpp has.

llama.cpp knows split rules by name only. Its own converter finds the name by hashing the tokens of
one fixed text, which fails for every new vocabulary; here the rule itself is compared, as the
tokenizer states it. A wrong name splits digits or spaces otherwise, with no error, so an unknown
rule is refused.
"""

import json
from typing import TYPE_CHECKING, Any

from gguf import GGUFValueType, TokenType

from training.exporting.gguf_metadata import Entry, GgufError
from training.tokens import start_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_GPT2 = ("ByteLevel", True)
_BYTES = ("ByteLevel", False)
_LETTERS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_RULES: dict[tuple[object, ...], str] = {
    (_GPT2,): "gpt-2",
    (("Digits", True), _GPT2): "smollm",
    (("Split", _LETTERS + r"\p{N}" + _REST), _BYTES): "qwen2",
    (("Split", _LETTERS + r"\p{N}{1,3}" + _REST), _BYTES): "llama-bpe",
}
"""The steps of a split rule to llama.cpp's name for it."""


def describe_tokenizer(tokenizer: "PreTrainedTokenizerBase", rows: int) -> dict[str, Entry]:
    """Write a tokenizer as metadata.

    Args:
        tokenizer: What the student was trained with.
        rows: Of its input embeddings; ids that the tokenizer lacks become unused tokens.

    Raises:
        GgufError: It is no byte-level BPE, or llama.cpp does not have its split rule.
    """
    backend: Any = tokenizer
    stated = json.loads(backend.backend_tokenizer.to_str())
    rule = _find_rule(stated)
    tokens = [f"[PAD{number}]" for number in range(rows)]
    types = [int(TokenType.UNUSED)] * rows
    for token, number in tokenizer.get_vocab().items():
        tokens[number], types[number] = token, int(TokenType.NORMAL)
    for number, token in tokenizer.added_tokens_decoder.items():
        types[number] = int(TokenType.CONTROL if token.special else TokenType.USER_DEFINED)
    merges = [" ".join(pair) for pair in stated["model"]["merges"]]
    return {
        "tokenizer.ggml.model": _text("gpt2"),
        "tokenizer.ggml.pre": _text(rule),
        "tokenizer.ggml.tokens": Entry([*tokens], GGUFValueType.ARRAY, GGUFValueType.STRING),
        "tokenizer.ggml.token_type": Entry([*types], GGUFValueType.ARRAY, GGUFValueType.INT32),
        "tokenizer.ggml.merges": Entry([*merges], GGUFValueType.ARRAY, GGUFValueType.STRING),
        "tokenizer.ggml.add_bos_token": Entry(bool(start_tokens(tokenizer)), GGUFValueType.BOOL),
        **_special_ids(tokenizer),
    }


def _special_ids(tokenizer: Any) -> dict[str, Entry]:  # noqa: ANN401 - its ids are untyped
    ids = {
        # llama.cpp would take token 11 where none is named.
        "bos": tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id,
        "eos": tokenizer.eos_token_id,
        "unknown": tokenizer.unk_token_id,
        "padding": tokenizer.pad_token_id,
    }
    return {
        f"tokenizer.ggml.{name}_token_id": Entry(number, GGUFValueType.UINT32)
        for name, number in ids.items()
        if number is not None
    }


def _find_rule(stated: dict[str, Any]) -> str:
    kind = stated["model"]["type"]
    pre: dict[str, Any] = stated["pre_tokenizer"] or {"type": "none"}
    normalizer: str = (stated["normalizer"] or {"type": "NFC"})["type"]
    steps: list[dict[str, Any]] = pre.get("pretokenizers", [pre])
    rule = _RULES.get(tuple(map(_state_step, steps)))
    # llama.cpp does not compose characters; text that people type is composed already.
    if kind != "BPE" or normalizer != "NFC" or rule is None:
        found = " + ".join([kind, *(step["type"] for step in steps)])
        raise GgufError(
            f"The student's tokenizer ({found}) splits text by a rule that GGUF has no name for "
            f"here; known are {', '.join(_RULES.values())}. Export it with --format hf instead."
        )
    return rule


def _state_step(step: dict[str, Any]) -> tuple[object, ...]:
    """Reduce a step to what decides where it cuts; what else it may do makes it unknown."""
    kind = step["type"]
    if kind == "ByteLevel" and not step["add_prefix_space"]:
        return kind, step["use_regex"]
    if kind == "Digits":
        return kind, step["individual_digits"]
    if kind == "Split" and step["behavior"] == "Isolated" and not step["invert"]:
        return kind, step["pattern"].get("Regex")
    return (kind,)


def _text(text: str) -> Entry:
    return Entry(text, GGUFValueType.STRING)
