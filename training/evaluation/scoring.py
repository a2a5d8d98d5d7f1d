"""Log-probabilities of whole answers after many prompts that begin alike.

The score of an answer is the sum of the log-probabilities of all its tokens, given the prompt:
the probability that the model's text *begins* with the answer. The stop token is left out: base
models never learned to end a turn, so it would add noise to their rows only, and no label is a
prefix of another (tasks see to that), so the events exclude one another without it.

What is computed once. Per call: keys and values of the tokens that all prompts share (the worked
examples and the instruction). Per item: its own tokens. The answers are branches of one sequence:
each sees the shared tokens, its item and itself, but not its siblings (a tree mask, with positions
that restart at each branch), so three labels cost their own few tokens and no copy of any cache.

Rows are sorted by length, padded on the left so that all answers end in the same columns, and only
those columns meet the output matrix. Padding is outside every mask and outside the positions, so
the result is that of plain transformers one prompt at a time, up to float rounding.

Cost: ``shared + Σ (item + answers)`` tokens of linear layers, against
``items * labels * (shared + item + answer)`` without; attention grows with ``shared`` per token.
Memory beyond the weights: the shared cache once, and one layer's expanded cache at a time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import Cache, DynamicCache, PreTrainedModel, PreTrainedTokenizerBase
from transformers.cache_utils import (
    CacheLayerMixin,
    DummyLayer,
    DynamicLayer,
    LinearAttentionCacheLayerMixin,
)

from schemas.errors import PacaloomError, UserError
from schemas.progress import Progress, no_progress
from schemas.rendering import Rendered
from schemas.templates import INSTRUCTION, Template
from training.tokens import split_rows, start_tokens

BATCH_TOKENS = 2048
"""Padded tokens a forward pass. More spreads the reading of weights, and pads and needs more."""


class PromptTooLongError(UserError):
    """A prompt that the model's positions cannot hold."""


class UnsupportedModelError(UserError):
    """A model of a kind that cannot be scored here."""


class BrokenModelError(PacaloomError):
    """A model whose outputs are not numbers."""


class _Encoded(NamedTuple):
    """One prompt and its possible answers as token ids."""

    context: list[int]
    """The tokens that do not depend on the answer."""
    answers: list[list[int]]


class _Batch(NamedTuple):
    """Rows padded on the left, answers as branches on the right."""

    ids: Tensor
    """``(batch, seq)``"""
    positions: Tensor
    """``(batch, seq)``, counted from the first shared token."""
    visible: Tensor
    """``(batch, seq, seq)``: which of the row's own tokens a token sees."""


def score_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    answers: Sequence[str],
    batch_tokens: int = BATCH_TOKENS,
    progress: Progress = no_progress,
    template: Template = INSTRUCTION,
) -> list[list[float]]:
    """Return the log-probability (nats) of each answer after each prompt.

    Args:
        model: In eval mode, on its device, with sdpa attention.
        tokenizer: The model's own.
        prompts: In any order; the longer their common beginning, the cheaper.
        answers: With the separator that joins them to the prompt.
        batch_tokens: Padded tokens a forward pass.
        progress: Told after each batch how many prompts are done.
        template: What rendered prompts and answers; control tokens are only where it has some.

    Raises:
        PromptTooLongError: A prompt with its answer exceeds the model's positions.
        UnsupportedModelError: A model with layers that are not attention, or not sdpa's.
        BrokenModelError: A log-probability is not finite.
    """
    _check_attention(model)
    encoded = _encode(tokenizer, prompts, answers, template)
    _check_lengths(model, encoded)
    shared = _shared_length([item.context for item in encoded])
    scores: list[list[float]] = [[] for _ in encoded]
    done = 0
    with torch.inference_mode():
        prefix = _run_prefix(model, encoded[0].context[:shared]) if shared else None
        for group in _group_by_length(encoded, shared, batch_tokens):
            rows = [encoded[index] for index in group]
            for index, values in zip(group, _score_batch(model, rows, shared, prefix), strict=True):
                scores[index] = values
            done += len(group)
            progress(done, len(encoded))
    return scores


def keep_output_exact(model: PreTrainedModel) -> None:
    """Let a bf16 model compute its logits in fp32 from here on.

    A bf16 logit of 20 is a multiple of 1/8, so two answers often tie and the first would win. The
    layers before keep bf16's speed; only the few columns of the answers meet this matrix.
    """
    output = model.get_output_embeddings()
    model.set_output_embeddings(_ExactOutput(output.weight))  # pyright: ignore[reportOptionalMemberAccess]


class _ExactOutput(torch.nn.Module):
    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(weight.float(), requires_grad=False)

    def forward(self, hidden: Tensor) -> Tensor:
        return torch.nn.functional.linear(hidden.float(), self.weight)


def _encode(
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    answers: Sequence[str],
    template: Template,
) -> list[_Encoded]:
    """Tokenize every prompt with every answer, cut as in training."""
    texts = [Rendered(prompt, answer) for prompt in prompts for answer in answers]
    splits = split_rows(texts, template, tokenizer)
    start = start_tokens(tokenizer, template)
    encoded: list[_Encoded] = []
    for first in range(0, len(splits), len(answers)):
        group = splits[first : first + len(answers)]
        encoded.append(_Encoded([*start, *group[0].prompt], [split.answer for split in group]))
    return encoded


def _shared_length(sequences: list[list[int]]) -> int:
    """Count the leading ids common to all; each keeps one id of its own."""
    low, high = min(sequences), max(sequences)
    limit = min(len(ids) for ids in sequences) - 1
    return next((i for i in range(limit) if low[i] != high[i]), limit)


def _check_attention(model: PreTrainedModel) -> None:
    """Refuse other kernels: eager attention adds a boolean mask as 0 and 1 instead of masking."""
    kernel = getattr(model.config, "_attn_implementation", None)
    if kernel != "sdpa":
        raise UnsupportedModelError(
            f"{model.config.model_type} models run with {kernel} attention here, scoring needs "
            "sdpa; evaluate a model whose class supports it."
        )


def _check_lengths(model: PreTrainedModel, encoded: list[_Encoded]) -> None:
    limit = getattr(model.config, "max_position_embeddings", None)
    longest = max(len(item.context) + max(map(len, item.answers)) for item in encoded)
    if limit is not None and longest > limit:
        raise PromptTooLongError(
            f"The longest prompt has {longest} tokens, the model holds {limit}: use fewer worked "
            "examples (--shots) or shorter texts."
        )


def _run_prefix(model: PreTrainedModel, ids: list[int]) -> Cache:
    """Compute keys and values of the shared tokens once."""
    cache = DynamicCache()
    model(
        input_ids=torch.tensor([ids], device=model.device),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    layers: list[CacheLayerMixin | LinearAttentionCacheLayerMixin | DummyLayer] = []
    for layer in cache.layers:
        if not isinstance(layer, DynamicLayer) or layer.keys is None or layer.values is None:
            raise UnsupportedModelError(
                f"{model.config.model_type} models keep no keys and values that could be shared; "
                "evaluate a model whose layers are all attention."
            )
        layers.append(_SharedLayer(layer.keys, layer.values))
    return Cache(layers=layers)


class _SharedLayer(DynamicLayer):
    """One layer's keys and values of the shared tokens, lent to every row of every batch.

    A plain cache would hold the expanded copies of all layers and grow with each batch; this one
    gives the joined tensors to the attention that asked and forgets them.
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()
        self.keys, self.values = self._shared = keys, values
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        keys, values = self._shared
        return _append(keys, key_states), _append(values, value_states)


def _append(shared: Tensor, own: Tensor) -> Tensor:
    """Join ``(1, heads, shared, dim)`` and ``(batch, heads, seq, dim)`` along the sequence."""
    return torch.cat([shared.expand(own.shape[0], -1, -1, -1), own], dim=-2)


def _group_by_length(encoded: list[_Encoded], shared: int, batch_tokens: int) -> list[list[int]]:
    """Group indices of similar length, longest first, to at most ``batch_tokens`` padded."""
    lengths = [_row_length(item, shared) for item in encoded]
    groups: list[list[int]] = []
    # Longest first: when memory is short the run fails at its start and not at its end.
    for index in sorted(range(len(encoded)), key=lambda i: (-lengths[i], i)):
        if groups and lengths[groups[-1][0]] * (len(groups[-1]) + 1) <= batch_tokens:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _row_length(item: _Encoded, shared: int) -> int:
    """Count the tokens that are fed: the last one of an answer is predicted, never fed."""
    return len(item.context) - shared + sum(len(answer) - 1 for answer in item.answers)


def _score_batch(
    model: PreTrainedModel, rows: list[_Encoded], shared: int, prefix: Cache | None
) -> list[list[float]]:
    batch = _lay_out(rows, shared, model.device)
    keep = 1 + max(sum(len(answer) - 1 for answer in row.answers) for row in rows)
    logits = model(
        input_ids=batch.ids,
        attention_mask=_attention_mask(model, batch, shared),
        position_ids=batch.positions,
        past_key_values=prefix,
        use_cache=prefix is not None,
        logits_to_keep=keep,
    ).logits.float()
    log_normaliser = logits.logsumexp(-1)
    return [
        _read_answers(row, logits[place], log_normaliser[place]) for place, row in enumerate(rows)
    ]


def _read_answers(row: _Encoded, logits: Tensor, log_normaliser: Tensor) -> list[float]:
    """Sum the answers' log-probabilities from the last ``keep`` columns of a row.

    Args:
        row: Whose answers stand at the end of the columns, in order.
        logits: ``(keep, vocabulary)``
        log_normaliser: ``(keep,)``
    """
    end_of_context = logits.shape[0] - 1 - sum(len(answer) - 1 for answer in row.answers)
    scores: list[float] = []
    branch = end_of_context + 1
    for answer in row.answers:
        columns = [end_of_context, *range(branch, branch + len(answer) - 1)]
        branch += len(answer) - 1
        score = (logits[columns, answer] - log_normaliser[columns]).double().sum().item()
        if not torch.isfinite(torch.tensor(score)):
            raise BrokenModelError(
                "The model gives a log-probability that is not finite; its weights are damaged or "
                "overflow in this dtype. Score in float32 or train again."
            )
        scores.append(score)
    return scores


_PADDING, _CONTEXT = -1, 0


def _lay_out(rows: list[_Encoded], shared: int, device: torch.device) -> _Batch:
    """Place each row's tokens at the right end: padding, context, then one branch an answer."""
    width = max(_row_length(row, shared) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    positions = torch.full_like(ids, shared)
    owner = torch.full_like(ids, _PADDING)
    for place, row in enumerate(rows):
        start = width - _row_length(row, shared)
        segments = [row.context[shared:], *(answer[:-1] for answer in row.answers)]
        for number, tokens in enumerate(segments):
            stop = start + len(tokens)
            first = shared if number == _CONTEXT else len(row.context)
            ids[place, start:stop] = torch.tensor(tokens, dtype=torch.long)
            positions[place, start:stop] = torch.arange(first, first + len(tokens))
            owner[place, start:stop] = number
            start = stop
    same = owner[:, :, None] == owner[:, None, :]
    from_context = (owner[:, None, :] == _CONTEXT) & (owner[:, :, None] != _PADDING)
    # Padding sees itself: a query that sees nothing would turn into NaN in some kernels.
    visible = (same | from_context) & torch.ones(width, width, dtype=torch.bool).tril()
    return _Batch(ids.to(device), positions.to(device), visible.to(device))


def _attention_mask(
    model: PreTrainedModel, batch: _Batch, shared: int
) -> Tensor | dict[str, Tensor]:
    """Prepare the mask ``(batch, 1, seq, shared + seq)``, one for each kind of attention layer."""
    size, width = batch.ids.shape
    prefix = torch.ones(size, width, shared, dtype=torch.bool, device=batch.ids.device)
    full = torch.cat([prefix, batch.visible], dim=-1)[:, None]
    config = model.config.get_text_config()
    if "sliding_attention" not in (getattr(config, "layer_types", None) or ()):
        return full
    keys = torch.cat([torch.arange(shared).to(batch.ids).expand(size, -1), batch.positions], dim=-1)
    distance = batch.positions[:, :, None] - keys[:, None, :]
    near = (distance < config.sliding_window)[:, None]
    return {"full_attention": full, "sliding_attention": full & near}
