"""Which rows share a batch, and how a batch is laid out.

Rows of one optimizer step are sorted by length before they are cut into batches, so that short rows
are not filled up to the length of long ones. A step still holds the very rows it would hold
otherwise, and its loss is a mean over all their labelled tokens: training is the same, only
cheaper. (Grouping by length over the whole dataset, as the Trainer offers, saves more but makes
steps of only short and only long rows.)

This module imports torch and is itself imported only when a run starts.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypedDict

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Sampler
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.finetuning.contract.encoding import IGNORED, Example

NO_ROW = -1
"""Fills up the numbers of rows where one sequence of a batch holds fewer than another."""


class Sequences(TypedDict):
    """One sequence of tokens, as the Trainer's dataset holds it: a row, or several packed."""

    input_ids: list[int]
    labels: list[int]
    lengths: list[int]
    """Of the rows in it, in order."""
    rows: list[int]
    """Their numbers among the examples."""


def blank(token: int) -> Sequences:
    """Make a sequence that teaches nothing and counts for nothing."""
    return Sequences(input_ids=[token], labels=[IGNORED], lengths=[1], rows=[])


def lay_out(
    examples: Sequence[Example] | Mapping[int, Example], groups: Sequence[Sequence[int]]
) -> list[Sequences]:
    """Put each group of rows, given by their numbers, one after the other."""
    return [
        Sequences(
            input_ids=[token for row in group for token in examples[row].input_ids],
            # Nothing predicts a row's first token, the row before it least of all.
            labels=[label for row in group for label in (IGNORED, *examples[row].labels[1:])],
            lengths=[len(examples[row].input_ids) for row in group],
            rows=list(group),
        )
        for group in groups
    ]


class Batches(NamedTuple):
    """Make tensors (batch, seq) of sequences, filled up on the right."""

    pad_token: int
    packed: bool
    """Several rows in a sequence: positions begin anew at each row, and there is no attention
    mask, because transformers keeps rows apart by their positions only where no mask is given."""

    def __call__(self, sequences: Sequence[Sequences]) -> dict[str, Tensor]:
        """Lay out ``input_ids``, ``labels``, ``rows`` and what keeps rows and padding apart."""
        batch = {
            "input_ids": _fill([one["input_ids"] for one in sequences], self.pad_token),
            "labels": _fill([one["labels"] for one in sequences], IGNORED),
            "rows": _fill([one["rows"] for one in sequences], NO_ROW),
        }
        width = batch["input_ids"].shape[1]
        if self.packed:
            batch["position_ids"] = torch.stack([_positions(one, width) for one in sequences])
        else:
            sizes = torch.tensor([[len(one["input_ids"])] for one in sequences])
            batch["attention_mask"] = (torch.arange(width) < sizes).long()
        return batch


def _fill(lists: list[list[int]], value: int) -> Tensor:
    # The type is named for the blank's empty list of rows, which would be floats.
    tensors = [torch.tensor(each, dtype=torch.int64) for each in lists]
    return pad_sequence(tensors, batch_first=True, padding_value=value)


def _positions(sequence: Sequences, width: int) -> Tensor:
    """Count from 0 in each row; the padding is a row of its own, so that no row sees it."""
    padding = width - len(sequence["input_ids"])
    return torch.cat([torch.arange(length) for length in (*sequence["lengths"], padding)])


class StepSampler(Sampler[int]):
    """All rows in random order, those of each optimizer step from the longest to the shortest."""

    def __init__(
        self, lengths: Sequence[int], rows_a_step: int, random_seed: int, multiple: int = 1
    ) -> None:
        """Take what decides the order.

        Args:
            lengths: Of each row.
            rows_a_step: Rows that all processes together take a step.
            random_seed: Of the order.
            multiple: An epoch is filled up to a multiple of this with the number that follows the
                last row's, which stands for :func:`blank`. Several processes need as many batches
                each, and accelerate would give out the first rows of the epoch once more.
        """
        self._lengths = lengths
        self._rows_a_step = rows_a_step
        self._random_seed = random_seed
        self._fill = -len(lengths) % multiple
        self.epoch = 0

    def __len__(self) -> int:
        """Count all rows, each of which is drawn once an epoch, and what fills it up."""
        return len(self._lengths) + self._fill

    def __iter__(self) -> Iterator[int]:
        """Draw the order of the epoch; it depends on nothing but seed and epoch."""
        generator = torch.Generator().manual_seed((self._random_seed << 20) + self.epoch)
        order: list[int] = torch.randperm(len(self._lengths), generator=generator).tolist()
        for start in range(0, len(order), self._rows_a_step):
            step = order[start : start + self._rows_a_step]
            yield from sorted(step, key=lambda row: -self._lengths[row])
        yield from [len(self._lengths)] * self._fill


class EpochCallback(TrainerCallback):
    """Tell a sampler the epoch, which accelerate does not when a run continues in its midst."""

    def __init__(self, sampler: StepSampler) -> None:
        """Take the sampler of the training rows."""
        self._sampler = sampler

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Set the epoch that begins."""
        self._sampler.epoch = int(state.epoch or 0)
