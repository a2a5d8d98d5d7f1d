"""The data contract: no step before every row is proven to train what it should, and no more.

The trained span of a row is exactly its answer and the template's stop token; nothing is cut; no
control token comes from a record's text; prompts are tokenized as at inference; nothing that the
student will be measured on is among the training rows. Cost: linear; rows of 150 tokens take about
0.5 ms each with SmolLM2's tokenizer.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import median_low
from typing import TYPE_CHECKING, Literal, NamedTuple

from schemas.manifest import ContractSummary
from training.finetuning.contract.encoding import IGNORED, Example, tokenize_rows
from training.finetuning.contract.examining import Marks, examine, find_marks
from training.finetuning.contract.faults import (
    ContractError,
    Fault,
    TokenRow,
    count_kinds,
    describe,
    find_worst,
)
from training.finetuning.contract.preview import find_spans
from training.finetuning.contract.protection import (
    NOTHING_PROTECTED,
    Protected,
    find_evaluation_items,
    find_leaks,
)
from training.finetuning.contract.template_probe import check_template
from training.finetuning.data import Row, TrainingData

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from schemas.templates import Template


class Limits(NamedTuple):
    """What recipe and student allow."""

    max_length_tokens: int
    """Longest row, start and stop token included."""
    vocabulary_size: int
    """Rows of the student's embedding matrix."""
    on_overlong: Literal["refuse", "drop"] = "refuse"
    min_rows: int = 1
    """Training rows that have to be left when overlong ones are dropped."""


class Contract(NamedTuple):
    """Rows that were proven fit, in tokens."""

    train: list[Example]
    validation: list[Example]
    summary: ContractSummary


class _Split(NamedTuple):
    name: str
    rows: list[Row]
    examples: list[Example]
    overlong: list[Example]


def check(
    data: TrainingData,
    template: "Template",
    tokenizer: "PreTrainedTokenizerBase",
    limits: Limits,
    protected: Protected = NOTHING_PROTECTED,
) -> Contract:
    """Tokenize a dataset version and prove every row of it.

    Args:
        data: The version.
        template: Turns records into text.
        tokenizer: The student's.
        limits: What recipe and student allow.
        protected: Evaluation items that no training row may be or contain.

    Raises:
        ContractError: Template and tokenizer do not fit, or rows are faulty: the first of the
            worst kind, how many there are, and the remedy.
    """
    stop = check_template(template, tokenizer)
    marks = find_marks(template, tokenizer, stop)
    splits = [
        _tokenize(name, rows, template, tokenizer, limits)
        for name, rows in (("train", data.train), ("validation", data.validation))
    ]
    train, validation = splits
    faults = [
        fault
        for split in splits
        for fault in examine(
            split.rows, split.examples, template, tokenizer, marks, limits.vocabulary_size,
            split.name,
        )
    ]  # fmt: skip
    faults += find_evaluation_items(train.rows, protected)
    faults += find_leaks(train.rows, validation.rows, data.manifest.split_by == "lineage")
    overlong = [*train.overlong, *validation.overlong]
    if limits.on_overlong == "refuse":
        faults += _name_overlong(splits, limits.max_length_tokens)
    if faults:
        raise _refuse(faults, splits, tokenizer, marks)
    _check_enough(train.examples, validation.examples, len(overlong), limits)
    summary = _summarise(train, validation, len(overlong))
    return Contract(train.examples, validation.examples, summary)


def _tokenize(
    name: str,
    rows: list[Row],
    template: "Template",
    tokenizer: "PreTrainedTokenizerBase",
    limits: Limits,
) -> _Split:
    """Tokenize a split and set its overlong rows aside."""
    fitting = _Split(name, [], [], [])
    for row, example in zip(rows, tokenize_rows(rows, template, tokenizer), strict=True):
        if len(example.input_ids) > limits.max_length_tokens:
            fitting.overlong.append(example)
        else:
            fitting.rows.append(row)
            fitting.examples.append(example)
    return fitting


def _name_overlong(splits: Sequence[_Split], limit: int) -> list[Fault]:
    return [
        Fault(
            "overlong", example.id, split.name,
            f"{len(example.input_ids)} tokens, the limit is {limit}",
        )
        for split in splits
        for example in split.overlong
    ]  # fmt: skip


def _refuse(
    faults: Sequence[Fault],
    splits: Sequence[_Split],
    tokenizer: "PreTrainedTokenizerBase",
    marks: Marks,
) -> ContractError:
    worst = find_worst(faults)
    total = sum(len(split.examples) + len(split.overlong) for split in splits)
    example = next(
        example
        for split in splits
        for example in (*split.examples, *split.overlong)
        if (split.name, example.id) == (worst.split, worst.row_id)
    )
    rows = _lay_out(example, tokenizer)
    return ContractError(describe(faults, total), count_kinds(faults), rows)


def _lay_out(example: Example, tokenizer: "PreTrainedTokenizerBase") -> list[TokenRow]:
    """Write the tokens of an example one under the other; whole characters beside their first."""
    return [
        TokenRow(token, span.text if place == 0 else "", span.role != "prompt")
        for span in find_spans(example, tokenizer)
        for place, token in enumerate(span.token_ids)
    ]


def _check_enough(
    train: list[Example], validation: list[Example], overlong: int, limits: Limits
) -> None:
    if len(train) < limits.min_rows or not validation:
        raise ContractError(
            f"Without the {overlong} rows above {limits.max_length_tokens} tokens there are "
            f"{len(train)} training and {len(validation)} validation rows left; wanted at least "
            f"{limits.min_rows} and 1. Raise max_length_tokens or generate more."
        )


def _summarise(train: _Split, validation: _Split, overlong: int) -> ContractSummary:
    lengths = [len(example.input_ids) for example in train.examples]
    kinds = {tuple(example.input_ids) for example in train.examples}
    return ContractSummary(
        rows={"train": len(train.examples), "validation": len(validation.examples)},
        overlong=overlong,
        tokens=sum(lengths),
        trained_tokens=sum(
            len(example.labels) - example.labels.count(IGNORED) for example in train.examples
        ),
        length_median=median_low(lengths),
        length_longest=max(lengths),
        languages=dict(Counter(row.language for row in train.rows)),
        duplicates=len(lengths) - len(kinds),
    )
