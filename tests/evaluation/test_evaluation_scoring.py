"""The oracle is plain transformers, one prompt and answer at a time, no cache and no padding."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from schemas.templates import INSTRUCTION
from training.evaluation.prompts import draw_shots, label_completions, open_with
from training.evaluation.scoring import (
    BrokenModelError,
    PromptTooLongError,
    UnsupportedModelError,
    keep_output_exact,
    score_answers,
)
from training.evaluation.tasks.items import EvaluationTask
from training.evaluation.tasks.loading import balanced_prefix, load_task
from training.loading import load_model


def _plainly(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    answers: Sequence[str],
) -> torch.Tensor:
    """Score each pair by itself: the tokens after the prompt's own, from one plain pass."""

    def score(prompt: str, answer: str) -> float:
        start = len(tokenizer(prompt)["input_ids"])
        ids = torch.tensor([tokenizer(prompt + answer)["input_ids"]])
        with torch.inference_mode():
            log_probs = model(ids).logits[0].float().log_softmax(-1)
        return sum(log_probs[i - 1, ids[0, i]].item() for i in range(start, ids.shape[1]))

    return torch.tensor([[score(prompt, answer) for answer in answers] for prompt in prompts])


def _assert_equal(found: list[list[float]], expected: torch.Tensor) -> None:
    assert expected.std() > 0.1, "answers that all score alike would prove nothing"
    torch.testing.assert_close(torch.tensor(found), expected, atol=1e-4, rtol=0)


def _prompts(task: EvaluationTask, shots: int) -> list[str]:
    examples = draw_shots(task, shots, seed=0)
    # Texts of quite different lengths, so that rows of one batch are padded.
    opened = open_with(task, examples)
    return [
        opened.render_prompt(task.question, item.text * (1 + number % 3), task.language)
        for number, item in enumerate(task.items)
    ]


@pytest.mark.parametrize("language", ["english", "korean"])
@pytest.mark.parametrize("shots", [0, 4])
@pytest.mark.parametrize("batch_tokens", [1, 300, 100_000])
def test_scores_equal_plain_transformers_one_prompt_at_a_time(
    request: pytest.FixtureRequest, llama: Path, language: str, shots: int, batch_tokens: int
) -> None:
    task: EvaluationTask = request.getfixturevalue(f"{language}_task")
    model, tokenizer = load_model(llama)
    prompts, answers = _prompts(task, shots), label_completions(task)

    found = score_answers(model, tokenizer, prompts, answers, batch_tokens)

    _assert_equal(found, _plainly(model, tokenizer, prompts, answers))


@pytest.mark.parametrize("language", ["english", "korean"])
def test_layers_that_see_only_the_last_tokens_see_the_same_ones(
    request: pytest.FixtureRequest, gemma: Path, language: str
) -> None:
    task: EvaluationTask = request.getfixturevalue(f"{language}_task")
    model, tokenizer = load_model(gemma)
    prompts, answers = _prompts(task, 2), label_completions(task)

    found = score_answers(model, tokenizer, prompts, answers)

    _assert_equal(found, _plainly(model, tokenizer, prompts, answers))


def test_prompts_that_share_nothing_and_a_single_prompt_are_scored_alike(llama: Path) -> None:
    model, tokenizer = load_model(llama)
    answers = (" 긍정", " 부정", " neutral")

    for prompts in (["A review.", "재미있게 봤어요."], ["A review."]):
        found = score_answers(model, tokenizer, prompts, answers)
        _assert_equal(found, _plainly(model, tokenizer, prompts, answers))


def test_answer_that_merges_with_the_prompt_is_scored_apart_from_it_as_it_is_trained(
    llama: Path,
) -> None:
    # " pos" is one token and " p" another: in training the prompt stands alone, so it does here.
    model, tokenizer = load_model(llama)
    prompt, answers = "A p", ("os", " x")
    alone: list[int] = tokenizer(prompt)["input_ids"]
    assert tokenizer(prompt + answers[0])["input_ids"][: len(alone)] != alone

    found = score_answers(model, tokenizer, [prompt], answers)[0]

    for answer, value in zip(answers, found, strict=True):
        ids = alone + tokenizer(answer)["input_ids"]
        with torch.inference_mode():
            log_probs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = sum(log_probs[i - 1, ids[i]].item() for i in range(len(alone), len(ids)))
        assert value == pytest.approx(expected, abs=1e-4)


def test_model_without_sdpa_attention_is_refused(llama: Path) -> None:
    model, tokenizer = load_model(llama)
    model.set_attn_implementation("eager")

    with pytest.raises(UnsupportedModelError, match="eager"):
        score_answers(model, tokenizer, ["A review."], (" a", " b"))


def test_progress_ends_at_the_number_of_prompts(llama: Path, korean_task: EvaluationTask) -> None:
    seen: list[tuple[int, int]] = []

    score_answers(
        *load_model(llama),
        _prompts(korean_task, 0),
        label_completions(korean_task),
        batch_tokens=1,
        progress=lambda done, total, note="": seen.append((done, total)),
    )

    assert seen == [(done, 18) for done in range(1, 19)]


def test_bf16_model_can_keep_its_logits_exact(llama: Path) -> None:
    model, tokenizer = load_model(llama, "bf16")
    ids = torch.tensor([tokenizer("재미있게 봤어요. Dull.")["input_ids"]])

    with torch.inference_mode():
        rounded = model(ids).logits
        keep_output_exact(model)
        exact = model(ids).logits

    assert (rounded.dtype, exact.dtype) == (torch.bfloat16, torch.float32)
    # bf16 has 8 significant bits, so rounding moves a number by at most one part in 256.
    torch.testing.assert_close(exact, rounded.float(), rtol=1 / 256, atol=1e-2)
    assert (exact != exact.bfloat16()).float().mean() > 0.9


def test_prompt_beyond_the_models_positions_is_refused(llama: Path) -> None:
    with pytest.raises(PromptTooLongError, match=r"tokens, the model holds 4096.*--shots"):
        score_answers(*load_model(llama), ["긴 글 " * 3000], (" a", " b"))


def test_model_without_numbers_is_named_broken(llama: Path) -> None:
    model, tokenizer = load_model(llama)
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))

    with pytest.raises(BrokenModelError, match="not finite"):
        score_answers(model, tokenizer, ["영화"], (" 긍정", " 부정"))


@pytest.mark.slow
def test_smollm2_scores_equal_plain_transformers(smollm2_checkpoint: Path) -> None:
    model, tokenizer = load_model(smollm2_checkpoint)
    task = load_task("movie-sentiment-en")
    prompts = [
        INSTRUCTION.render_prompt(task.question, item.text, task.language)
        for item in balanced_prefix(task, 24)
    ]

    found = score_answers(model, tokenizer, prompts, label_completions(task))

    _assert_equal(found[:6], _plainly(model, tokenizer, prompts[:6], label_completions(task)))
    assert torch.tensor(found).isfinite().all()
