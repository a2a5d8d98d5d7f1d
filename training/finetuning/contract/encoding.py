"""Turn rows into tokens and labels.

The trained span of a row is exactly its answer and one stop token. That it is so on every row is
proven elsewhere (``examining.py``), which takes nothing from here for granted. Where prompt and
answer part is decided in ``training/tokens.py``. Cost: linear in the text, about 0.2 ms a row.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from training.finetuning.data import Row
from training.tokens import split_rows, start_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from schemas.templates import Template

IGNORED = -100
"""Label of a position that is not trained, as torch's cross entropy has it."""


class Example(NamedTuple):
    """A row in tokens."""

    id: str
    input_ids: list[int]
    labels: list[int]
    """``IGNORED`` on the prompt, the token itself on answer and stop token."""


def tokenize_rows(
    rows: Sequence[Row], template: "Template", tokenizer: "PreTrainedTokenizerBase"
) -> list[Example]:
    """Tokenize rows: start and prompt, then with labels answer and the template's stop token."""
    texts = [template.render(row.instruction, row.input, row.output, row.language) for row in rows]
    start = start_tokens(tokenizer, template)
    stop = cast("int", tokenizer.convert_tokens_to_ids(template.stop))
    examples: list[Example] = []
    for row, split in zip(rows, split_rows(texts, template, tokenizer), strict=True):
        prompt = [*start, *split.prompt]
        answer = [*split.answer, stop]
        examples.append(Example(row.id, prompt + answer, [IGNORED] * len(prompt) + answer))
    return examples
