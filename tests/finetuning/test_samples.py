from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.manifest import Method, SampleAnswer
from training.finetuning.recipe import Recipe, read_hardware, resolve
from training.finetuning.samples import QUESTIONS, Interview, open_samples, tokenize_questions
from training.finetuning.student import LoadedStudent, Student, load_student
from training.quiet import quiet_libraries
from training.templating import find_template

METHODS: tuple[Method, ...] = ("full", "lora", "qlora", "dora", "prompt_tuning")


def interview(base: Path, run: Path, method: Method) -> tuple[LoadedStudent, Interview]:
    recipe = Recipe(method=method, precision="fp32", threads=1)
    settings = resolve(recipe, read_hardware())
    loaded = load_student(Student("tiny", base), recipe, settings)
    run.mkdir()
    return loaded, Interview(
        loaded,
        find_template("instruction", loaded.tokenizer),
        settings,
        open_samples(run, None, None),
    )


def ask(base: Path, run: Path, method: Method) -> tuple[LoadedStudent, list[SampleAnswer]]:
    loaded, asking = interview(base, run, method)
    with quiet_libraries():
        asking.ask(3)
    return loaded, asking.log.entries


def continue_alone(model: Any, prompt: list[int], stop: int, most: int) -> list[int]:
    """Continue one prompt token by token, without padding and cache."""
    import torch

    written: list[int] = []
    with torch.no_grad():
        while len(written) < most and stop not in written:
            logits = model(input_ids=torch.tensor([prompt + written]), use_cache=False).logits
            written.append(int(logits[0, -1].argmax()))
    return written


def test_each_language_is_asked_for_text_list_sum_and_fact() -> None:
    assert Counter(question.language for question in QUESTIONS) == {"en": 4, "ko": 4}
    assert Counter(question.language for question in QUESTIONS if question.input) == {
        "en": 1,
        "ko": 1,
    }


@pytest.mark.parametrize("method", METHODS)
def test_answers_are_what_the_student_writes_to_each_question_alone(
    tiny_llama: Path, tmp_path: Path, method: Method
) -> None:
    loaded, answers = ask(tiny_llama, tmp_path / "run", method)

    model = loaded.model.eval()
    stop: Any = loaded.tokenizer.eos_token_id
    prompts = tokenize_questions(loaded.tokenizer, find_template("instruction", loaded.tokenizer))
    for prompt, answer in list(zip(prompts, answers, strict=True))[::3]:
        alone = continue_alone(model, prompt, stop, 64)
        text: Any = loaded.tokenizer.decode(alone[:-1] if alone[-1] == stop else alone)
        assert answer.answer == text.rstrip("\ufffd").strip()
        assert answer.ended == (alone[-1] == stop)
        assert answer.step == 3


@pytest.mark.parametrize("method", ["full", "qlora", "prompt_tuning"])
def test_asking_leaves_weights_modes_and_random_numbers_as_they_were(
    tiny_llama: Path, tmp_path: Path, method: Method
) -> None:
    import torch

    loaded, asking = interview(tiny_llama, tmp_path / "run", method)
    loaded.model.train()
    frozen = next(iter(loaded.model.modules()))
    modes = [module.training for module in loaded.model.modules()]
    weights = [parameter.clone() for parameter in loaded.model.parameters()]
    torch.manual_seed(7)
    state = torch.get_rng_state()

    with quiet_libraries():
        asking.ask(0)

    assert frozen.training
    assert [module.training for module in loaded.model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert all(map(torch.equal, loaded.model.parameters(), weights))
    assert all(parameter.grad is None for parameter in loaded.model.parameters())


def test_an_answer_that_ends_is_told_from_one_that_was_cut_off(
    tiny_llama: Path, tmp_path: Path
) -> None:
    import torch

    loaded, asking = interview(tiny_llama, tmp_path / "run", "full")
    stop = loaded.tokenizer.eos_token_id
    head: Any = loaded.model.get_output_embeddings()
    # A student that writes its stop token whatever it is asked, and one that never does.
    for bias, ended in ((1e4, True), (-1e4, False)):
        hook = head.register_forward_hook(
            lambda _, __, logits, bias=bias: logits.index_add(
                -1, torch.tensor([stop]), torch.full((*logits.shape[:-1], 1), bias)
            )
        )
        with quiet_libraries():
            asking.ask(1)
        hook.remove()
        latest = asking.log.entries[-8:]
        assert {answer.ended for answer in latest} == {ended}
        assert {bool(answer.answer) for answer in latest} == {not ended}
