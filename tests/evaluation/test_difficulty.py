"""Instruction-following difficulty equals what plain transformers say, one text at a time."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

import training.difficulty
from schemas.records import Language
from schemas.rendering import Rendered
from schemas.templates import INSTRUCTION
from training.difficulty import measure_difficulty
from training.loading import load_model

TASKS: list[tuple[str, str, str, Language]] = [
    ("Name a colour.", "", "Blue.", "en"),
    ("Is the review positive or negative?", "A delight from start to finish.", "positive", "en"),
    ("Read the movie review. " * 12, "", "Dull, and far too long. " * 15, "en"),
    ("봄에 피는 꽃을 하나 말해 줘.", "", "개나리입니다.", "ko"),
    ("감정을 답하세요.", "지루하고 너무 길었다. " * 8, "부정", "ko"),
    ("이야기를 써 주세요.", "", "처음부터 끝까지 즐거웠어요. " * 10, "ko"),
]
TEXTS = [INSTRUCTION.render(*task) for task in TASKS]


def _loss(model: PreTrainedModel, ids: list[int], answer_tokens: int) -> float:
    """Mean nats of the last tokens, from the loss that the model itself computes."""
    labels = [-100] * (len(ids) - answer_tokens) + ids[-answer_tokens:]
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss.item()


def _plainly(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, answer: str
) -> float:
    before, whole = tokenizer(prompt)["input_ids"], tokenizer(prompt + answer)["input_ids"]
    assert whole[: len(before)] == before
    count = len(whole) - len(before)
    given = _loss(model, whole, count)
    # These tokenizers put nothing before a text, so the end token is what the answer begins after.
    begin = tokenizer.convert_tokens_to_ids("</s>")
    assert isinstance(begin, int)
    alone = _loss(model, [begin, *whole[-count:]], count)
    return math.exp(given - alone)


@pytest.mark.parametrize("student", ["llama", "gemma"])
def test_difficulty_equals_plain_transformers_one_text_at_a_time(
    request: pytest.FixtureRequest, student: str
) -> None:
    model, tokenizer = load_model(request.getfixturevalue(student))

    found = measure_difficulty(model, tokenizer, TEXTS)

    expected = [_plainly(model, tokenizer, prompt, answer) for prompt, answer in TEXTS]
    assert max(expected) - min(expected) > 0.1, "texts that are all alike would prove nothing"
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("batch_tokens", [1, 150, 100_000])
def test_neither_batches_nor_order_nor_padding_matter(
    llama: Path, batch_tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = load_model(llama)
    usual = measure_difficulty(model, tokenizer, TEXTS)
    monkeypatch.setattr(training.difficulty, "_BATCH_TOKENS", batch_tokens)

    turned = measure_difficulty(model, tokenizer, TEXTS[::-1])

    assert turned[::-1] == pytest.approx(usual, rel=1e-5)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_long_texts_end_within_the_models_positions(
    make_llama: Callable[[int], Path], language: Language
) -> None:
    model, tokenizer = load_model(make_llama(3))
    model.config.max_position_embeddings = 64
    seen: list[int] = []
    model.register_forward_pre_hook(
        lambda _module, _args, kwargs: seen.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    model.base_model.register_forward_pre_hook(
        lambda _module, _args, kwargs: seen.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    word = "영화 " if language == "ko" else "movie "
    texts = [
        Rendered(word * 500, f" {word}"),
        Rendered("Say it.", " " + word * 500),
        Rendered(word * 500, " " + word * 500),
    ]

    found = measure_difficulty(model, tokenizer, texts)

    assert max(seen) == 64
    assert all(math.isfinite(value) and value > 0 for value in found)


def test_answer_without_tokens_is_neither_helped_nor_hindered(llama: Path) -> None:
    model, tokenizer = load_model(llama)

    assert measure_difficulty(model, tokenizer, [Rendered("Say nothing.", "")]) == [1.0]
    assert measure_difficulty(model, tokenizer, []) == []


def test_progress_counts_both_passes_over_each_text(llama: Path) -> None:
    model, tokenizer = load_model(llama)
    told: list[tuple[int, int]] = []

    def report(done: int, total: int, note: str = "") -> None:
        told.append((done, total))

    measure_difficulty(model, tokenizer, TEXTS, report)

    assert told[-1] == (12, 12)


@pytest.mark.slow
def test_real_student_finds_a_fitting_task_more_helpful_than_another(
    smollm2_checkpoint: Path,
) -> None:
    model, tokenizer = load_model(smollm2_checkpoint)
    answer = "Bread goes stale because its starch crystallises as the loaf cools."
    fitting = INSTRUCTION.render("Explain why bread goes stale.", "", answer, "en")
    telling = INSTRUCTION.render(f"Repeat this sentence: {answer}", "", answer, "en")
    foreign = INSTRUCTION.render("List three Korean cities.", "", answer, "en")

    told, fit, unfit = measure_difficulty(model, tokenizer, [telling, fitting, foreign])

    assert 0 < told < fit / 2
    assert 2 * fit < unfit
