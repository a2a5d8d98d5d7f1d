"""How well a model foretells the answers of records that no one was trained on, in bits per byte.

A loss per token says nothing between models that cut text differently; bits over the bytes of the
text do (Gao et al. 2020, The Pile, arXiv:2101.00027, section 3.1). Only the answer counts, given
its prompt, with the separator that joins the two. The stop token does not: a base model never
learned it and would lose some ten bits a record to a tuned one for that alone, which would drown
what is asked here; how often a model ends its answers is measured by itself.

Two models are compared record by record: the interval of the difference is the percentile bootstrap
over records (Efron & Tibshirani 1993, chapter 13). Cost: one forward pass over each record, and
resamples times records.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from schemas.evaluation import HeldOutLoss
from schemas.progress import Progress, no_progress
from schemas.records import LANGUAGES, InstructionRecord, Language
from schemas.templates import Template
from training.evaluation.statistics.intervals import RESAMPLES

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    from training.evaluation.answerers import Answerer

_BITS_PER_NAT = 1 / math.log(2)
_TAIL = 0.025
_DRAWN_AT_ONCE = 4_000_000


class RecordLoss(NamedTuple):
    """Of one record's answer."""

    language: Language
    bits: float
    bytes: int
    """Of the answer in UTF-8, without the separator."""


def measure_losses(
    answerer: "Answerer",
    records: Sequence[InstructionRecord],
    template: Template,
    progress: Progress = no_progress,
) -> list[RecordLoss]:
    """Measure a model's loss on each record's answer, in their order.

    Args:
        answerer: The model.
        records: Whose outputs are not empty.
        template: The form in which all models are asked.
        progress: Told how many records are done.
    """
    rendered = [
        template.render(one.instruction, one.input, one.output, one.language) for one in records
    ]
    scores = answerer.score(
        [one.prompt for one in rendered],
        [[one.completion] for one in rendered],
        template,
        progress,
    )
    return [
        RecordLoss(record.language, -log_prob * _BITS_PER_NAT, len(record.output.encode()))
        for record, (log_prob,) in zip(records, scores, strict=True)
    ]


def compare_losses(
    losses: Mapping[str, Sequence[RecordLoss]], baseline: str, seed: int
) -> list[HeldOutLoss]:
    """Sum up the losses of each model and language, and compare them with the baseline's.

    Args:
        losses: By model, of the same records in the same order.
        baseline: The model that all are compared with. Without its losses the answer is empty: a
            difference of 0 to a model that was not measured would pass the gate.
        seed: Of the resamples, which are the same for all models.

    Returns:
        Models in their order, of each its languages.
    """
    if baseline not in losses:
        return []
    return [
        _sum_up(
            model,
            language,
            [one for one in found if one.language == language],
            [one for one in losses[baseline] if one.language == language],
            seed,
        )
        for model, found in losses.items()
        for language in LANGUAGES
        if any(one.language == language for one in found)
    ]


def _sum_up(
    model: str,
    language: Language,
    own: Sequence[RecordLoss],
    baseline: Sequence[RecordLoss],
    seed: int,
) -> HeldOutLoss:
    size = sum(one.bytes for one in own)
    apart = [one.bits - other.bits for one, other in zip(own, baseline, strict=True)]
    low, high = _bootstrap(apart, [one.bytes for one in own], seed)
    return HeldOutLoss(
        model=model,
        language=language,
        records=len(own),
        bytes=size,
        bits_per_byte=sum(one.bits for one in own) / size,
        difference=sum(apart) / size,
        low=low,
        high=high,
    )


def _bootstrap(bits: Sequence[float], sizes: Sequence[int], seed: int) -> tuple[float, float]:
    """Return the 95 % interval of bits over bytes, records drawn with replacement."""
    import numpy as np

    count = len(bits)
    generator = np.random.default_rng(seed)
    parts: list[NDArray[float64]] = []
    drawn = 0
    while drawn < RESAMPLES:
        some = min(RESAMPLES - drawn, max(1, _DRAWN_AT_ONCE // count))
        counts = generator.multinomial(count, np.full(count, 1 / count), some)
        parts.append((counts @ np.array(bits)) / (counts @ np.array(sizes)))
        drawn += some
    low, high = np.quantile(np.concatenate(parts), [_TAIL, 1 - _TAIL])
    return float(low), float(high)
