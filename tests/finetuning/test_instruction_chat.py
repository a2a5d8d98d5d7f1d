"""Servers that know nothing but chats ask a student in the form that it was trained with."""

import importlib
import json
import os
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from schemas.records import Language
from schemas.rendering import TemplateError
from schemas.templates import InstructionTemplate, instruction_chat_template
from tests.finetuning.contract_makers import make_tokenizer
from training.templating import find_template
from training.tokens import split_rows, start_tokens

QUESTIONS: list[tuple[str, Language]] = [
    ("Name a fruit.", "en"),
    ("과일을 하나 말해 줘.", "ko"),
    ('Escape \\uac00, "\\ud55c" and\n <b>&amp;</b> {{ x }} \'', "en"),
    ("日本語 é 🍐", "en"),
    ("Translate 사과 into English.", "ko"),
    ("자모 각", "ko"),
    ("ㅋㅋ", "ko"),
    ("  spaces \n", "en"),
]
TALKS = [
    [("system", "Be brief."), ("user", "Hi"), ("assistant", "\nHo"), ("user", "배는?")],
    [("system", "짧게."), ("user", "배는?"), ("assistant", " 과일"), ("user", "Hi")],
]


def render(tokenizer: Any, talk: list[tuple[str, str]], *, asks: bool = True) -> str:
    messages = [{"role": role, "content": content} for role, content in talk]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=asks)


@pytest.fixture(params=[False, True], ids=["no-bos", "adds-bos"])
def tuned(request: pytest.FixtureRequest) -> Any:
    """Give the tokenizer of a student that was tuned with the instruction form."""
    tokenizer = make_tokenizer(adds_bos=request.param)
    template = find_template("instruction", tokenizer)
    assert isinstance(template, InstructionTemplate)
    tokenizer.chat_template = instruction_chat_template(template)
    return tokenizer


@pytest.mark.parametrize(("question", "language"), QUESTIONS)
def test_chat_asks_with_the_tokens_of_training(
    tuned: Any, question: str, language: Language
) -> None:
    template = find_template("instruction", tuned)
    split = split_rows([template.render(question, "", "x", language)], template, tuned)[0]

    asked = tuned.apply_chat_template(
        [{"role": "user", "content": question}], add_generation_prompt=True, return_dict=False
    )

    assert asked == [*start_tokens(tuned, template), *split.prompt]


@pytest.mark.parametrize(("question", "language"), QUESTIONS)
def test_whole_record_is_the_training_text(tuned: Any, question: str, language: Language) -> None:
    template = find_template("instruction", tuned)
    rendered = template.render(question, "", "answer", language)

    text = render(tuned, [("user", question), ("assistant", "answer")], asks=False)

    assert text == template.start + "".join(rendered) + template.stop


def test_earlier_turns_are_records_and_a_system_message_opens_the_first(tuned: Any) -> None:
    template = find_template("instruction", tuned)
    first = template.render("짧게.\n\n배는?", "", "과일", "ko")

    text = render(tuned, TALKS[1])

    assert text == (
        template.start + "".join(first) + template.stop + template.render_prompt("Hi", "", "en")
    )


def test_every_hangul_letter_and_no_other_takes_the_korean_form(tuned: Any) -> None:
    korean = [*range(0xAC00, 0xD7A4), *range(0x1100, 0x1200), *range(0x3131, 0x3190)]
    other = [*range(0x20, 0x1100, 7), *range(0x1200, 0x3130, 7), *range(0x3190, 0xAC00, 31)]
    other += [*range(0xE000, 0x10000, 31), *range(0x10000, 0x20000, 997)]

    for code in [*korean[::13], korean[11171], *korean[-351:]]:
        assert "### 질문" in render(tuned, [("user", chr(code))]), hex(code)
    for code in other:
        assert "### 질문" not in render(tuned, [("user", chr(code))]), hex(code)


def test_student_that_was_tuned_with_the_form_is_not_tuned_with_it_as_a_chat(tuned: Any) -> None:
    with pytest.raises(TemplateError, match="Choose template 'instruction'"):
        find_template("chat", tuned)


@pytest.fixture(scope="module")
def served(
    smollm2_gguf: Path, smollm2_checkpoint: Path
) -> Generator[tuple[Any, Callable[[str, object], Any]]]:
    """Serve SmolLM2 by llama.cpp with the form; give the tokenizer, and the way to the server."""
    os.putenv("OMP_WAIT_POLICY", "passive")
    from transformers import AutoTokenizer

    xllamacpp: Any = importlib.import_module("xllamacpp")
    tokenizer: Any = AutoTokenizer.from_pretrained(smollm2_checkpoint, local_files_only=True)
    template = find_template("instruction", tokenizer)
    assert isinstance(template, InstructionTemplate)
    tokenizer.chat_template = instruction_chat_template(template)
    params: Any = xllamacpp.CommonParams()
    params.model.path = str(smollm2_gguf)
    params.hostnames, params.port, params.n_parallel, params.n_ctx = ["127.0.0.1"], 0, 1, 512
    for pool in (params.cpuparams, params.cpuparams_batch):
        pool.n_threads, pool.poll = 1, 0
    params.ui, params.fit_params, params.cache_ram_mib = False, False, 0
    params.chat_template = tokenizer.chat_template
    server: Any = xllamacpp.Server(params)
    address: str = server.listening_address

    def post(path: str, body: object) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own server
            address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    yield tokenizer, post
    del server


@pytest.mark.slow
def test_llama_cpp_asks_in_the_training_form(
    served: tuple[Any, Callable[[str, object], Any]],
) -> None:
    tokenizer, post = served
    template = find_template("instruction", tokenizer)

    for question, language in QUESTIONS:
        messages = [{"role": "user", "content": question}]
        asked = post("/apply-template", {"messages": messages})["prompt"]
        assert asked == template.render_prompt(question, "", language)
        usage = post("/v1/chat/completions", {"messages": messages, "max_tokens": 1})["usage"]
        split = split_rows([template.render(question, "", "x", language)], template, tokenizer)[0]
        assert usage["prompt_tokens"] == len(split.prompt)


@pytest.mark.slow
@pytest.mark.parametrize("talk", TALKS, ids=["english-first", "korean-first"])
def test_llama_cpp_writes_conversations_as_transformers_does(
    served: tuple[Any, Callable[[str, object], Any]], talk: list[tuple[str, str]]
) -> None:
    tokenizer, post = served
    messages = [{"role": role, "content": content} for role, content in talk]

    assert post("/apply-template", {"messages": messages})["prompt"] == render(tokenizer, talk)
