"""The oracle is plain transformers, one prompt and answer at a time, no cache and no padding."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from platformdirs import user_cache_path
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from embedded.models import find_model
from embedded.student import prepare_student
from training.evaluation.askable import (
    BrokenModelError,
    PromptTooLongError,
    UnsupportedModelError,
)
from training.evaluation.output_matrix import find_output
from training.evaluation.prompts import draw_shots, open_with
from training.evaluation.scoring import score_answers
from training.evaluation.tasks.items import EvaluationTask
from training.evaluation.tasks.loading import balanced_prefix, load_task
from training.loading import load_model


def _plainly(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    answers: Sequence[Sequence[str]],
) -> list[list[float]]:
    """Score each pair by itself: the tokens after the prompt's own, from one plain pass."""

    def score(prompt: str, answer: str) -> float:
        start = len(tokenizer(prompt)["input_ids"])
        ids = torch.tensor([tokenizer(prompt + answer)["input_ids"]])
        with torch.inference_mode():
            log_probs = model(ids).logits[0].float().log_softmax(-1)
        return sum(log_probs[i - 1, ids[0, i]].item() for i in range(start, ids.shape[1]))

    pairs = zip(prompts, answers, strict=True)
    return [[score(prompt, answer) for answer in given] for prompt, given in pairs]


def _assert_equal(found: list[list[float]], expected: list[list[float]]) -> None:
    flat = torch.tensor([value for row in expected for value in row])
    assert flat.std() > 0.1, "answers that all score alike would prove nothing"
    assert [len(row) for row in found] == [len(row) for row in expected]
    values = torch.tensor([value for row in found for value in row])
    torch.testing.assert_close(values, flat, atol=1e-4, rtol=0)


def _ask(task: EvaluationTask, shots: int, wording: int = 0) -> tuple[list[str], list[list[str]]]:
    """Render prompts and answers; texts of quite different lengths, so that rows are padded."""
    opened = open_with(task, task.card.wordings[wording], draw_shots(task, shots, seed=0))
    prompts = [
        opened.render_prompt(item.text * (1 + number % 3)) for number, item in enumerate(task.items)
    ]
    return prompts, [[opened.render_answer(label) for label in task.card.labels]] * len(prompts)


@pytest.mark.parametrize("language", ["english", "korean"])
@pytest.mark.parametrize("shots", [0, 4])
@pytest.mark.parametrize("batch_tokens", [1, 300, 100_000])
def test_scores_equal_plain_transformers_one_prompt_at_a_time(
    request: pytest.FixtureRequest, llama: Path, language: str, shots: int, batch_tokens: int
) -> None:
    model, tokenizer = load_model(llama)
    asked = _ask(request.getfixturevalue(f"{language}_task"), shots)

    found = score_answers(model, tokenizer, *asked, batch_tokens)

    _assert_equal(found, _plainly(model, tokenizer, *asked))


@pytest.mark.parametrize("language", ["english", "korean"])
def test_scores_in_the_arrow_form_equal_plain_transformers(
    request: pytest.FixtureRequest, llama: Path, language: str
) -> None:
    model, tokenizer = load_model(llama)
    asked = _ask(request.getfixturevalue(f"{language}_task"), 2, wording=1)

    found = score_answers(model, tokenizer, *asked)

    _assert_equal(found, _plainly(model, tokenizer, *asked))


@pytest.mark.parametrize("language", ["english", "korean"])
@pytest.mark.parametrize("shots", [0, 2])
def test_layers_that_see_only_the_last_tokens_see_the_same_ones(
    request: pytest.FixtureRequest, gemma: Path, language: str, shots: int
) -> None:
    model, tokenizer = load_model(gemma)
    asked = _ask(request.getfixturevalue(f"{language}_task"), shots)

    found = score_answers(model, tokenizer, *asked)

    _assert_equal(found, _plainly(model, tokenizer, *asked))


def test_each_prompt_has_answers_of_its_own_that_may_begin_alike(llama: Path) -> None:
    model, tokenizer = load_model(llama)
    prompts = ["영화는 어땠나요?", "How was it?", "영화는 짧았나요?"]
    answers = [
        (" 정말 재미있게 봤어요", " 정말 재미없었어요", " 지루했다"),
        (" a delight from start", " a delight to the finish"),
        (" 네", " 아니요", " 정말 지루했다", " 정말 지루했어요"),
    ]

    found = score_answers(model, tokenizer, prompts, answers)

    _assert_equal(found, _plainly(model, tokenizer, prompts, answers))


def test_prompts_that_share_nothing_and_a_single_prompt_are_scored_alike(llama: Path) -> None:
    model, tokenizer = load_model(llama)
    answers = (" 긍정", " 부정", " neutral")

    for prompts in (["A review.", "재미있게 봤어요."], ["A review."]):
        given = [answers] * len(prompts)
        found = score_answers(model, tokenizer, prompts, given)
        _assert_equal(found, _plainly(model, tokenizer, prompts, given))


def test_answer_that_merges_with_the_prompt_is_scored_apart_from_it_as_it_is_trained(
    llama: Path,
) -> None:
    # " pos" is one token and " p" another: in training the prompt stands alone, so it does here.
    model, tokenizer = load_model(llama)
    prompt, answers = "A p", ("os", " x")
    alone: list[int] = tokenizer(prompt)["input_ids"]
    assert tokenizer(prompt + answers[0])["input_ids"][: len(alone)] != alone

    found = score_answers(model, tokenizer, [prompt], [answers])[0]

    for answer, value in zip(answers, found, strict=True):
        ids = alone + tokenizer(answer)["input_ids"]
        with torch.inference_mode():
            log_probs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = sum(log_probs[i - 1, ids[i]].item() for i in range(len(alone), len(ids)))
        assert value == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", ["mistral", "qwen3", "gemma2", "granite"])
def test_other_architectures_are_scored_as_plainly_or_refused(llama: Path, kind: str) -> None:
    # Mistral says its window elsewhere than Gemma; Qwen 3 norms queries; Granite scales logits;
    # Gemma 2 caps attention, which this way of attending does not.
    _, tokenizer = load_model(llama)
    model = _make_model(kind)
    prompts, given = ["정말 재미있게 봤어요. " * 4, "정말 지루했다. " * 6], [(" 긍정", " 부정")] * 2
    if kind == "gemma2":
        with pytest.raises(UnsupportedModelError, match=r"another model|needs sdpa"):
            score_answers(model, tokenizer, prompts, given)
        return

    found = score_answers(model, tokenizer, prompts, given)

    _assert_equal(found, _plainly(model, tokenizer, prompts, given))


def _make_model(kind: str) -> PreTrainedModel:
    sizes: dict[str, Any] = {
        "vocab_size": 400,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "initializer_range": 0.3,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
    }
    own: dict[str, dict[str, Any]] = {
        "mistral": {"sliding_window": 12},
        "granite": {"logits_scaling": 3.0, "attention_multiplier": 0.5},
    }
    if kind == "granite":
        del sizes["head_dim"]
    torch.manual_seed(1)
    config = AutoConfig.for_model(kind, **sizes, **own.get(kind, {}))
    model: PreTrainedModel = AutoModelForCausalLM.from_config(config)
    return model.eval()


def test_model_is_given_back_as_it_was(llama: Path) -> None:
    model, tokenizer = load_model(llama)
    ids = torch.tensor([tokenizer("재미있게 봤어요.")["input_ids"]])
    before = model(ids).logits

    score_answers(model, tokenizer, ["A review."], [(" a", " b")])

    assert getattr(model.config, "_attn_implementation") == "sdpa"  # noqa: B009 - no public name
    assert torch.equal(model(ids).logits, before)


def test_model_without_sdpa_attention_is_refused(llama: Path) -> None:
    model, tokenizer = load_model(llama)
    model.set_attn_implementation("eager")

    with pytest.raises(UnsupportedModelError, match="eager"):
        score_answers(model, tokenizer, ["A review."], [(" a", " b")])


def test_progress_ends_at_the_number_of_prompts(llama: Path, korean_task: EvaluationTask) -> None:
    seen: list[tuple[int, int]] = []

    score_answers(
        *load_model(llama),
        *_ask(korean_task, 0),
        batch_tokens=1,
        progress=lambda done, total, note="": seen.append((done, total)),
    )

    assert seen == [(done, 18) for done in range(1, 19)]


def test_bf16_model_has_its_answers_read_more_exactly_than_bf16_logits_are(llama: Path) -> None:
    model, tokenizer = load_model(llama, "bf16")
    ids = torch.tensor([tokenizer("재미있게 봤어요. Dull.")["input_ids"]])
    with torch.inference_mode():
        states = model.base_model(ids)[0][0]
        weight: Any = model.get_output_embeddings()
        exact = torch.nn.functional.linear(states.float(), weight.weight.float()).log_softmax(-1)
        rounded = model(ids).logits[0].float().log_softmax(-1)
        output = find_output(model)
        places = torch.arange(len(states)).repeat_interleave(400)
        tokens = torch.arange(400).repeat(len(states))

        found = output.log_probs(states, places, tokens).float().view(len(states), 400)
        likeliest = output.likeliest(states)

    assert (found - exact).abs().max() < 0.2 * (rounded - exact).abs().max()
    assert likeliest.tolist() == exact.argmax(-1).tolist()


def test_prompt_beyond_the_models_positions_is_refused(llama: Path) -> None:
    with pytest.raises(PromptTooLongError, match=r"tokens, the model holds 4096.*--shots"):
        score_answers(*load_model(llama), ["긴 글 " * 3000], [(" a", " b")])


def test_model_without_numbers_is_named_broken(llama: Path) -> None:
    model, tokenizer = load_model(llama)
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))

    with pytest.raises(BrokenModelError, match="not finite"):
        score_answers(model, tokenizer, ["영화"], [(" 긍정", " 부정")])


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("student", ["smollm2-135m", "gemma-3-270m"])
def test_real_models_score_as_plain_transformers(student: str, language: str) -> None:
    # One thread: two took ten times as long on two cores that other tests kept busy.
    torch.set_num_threads(1)
    embedded, cache = find_model(student), user_cache_path("pacaloom")
    gguf = cache / "models" / embedded.sha256[:16] / embedded.file_name
    if not gguf.is_file():
        pytest.skip("not on this machine, and Gemma's terms have to be accepted first")
    model, tokenizer = load_model(prepare_student(embedded, gguf, cache))
    task = load_task(f"movie-sentiment-{language}")
    opened = open_with(task, task.card.wordings[0], draw_shots(task, 2, seed=0))
    prompts = [opened.render_prompt(item.text) for item in balanced_prefix(task, 6)]
    answers = [[opened.render_answer(label) for label in task.card.labels]] * 6

    found = score_answers(model, tokenizer, prompts, answers)

    _assert_equal(found[:3], _plainly(model, tokenizer, prompts[:3], answers[:3]))
