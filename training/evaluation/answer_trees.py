"""Lay prompts and their possible answers out as rows of a batch.

The answers of a prompt are branches of one sequence: each sees the shared tokens, its prompt and
itself, but not its siblings (a tree mask, with positions that restart at each branch), so three
labels cost their own few tokens and no copy of any key. Branches that begin alike are one as far
as they do. Rows of similar length stand together, padded on the right, where nothing sees padding.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from training.evaluation.shared_prefix import SharedPrefix, Sight


class Encoded(NamedTuple):
    """One prompt and its possible answers as token ids."""

    context: list[int]
    """The tokens that do not depend on the answer."""
    answers: list[list[int]]

    @property
    def longest(self) -> int:
        """Tokens of the prompt with its longest answer."""
        return len(self.context) + max(map(len, self.answers))


class Row(NamedTuple):
    """A prompt's own tokens and its answers' in one sequence, as they are fed to the model."""

    ids: list[int]
    positions: list[int]
    """Counted from the first shared token."""
    parents: list[int]
    """Where the token before stands in the row; -1 after the shared ones."""
    questions: list[list[tuple[int, int]]]
    """By answer, for each of its tokens: where the state that foretells it stands, and its id."""


def plant(encoded: Encoded, shared: int) -> Row:
    """Turn a prompt and its answers into a tree; the last token of an answer is never fed."""
    own = encoded.context[shared:]
    ids, parents = list(own), list(range(-1, len(own) - 1))
    positions = list(range(shared, len(encoded.context)))
    known: dict[tuple[int, int], int] = {}
    questions: list[list[tuple[int, int]]] = []
    for answer in encoded.answers:
        at = len(own) - 1
        asked: list[tuple[int, int]] = []
        for place, token in enumerate(answer):
            asked.append((at, token))
            if place == len(answer) - 1:
                break
            if (at, token) not in known:
                known[at, token] = len(ids)
                ids.append(token)
                positions.append(len(encoded.context) + place)
                parents.append(at)
            at = known[at, token]
        questions.append(asked)
    return Row(ids, positions, parents, questions)


def count_shared(sequences: Sequence[list[int]]) -> int:
    """Count the leading ids common to all; each keeps one id of its own."""
    low, high = min(sequences), max(sequences)
    limit = min(len(ids) for ids in sequences) - 1
    return next((i for i in range(limit) if low[i] != high[i]), limit)


def group_by_length(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Group indices of similar length, longest first, to at most ``batch_tokens`` padded."""
    groups: list[list[int]] = []
    # Longest first: when memory is short the run fails at its start and not at its end.
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if groups and lengths[groups[-1][0]] * (len(groups[-1]) + 1) <= batch_tokens:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


class Batch(NamedTuple):
    """Rows side by side."""

    ids: Tensor
    """``(batch, seq)``"""
    positions: Tensor
    """``(batch, seq)``"""
    sight: Sight


def lay_out(rows: Sequence[Row], prefix: SharedPrefix, device: torch.device) -> Batch:
    """Pad rows on the right to one length, and say what each token sees."""
    width = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    positions = torch.full_like(ids, prefix.length)
    # Padding sees itself: a query that sees nothing would turn into NaN in some kernels.
    visible = torch.eye(width, dtype=torch.bool).repeat(len(rows), 1, 1)
    for place, row in enumerate(rows):
        length = len(row.ids)
        ids[place, :length] = torch.tensor(row.ids, dtype=torch.long)
        positions[place, :length] = torch.tensor(row.positions, dtype=torch.long)
        _mark_ancestors(visible[place], row.parents)
    ids, positions, visible = ids.to(device), positions.to(device), visible.to(device)
    return Batch(ids, positions, Sight(prefix, positions, positions, visible))


def _mark_ancestors(visible: Tensor, parents: list[int]) -> None:
    """Let each token of a row see whatever the token before it sees."""
    # A prompt's tokens follow one another; only those of answers may have another parent.
    chain = next((i for i, parent in enumerate(parents) if parent != i - 1), len(parents))
    visible[:chain, :chain] |= torch.ones(chain, chain, dtype=torch.bool).tril()
    for at in range(chain, len(parents)):
        visible[at] |= visible[parents[at]]
