"""Instruction-following difficulty: how much a task helps a student to foresee its answer.

IFD of a record is the perplexity of its output given the task, over that of the output alone
(arXiv:2308.12032, section 2.2). Near 0 the task gives the answer away; above 1 it makes the answer
less likely than no task at all, and the two hardly belong together. The prompt is the one that the
student is trained with; what is longer than a row loses the middle of its task and the end of its
answer. Rows are sorted by length and padded on the right, which a causal model
does not see. Cost: two forward passes over each record's tokens; on two CPU cores SmolLM2 takes
about 0.1 s a record.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from schemas.progress import Progress, no_progress
from schemas.rendering import Rendered
from schemas.templates import INSTRUCTION

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_BATCH_TOKENS = 2048
_LONGEST_TOKENS = 1024
"""Tokens of a row at most, where the model has so many positions."""
_MOST_NATS = 700.0
"""Beyond it the ratio would be no number."""


class _Row(NamedTuple):
    context: list[int]
    answer: list[int]

    @property
    def length(self) -> int:
        return len(self.context) + len(self.answer)


def measure_difficulty(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    texts: Sequence[Rendered],
    progress: Progress = no_progress,
) -> list[float]:
    """Measure the difficulty of each pair of prompt and answer, in their order.

    Args:
        model: A causal language model in evaluation mode.
        tokenizer: Its tokenizer.
        texts: Records in the instruction form.
        progress: Told the rows that are done; there are two for each pair.

    Returns:
        Ratios of perplexities, above 0; 1 for an answer without tokens.
    """
    from training.tokens import split_rows, start_tokens

    if not texts:
        return []
    start = start_tokens(tokenizer)
    # The first token needs something before it to be foreseen from.
    begin = start or [cast("int", tokenizer.eos_token_id)]
    longest = min(
        _LONGEST_TOKENS, getattr(model.config, "max_position_embeddings", _LONGEST_TOKENS)
    )
    rows: list[_Row] = []
    for prompt, answer in split_rows(texts, INSTRUCTION, tokenizer):
        # The answer gets what the task leaves, and half of the row in any case.
        room = longest - min(len(answer), longest // 2)
        task = _leave_out_middle([*start, *prompt], room)
        kept = answer[: longest - len(task)]
        rows += [_Row(task, kept), _Row(begin, kept)]
    losses = _mean_losses(model, rows, progress)
    return [
        math.exp(min(given - alone, _MOST_NATS))
        for given, alone in zip(losses[::2], losses[1::2], strict=True)
    ]


def _leave_out_middle(tokens: list[int], most: int) -> list[int]:
    """Keep both ends: how the task begins, and where the template asks for the answer."""
    if len(tokens) <= most:
        return tokens
    end = most // 2
    return [*tokens[: most - end], *tokens[len(tokens) - end :]]


def _mean_losses(model: "PreTrainedModel", rows: Sequence[_Row], progress: Progress) -> list[float]:
    """Compute nats a token of each row's answer."""
    losses = [0.0] * len(rows)
    order = sorted(
        (place for place, row in enumerate(rows) if row.answer),
        key=lambda place: rows[place].length,
    )
    done = 0
    while done < len(order):
        longest = rows[order[done]].length
        size = 1
        while done + size < len(order):
            longest = rows[order[done + size]].length
            if longest * (size + 1) > _BATCH_TOKENS:
                break
            size += 1
        batch = order[done : done + size]
        for place, loss in zip(batch, _batch_losses(model, [rows[p] for p in batch]), strict=True):
            losses[place] = loss
        done += size
        progress(done, len(order), "perplexities")
    return losses


def _batch_losses(model: "PreTrainedModel", rows: Sequence[_Row]) -> list[float]:
    import torch

    longest = max(row.length for row in rows)
    ids = torch.zeros((len(rows), longest), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : row.length] = torch.tensor([*row.context, *row.answer])
        mask[place, : row.length] = 1
    ids, mask = ids.to(model.device), mask.to(model.device)
    with torch.inference_mode():
        hidden = model.base_model(input_ids=ids, attention_mask=mask, use_cache=False)[0]
        # Only where an answer's token is foreseen: all positions of a 262k vocabulary fill memory.
        return [_answer_loss(model, hidden[place], row) for place, row in enumerate(rows)]


def _answer_loss(model: "PreTrainedModel", hidden: "torch.Tensor", row: _Row) -> float:
    import torch

    first = len(row.context) - 1
    head = cast("torch.nn.Module", model.get_output_embeddings())
    logits = head(hidden[first : first + len(row.answer)]).float()
    targets = torch.tensor(row.answer, device=logits.device)
    return float(torch.nn.functional.cross_entropy(logits, targets))
