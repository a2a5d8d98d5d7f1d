"""Log-probabilities of whole answers after many prompts that begin alike.

The score of an answer is the sum of the log-probabilities of all its tokens, given the prompt:
the probability that the model's text *begins* with the answer. The stop token is left out: base
models never learned to end a turn, so it would add noise to their rows only, and no answer is a
prefix of another (tasks see to that), so the events exclude one another without it.

What is computed once. Per call: keys and values of the tokens that all prompts share, the worked
examples and the instruction (:mod:`training.evaluation.shared_prefix`). Per item: its own tokens,
and the tokens of its answers as far as they differ (:mod:`training.evaluation.answer_trees`). Only
states that foretell a token of an answer meet the output matrix. The result is that of plain
transformers one prompt at a time, up to float rounding.

Cost: ``shared + Σ (item + answers)`` tokens of linear layers, against
``items * answers * (shared + item + answer)`` without; attention grows with ``shared`` per token.
Memory beyond the weights: the shared keys and values once, and one batch's states.
"""

import math
from collections.abc import Sequence

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from schemas.progress import Progress, no_progress
from schemas.rendering import Rendered
from schemas.templates import INSTRUCTION, Template
from training.evaluation.answer_trees import (
    Encoded,
    Row,
    count_shared,
    group_by_length,
    lay_out,
    plant,
)
from training.evaluation.askable import broken_model, check_lengths
from training.evaluation.output_matrix import OutputMatrix, find_output
from training.evaluation.shared_prefix import (
    SharedPrefix,
    attending_by_sight,
    compute_prefix,
    run_layers,
)
from training.tokens import split_rows, start_tokens

BATCH_TOKENS = 2048
"""Padded tokens a forward pass. More spreads the reading of weights, and pads and needs more."""


def score_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    answers: Sequence[Sequence[str]],
    batch_tokens: int = BATCH_TOKENS,
    progress: Progress = no_progress,
    template: Template = INSTRUCTION,
) -> list[list[float]]:
    """Return the log-probability (nats) of each prompt's answers.

    Args:
        model: In eval mode, on its device, with sdpa attention.
        tokenizer: The model's own.
        prompts: In any order; the longer their common beginning, the cheaper.
        answers: Of each prompt, with the separator that joins them to it.
        batch_tokens: Padded tokens a forward pass.
        progress: Told after each batch how many prompts are done.
        template: What rendered prompts and answers; control tokens are only where it has some.

    Raises:
        PromptTooLongError: A prompt with its answer exceeds the model's positions.
        UnsupportedModelError: A model with layers that are not attention, or not sdpa's.
        BrokenModelError: A log-probability is not finite.
    """
    if not prompts:
        return []
    encoded = _encode(tokenizer, prompts, answers, template)
    check_lengths(model, [one.longest for one in encoded])
    shared = count_shared([one.context for one in encoded])
    rows = [plant(one, shared) for one in encoded]
    scores: list[list[float]] = [[] for _ in rows]
    done = 0
    with torch.inference_mode():
        prefix = compute_prefix(model, encoded[0].context[:shared])
        output = find_output(model)
        with attending_by_sight(model):
            for group in group_by_length([len(row.ids) for row in rows], batch_tokens):
                found = _score_batch(model, output, [rows[index] for index in group], prefix)
                for index, values in zip(group, found, strict=True):
                    scores[index] = values
                done += len(group)
                progress(done, len(rows))
    return scores


def _encode(
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    answers: Sequence[Sequence[str]],
    template: Template,
) -> list[Encoded]:
    """Tokenize every prompt with every answer, cut as in training."""
    pairs = zip(prompts, answers, strict=True)
    texts = [Rendered(prompt, answer) for prompt, given in pairs for answer in given]
    splits = iter(split_rows(texts, template, tokenizer))
    start = start_tokens(tokenizer, template)
    encoded: list[Encoded] = []
    for given in answers:
        group = [next(splits) for _ in given]
        encoded.append(Encoded([*start, *group[0].prompt], [split.answer for split in group]))
    return encoded


def _score_batch(
    model: PreTrainedModel, output: OutputMatrix, rows: list[Row], prefix: SharedPrefix
) -> list[list[float]]:
    batch = lay_out(rows, prefix, model.device)
    hidden = run_layers(model, *batch)
    # Answers that begin alike, and the first tokens of all of a prompt's, ask the same state.
    places: dict[tuple[int, int], int] = {}
    asked: list[int] = []
    tokens: list[int] = []
    for number, row in enumerate(rows):
        for at, token in (question for answer in row.questions for question in answer):
            asked.append(places.setdefault((number, at), len(places)))
            tokens.append(token)
    batch_index, columns = zip(*places, strict=True)
    found = iter(
        output.log_probs(
            hidden[list(batch_index), list(columns)],
            torch.tensor(asked, device=hidden.device),
            torch.tensor(tokens, device=hidden.device),
        ).tolist()
    )
    scores = [[math.fsum(next(found) for _ in answer) for answer in row.questions] for row in rows]
    if not torch.tensor([value for row in scores for value in row]).isfinite().all():
        raise broken_model()
    return scores
