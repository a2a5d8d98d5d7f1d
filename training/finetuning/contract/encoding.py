"""Turn rows into tokens and labels, and prove on every row that they are what they should be.

The trained span of a row is exactly its answer and one stop token. What ruins most runs elsewhere
is checked here on all rows before the first step: a stop token masked because it doubles as
padding, a second beginning-of-text token, an answer cut at the length limit, a control token in
the midst of machine-written text, a prompt tokenized otherwise than at inference.

Where prompt and answer part is decided in ``training/tokens.py``. Cost: linear in the text.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from schemas.templates import render
from training.finetuning.contract.faults import ContractError
from training.finetuning.data import Row
from training.tokens import split_rows, split_texts, start_tokens

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


class Encoded(NamedTuple):
    """The examples of a split; with the dropped they account for every row."""

    examples: list[Example]
    overlong: list[str]
    """Ids of rows above the length limit."""


def encode(
    rows: Sequence[Row], tokenizer: "PreTrainedTokenizerBase", max_length_tokens: int
) -> Encoded:
    """Tokenize rows and check each one against its text.

    Raises:
        ContractError: Names the first row whose tokens do not say what its text says.
    """
    if tokenizer.eos_token_id is None:
        raise ContractError(
            f"The tokenizer in {tokenizer.name_or_path} has no stop token (eos_token), so the "
            "student could not learn to end an answer. Set one in its tokenizer_config.json."
        )
    if not rows:
        return Encoded([], [])
    marks = _find_marks(tokenizer)
    examples = _tokenize(rows, tokenizer, marks)
    for row, example in zip(rows, examples, strict=True):
        _check(row, example, tokenizer, marks)
    fitting = [example for example in examples if len(example.input_ids) <= max_length_tokens]
    overlong = [example.id for example in examples if len(example.input_ids) > max_length_tokens]
    return Encoded(fitting, overlong)


def tokenize_rows(
    rows: Sequence[Row], template: "Template", tokenizer: "PreTrainedTokenizerBase"
) -> list[Example]:
    """Tokenize rows: start, prompt, and with labels answer and the template's stop token."""
    texts = [template.render(row.instruction, row.input, row.output, row.language) for row in rows]
    start = start_tokens(tokenizer, template)
    stop = cast("int", tokenizer.convert_tokens_to_ids(template.stop))
    examples: list[Example] = []
    for row, split in zip(rows, split_rows(texts, template, tokenizer), strict=True):
        prompt = [*start, *split.prompt]
        answer = [*split.answer, stop]
        examples.append(Example(row.id, prompt + answer, [IGNORED] * len(prompt) + answer))
    return examples


class _Marks(NamedTuple):
    """The control tokens of a tokenizer."""

    start: list[int]
    """What stands before a text: Gemma's and Llama's ``<bos>``, or nothing."""
    stop: int


def _find_marks(tokenizer: "PreTrainedTokenizerBase") -> _Marks:
    return _Marks(start_tokens(tokenizer), cast("int", tokenizer.eos_token_id))


def _tokenize(
    rows: Sequence[Row], tokenizer: "PreTrainedTokenizerBase", marks: _Marks
) -> list[Example]:
    texts = [render(row.instruction, row.input, row.output, row.language) for row in rows]
    examples: list[Example] = []
    for row, split in zip(rows, split_texts(texts, tokenizer), strict=True):
        prompt = [*marks.start, *split.prompt]
        answer = [*split.answer, marks.stop]
        examples.append(Example(row.id, prompt + answer, [IGNORED] * len(prompt) + answer))
    return examples


def _check(row: Row, example: Example, tokenizer: "PreTrainedTokenizerBase", marks: _Marks) -> None:
    """Compare an example, token by token, with the text it came from."""
    prompt_length = example.labels.count(IGNORED)
    prompt = example.input_ids[:prompt_length]
    answer = example.input_ids[prompt_length:]
    if example.labels != [IGNORED] * prompt_length + answer:
        raise ContractError(f"Row {row.id}: the trained span is not the end of the row.")
    if answer[-1] != marks.stop or prompt[: len(marks.start)] != marks.start:
        raise ContractError(f"Row {row.id}: it lacks its start or stop token.")
    control = {marks.stop, *marks.start}
    if control & {*prompt[len(marks.start) :], *answer[:-1]}:
        raise ContractError(f"Row {row.id}: a control token stands in the midst of its text.")
    text = render(row.instruction, row.input, row.output, row.language)
    prompt = prompt[len(marks.start) :]
    _check_text(row, text.prompt, _decode(prompt, tokenizer))
    # The answer is checked at its place: decoded alone, some tokenizers strip its first space.
    _check_text(row, text.prompt + text.completion, _decode(prompt + answer[:-1], tokenizer))


def _decode(tokens: list[int], tokenizer: "PreTrainedTokenizerBase") -> str:
    return cast("str", tokenizer.decode(tokens, clean_up_tokenization_spaces=False))


def _check_text(row: Row, wanted: str, found: str) -> None:
    if wanted != found:
        place = next(
            (index for index, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b),
            min(len(wanted), len(found)),
        )
        raise ContractError(
            f"Row {row.id}: the student's tokenizer changes its text at character {place}, from "
            f"{wanted[place : place + 20]!r} to {found[place : place + 20]!r}. Choose a student "
            "whose tokenizer knows these characters, or remove the row."
        )
