"""Put several rows into one sequence, and prove on the student that no row sees another.

Rows are packed best fit, decreasing: longest first, each into the sequence that it leaves least
room in (Ding et al. 2024, arXiv:2404.10830). No row is ever cut. What keeps rows apart is nothing
but their positions, from which transformers makes a block-diagonal mask if it is given no mask and
no cache; where a model or a version does otherwise, rows see each other and nothing fails: logits
were off by 6 to 39. So a few rows are read packed and alone before the first step.

Packing costs O(n log n) comparisons. The probe costs a few forward passes of some hundred tokens.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.errors import PacaloomError
from training.finetuning.batches import Batches, lay_out
from training.finetuning.contract.encoding import IGNORED, Example

if TYPE_CHECKING:
    from torch import Tensor

_PROBED_TOKENS = 512
"""Of each of the two sequences that are probed, unless two rows are longer."""
_PROBED_ROWS = 8
"""Of each of the two."""
_PROBED_POSITIONS = 4
"""Labelled positions compared in a row, its first ones."""
_EXACT = 1e-4
_ROUNDED = 5e-2
"""Greatest difference of logits, relative to the greatest logit: in fp32, and where weights are
multiplied in bf16, whose rounding (2^-8 a product) adds up over the layers."""


class PackingError(PacaloomError):
    """Packed rows would see each other."""


class Probe(NamedTuple):
    """How far the logits of packed rows are from those of the same rows alone."""

    difference: float
    """Greatest of all labelled positions."""
    scale: float
    """Greatest logit."""
    row: str
    """Id of the row with the greatest difference."""


def pack_rows(lengths: Sequence[int], limit: int) -> list[list[int]]:
    """Share rows out over sequences of at most ``limit`` tokens.

    Args:
        lengths: Of each row, in tokens, none above the limit.
        limit: Tokens of a sequence.

    Returns:
        The numbers of the rows of each sequence; every row is in exactly one.
    """
    packs: list[list[int]] = []
    # Sequences that have room, by that room; among equals the older one is filled first.
    rooms: list[tuple[int, int]] = []
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        place = bisect_left(rooms, (lengths[row], 0))
        if place < len(rooms):
            room, pack = rooms.pop(place)
        else:
            room, pack = limit, len(packs)
            packs.append([])
        packs[pack].append(row)
        insort(rooms, (room - lengths[row], pack))
    return packs


def probe_packing(
    model: Any,  # noqa: ANN401 (a transformers model, or one of peft's)
    examples: Sequence[Example],
    packs: Sequence[Sequence[int]],
    pad_token: int,
    *,
    rounded: bool,
) -> Probe:
    """Compare logits at labelled positions of some rows, packed and alone.

    Args:
        model: The student, on its device; left in the mode it was in.
        examples: The training rows.
        packs: The numbers of the rows of each sequence.
        pad_token: The student's.
        rounded: Whether the student multiplies in bf16 even outside autocast (4-bit weights do).

    Raises:
        PackingError: They differ by more than rounding does.
    """
    probe = _measure(model, examples, _choose(examples, packs), pad_token)
    bound = (_ROUNDED if rounded else _EXACT) * max(1.0, probe.scale)
    if not probe.difference <= bound:
        raise PackingError(
            f"Packed into one sequence, rows of this student see each other: logits of row "
            f"{probe.row!r} differ by {probe.difference:.2g} from those of the row alone, and at "
            f"most {bound:.2g} is rounding. Set packing to false."
        )
    return probe


def _choose(examples: Sequence[Example], packs: Sequence[Sequence[int]]) -> list[list[int]]:
    """Take some rows of two sequences: a batch of one would hide faults of larger ones."""
    chosen: list[list[int]] = []
    for pack in sorted(packs, key=len, reverse=True)[:2]:
        total, rows = 0, list[int]()
        # Shortest first, so that there are many borders.
        for row in reversed(pack[-_PROBED_ROWS:]):
            total += len(examples[row].input_ids)
            if len(rows) >= 2 and total > _PROBED_TOKENS:
                break
            rows.append(row)
        chosen.append(rows)
    return chosen


def _measure(
    model: Any,  # noqa: ANN401
    examples: Sequence[Example],
    packs: list[list[int]],
    pad_token: int,
) -> Probe:
    """Read the rows both ways and find the greatest difference."""
    import torch

    few = {row: _keep_few_labels(examples[row]) for pack in packs for row in pack}
    was_training = model.training
    model.eval()
    worst = Probe(-1.0, 0.0, "")
    with torch.no_grad():
        together = _read(model, Batches(pad_token, packed=True)(lay_out(few, packs)))
        for row in few:
            alone = _read(model, Batches(pad_token, packed=False)(lay_out(few, [[row]])))
            found, together = together[: len(alone)], together[len(alone) :]
            difference = (found - alone).abs().max().item()
            scale = max(worst.scale, alone.abs().max().item())
            # What is not a number compares as no less: it is the worst.
            worse = not difference <= worst.difference
            worst = (
                Probe(difference, scale, examples[row].id) if worse else worst._replace(scale=scale)
            )
    model.train(was_training)
    return worst


def _keep_few_labels(example: Example) -> Example:
    """Keep the first labels of a row: its logits are as large as the vocabulary."""
    seen = 0
    labels: list[int] = []
    for label in example.labels:
        seen += label != IGNORED
        labels.append(label if seen <= _PROBED_POSITIONS else IGNORED)
    return example._replace(labels=labels)


def _read(model: Any, batch: "dict[str, Tensor]") -> "Tensor":  # noqa: ANN401
    """Compute the logits (n, vocabulary) that predict the labelled tokens of a batch, in order."""
    import torch

    own = {name: tensor.to(model.device) for name, tensor in batch.items()}
    labels = own.pop("labels")
    del own["rows"]
    predicting = torch.zeros_like(labels, dtype=torch.bool)
    predicting[:, :-1] = labels[:, 1:] != IGNORED
    hook = model.get_output_embeddings().register_forward_pre_hook(
        lambda _, hidden: (hidden[0][predicting],)
    )
    try:
        return model(**own, use_cache=False).logits.float()
    finally:
        hook.remove()
