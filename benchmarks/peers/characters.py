"""A tokenizer whose tokens are code points, so that what a peer made of a text can be read back."""

from collections.abc import Sequence

BEGIN, END, PAD = 0x110000, 0x110001, 0x110002


class CharacterTokenizer:
    """What the loaders of trainers ask of a tokenizer, and no more."""

    bos_token_id = BEGIN
    eos_token_id = END

    def __call__(self, text: str, **_: object) -> dict[str, list[int]]:
        ids = [ord(character) for character in text]
        return {"input_ids": ids, "attention_mask": [1] * len(ids)}


def decode(ids: Sequence[int]) -> str:
    """Turn tokens into text, without begin, end and padding."""
    return "".join(chr(token) for token in ids if token < BEGIN)
