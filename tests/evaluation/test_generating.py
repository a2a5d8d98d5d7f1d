"""The oracle is transformers' own greedy ``generate``, one prompt at a time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from platformdirs import user_cache_path
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from embedded.fetch import fetch_model
from embedded.models import find_model
from embedded.student import prepare_student
from schemas.templates import INSTRUCTION, Template
from training.evaluation.answerers import LocalModel, Written
from training.evaluation.askable import BrokenModelError, PromptTooLongError
from training.evaluation.generating import write_answers
from training.evaluation.prompts import draw_shots, open_with, strip_answer
from training.evaluation.tasks.items import EvaluationTask
from training.loading import load_model

Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]


def _generate(loaded: Loaded, prompts: Sequence[str], limit: int, template: Template) -> list[str]:
    """Let transformers continue each prompt by itself, beyond the texts that end an answer."""
    model, tokenizer = loaded
    config = GenerationConfig(
        max_new_tokens=limit,
        do_sample=False,
        eos_token_id=model.generation_config.eos_token_id if model.generation_config else None,
        pad_token_id=0,
    )
    texts: list[str] = []
    for prompt in prompts:
        inputs: Any = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
        written: Any = cast("Any", model).generate(**inputs, generation_config=config)
        text = tokenizer.decode(
            written[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True
        )
        texts.append(strip_answer(str(text), template))
    return texts


def _load_talkative(folder: Path) -> Loaded:
    """Load a student whose output matrix is not its embedding: otherwise it repeats one token."""
    model, tokenizer = load_model(folder)
    head: Any = model.get_output_embeddings()
    noise = torch.Generator().manual_seed(5)
    head.weight = torch.nn.Parameter(torch.randn(head.weight.shape, generator=noise))
    return model, tokenizer


def _ask(task: EvaluationTask, shots: int, wording: int = 0) -> tuple[list[str], Template]:
    """Render prompts of quite different lengths, so that rows are padded."""
    opened = open_with(task, task.card.wordings[wording], draw_shots(task, shots, seed=0))
    texts = [item.text * (1 + number % 3) for number, item in enumerate(task.items[:7])]
    return [opened.render_prompt(text) for text in texts], opened.template


def _assert_same(found: Sequence[Written], expected: Sequence[str]) -> None:
    assert len({*expected}) > 1, "prompts that are all answered alike would prove nothing"
    # What transformers cut off may end within a character.
    whole = [
        text if one.ended else text.rstrip("\ufffd").strip()
        for one, text in zip(found, expected, strict=True)
    ]
    assert [one.text for one in found] == whole


def _likely_stop(loaded: Loaded, prompts: Sequence[str]) -> int:
    """Find a token that ends some answers early and others not at all."""
    model, tokenizer = loaded
    rows: list[list[int]] = []
    for prompt in prompts:
        inputs: Any = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
        config = GenerationConfig(max_new_tokens=12, do_sample=False, pad_token_id=0)
        written: Any = cast("Any", model).generate(**inputs, generation_config=config)
        rows.append(written[0, inputs["input_ids"].shape[1] :].tolist())
    tokens = sorted({token for row in rows for token in row})
    return next(
        t for t in tokens if any(t in row[1:] for row in rows) and any(t not in row for row in rows)
    )


@pytest.mark.parametrize("student", ["llama", "gemma"])
@pytest.mark.parametrize("language", ["english", "korean"])
@pytest.mark.parametrize(("shots", "batch_tokens"), [(0, 1), (0, 600), (3, 100_000)])
def test_answers_are_those_of_transformers_one_prompt_at_a_time(
    request: pytest.FixtureRequest, student: str, language: str, shots: int, batch_tokens: int
) -> None:
    loaded = _load_talkative(request.getfixturevalue(student))
    prompts, template = _ask(request.getfixturevalue(f"{language}_task"), shots)

    found = write_answers(*loaded, prompts, 24, batch_tokens, template=template)

    _assert_same(found, _generate(loaded, prompts, 24, template))


@pytest.mark.parametrize("student", ["llama", "gemma"])
def test_rows_that_stop_leave_the_others_as_they_are(
    request: pytest.FixtureRequest, student: str, korean_task: EvaluationTask
) -> None:
    loaded = _load_talkative(request.getfixturevalue(student))
    prompts, template = _ask(korean_task, 0)
    stop = _likely_stop(loaded, prompts)
    assert loaded[0].generation_config is not None
    loaded[0].generation_config.eos_token_id = [0, stop]

    found = write_answers(*loaded, prompts, 24, template=template)

    assert {one.ended for one in found} == {True, False}
    # A stop token that is no control token here is part of transformers' text, and of ours.
    _assert_same(found, _generate(loaded, prompts, 24, template))


@pytest.mark.parametrize("language", ["english", "korean"])
def test_line_ends_an_answer_in_the_arrow_form(
    request: pytest.FixtureRequest, llama: Path, language: str
) -> None:
    loaded = _load_talkative(llama)
    prompts, template = _ask(request.getfixturevalue(f"{language}_task"), 2, wording=1)
    # An untrained model hardly ends a line; let it do so where it wrote another token.
    break_id = cast("int", loaded[1].convert_tokens_to_ids("Ċ"))
    liked = _likely_stop(loaded, prompts)
    _swap_outputs(loaded[0], break_id, liked)

    found = write_answers(*loaded, prompts, 24, template=template)

    assert {one.ended for one in found} == {True, False}
    assert not any("\n" in one.text for one in found)
    assert [one.text for one in found] == [
        text if one.ended else text.rstrip("\ufffd").strip()
        for one, text in zip(found, _generate(loaded, prompts, 24, template), strict=True)
    ]


def _swap_outputs(model: PreTrainedModel, one: int, other: int) -> None:
    """Let a model write one token where it wrote the other."""
    head: Any = model.get_output_embeddings()
    weight = head.weight.detach().clone()
    weight[[one, other]] = weight[[other, one]]
    head.weight = torch.nn.Parameter(weight)


@pytest.mark.parametrize("end", ["\n\n### Instruction:", "\n\n### 질문:"])
def test_beginning_of_a_further_record_stops_the_writing_but_is_no_ending(
    llama: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = load_model(llama)
    script = tokenizer(f" 좋다.{end} 다음")["input_ids"]
    steps = _follow_script(monkeypatch, script)

    found = write_answers(model, tokenizer, ["영화는?"], 60)

    assert found == [Written("좋다.", ended=False)]
    assert steps() < len(script), "the model should not have been asked for the next record"


def test_answer_that_is_cut_within_a_character_ends_before_it(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = load_model(llama)
    # No Korean word of the tokenizer's own: three tokens, one a byte.
    script = tokenizer(" a뷁")["input_ids"]
    _follow_script(monkeypatch, script)

    found = write_answers(model, tokenizer, ["A review."], len(script) - 1)

    assert found == [Written("a", ended=False)]


def _follow_script(monkeypatch: pytest.MonkeyPatch, script: list[int]) -> Any:
    """Put given tokens in the place of the likeliest ones; return what counts the steps."""
    from training.evaluation.output_matrix import OutputMatrix

    taken: list[int] = []

    def follow(self: OutputMatrix, states: torch.Tensor) -> torch.Tensor:
        taken.append(script[len(taken)])
        return torch.tensor([taken[-1]] * len(states))

    monkeypatch.setattr(OutputMatrix, "likeliest", follow)
    return lambda: len(taken)


def test_answers_come_in_the_order_of_their_prompts_and_progress_ends_at_their_number(
    llama: Path, korean_task: EvaluationTask
) -> None:
    loaded = load_model(llama)
    prompts, template = _ask(korean_task, 0)
    seen: list[tuple[int, int]] = []

    found = LocalModel(llama).write(
        prompts[::-1], 8, template, lambda done, total, note="": seen.append((done, total))
    )

    assert found[::-1] == write_answers(*loaded, prompts, 8, template=template)
    assert seen[-1] == (len(prompts), len(prompts))


def test_nothing_is_asked_of_a_model_without_prompts(llama: Path) -> None:
    assert write_answers(*load_model(llama), [], 8) == []


def test_prompt_that_leaves_no_room_for_its_answer_is_refused(llama: Path) -> None:
    model, tokenizer = load_model(llama)
    prompt = "긴 글 " * 400
    room = 4096 - len(tokenizer(prompt)["input_ids"])

    with pytest.raises(PromptTooLongError, match="4097 tokens, the model holds 4096"):
        write_answers(model, tokenizer, [prompt], room + 1)


@pytest.mark.parametrize("part", ["layers", "output"])
def test_model_without_numbers_is_named_broken(llama: Path, part: str) -> None:
    model, tokenizer = load_model(llama)
    head: Any = model.get_output_embeddings()
    broken = torch.nn.Parameter(head.weight.detach().clone())
    with torch.no_grad():
        if part == "output":
            broken[7] = float("nan")
            head.weight = broken
        else:
            list(model.parameters())[1].fill_(float("nan"))

    with pytest.raises(BrokenModelError, match="not finite"):
        write_answers(model, tokenizer, ["영화", "A review."], 8)


@pytest.mark.slow
def test_real_model_writes_what_transformers_writes() -> None:
    torch.set_num_threads(1)
    cache, smollm = user_cache_path("pacaloom"), find_model("smollm2-135m")
    loaded = load_model(prepare_student(smollm, fetch_model(smollm, cache), cache))
    prompts = [
        INSTRUCTION.render_prompt("Name three fruits.", "", "en"),
        INSTRUCTION.render_prompt("Which planet is closest to the Sun?", "", "en"),
        INSTRUCTION.render_prompt(
            "다음 문장을 더 공손하게 고쳐 줘.", "금요일까지 보고서 보내.", "ko"
        ),
        INSTRUCTION.render_prompt("대한민국의 수도는 어디야?", "", "ko"),
    ]

    found = write_answers(*loaded, prompts, 24)

    assert {one.ended for one in found} == {True, False}
    _assert_same(found, _generate(loaded, prompts, 24, INSTRUCTION))
