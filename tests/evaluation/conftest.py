"""Untrained students with a tokenizer of their own, small enough to be built in every test run."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from schemas.records import Language
from training.evaluation.tasks.items import EvaluationTask, TaskCard, TaskItem, Wording
from training.quiet import quiet_libraries

_TEXT = (
    "Read the movie review and answer with its sentiment: positive, negative or neutral. "
    "다음 영화평의 감정을 긍정, 부정, 중립 가운데 하나로 답하세요. 정말 재미있게 봤어요. 지루했다."
)

ENGLISH = ("A delight from start to finish.", "Dull, and far too long.", "It runs for two hours.")
KOREAN = ("처음부터 끝까지 즐거웠어요.", "지루하고 너무 길었다.", "상영 시간은 두 시간이다.")


@pytest.fixture(scope="session")
def english_task() -> EvaluationTask:
    return _make_task("reviews-en", "en", ("positive", "negative", "neutral"), ENGLISH)


@pytest.fixture(scope="session")
def korean_task() -> EvaluationTask:
    return _make_task("reviews-ko", "ko", ("긍정", "부정", "중립"), KOREAN)


@pytest.fixture(scope="session")
def make_llama(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Give the maker of untrained llamas; each seed is another model."""

    def make(seed: int) -> Path:
        from transformers import LlamaConfig, LlamaForCausalLM

        config = LlamaConfig(
            vocab_size=400,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=4096,
            eos_token_id=0,
            tie_word_embeddings=True,
            initializer_range=0.2,
        )
        torch.manual_seed(seed)
        return _save(LlamaForCausalLM(config), tmp_path_factory.mktemp(f"llama-{seed}"))

    return make


@pytest.fixture(scope="session")
def llama(make_llama: Callable[[int], Path]) -> Path:
    return make_llama(0)


@pytest.fixture(scope="session")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Gemma 3, one layer of which sees 16 tokens back only: far fewer than a prompt has."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    config = Gemma3TextConfig(
        vocab_size=400,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=4096,
        sliding_window=16,
        layer_types=["sliding_attention", "full_attention"],
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
        initializer_range=0.2,
    )
    torch.manual_seed(0)
    return _save(Gemma3ForCausalLM(config), tmp_path_factory.mktemp("gemma"))


def _make_task(
    name: str, language: Language, labels: tuple[str, ...], texts: tuple[str, ...]
) -> EvaluationTask:
    splits: tuple[tuple[Literal["test", "shots"], int], ...] = (("test", 6), ("shots", 3))
    lines = [
        TaskItem(id=f"{split}-{number}-{label}", split=split, text=f"{text} {number}", label=label)
        for split, count in splits
        for number in range(count)
        for label, text in zip(labels, texts, strict=True)
    ]
    return EvaluationTask(
        name=name,
        card=TaskCard(
            language=language,
            family="sentiment",
            labels=labels,
            wordings=(
                Wording(name="plain", instruction=f"{', '.join(labels)}?"),
                Wording(name="arrow", form="arrow"),
            ),
            licence="Apache-2.0",
            origin="these tests",
        ),
        items=tuple(line for line in lines if line.split == "test"),
        shots=tuple(line for line in lines if line.split == "shots"),
    )


def _save(model: PreTrainedModel, folder: Path) -> Path:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([_TEXT, *ENGLISH, *KOREAN], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe)
    tokenizer.add_special_tokens({"eos_token": "</s>"})
    with quiet_libraries():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder
