"""A tuned student is served with the template it was trained with, from a file written once."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from embedded.engine import EngineOptions
from flows.engine import PlainEngine
from flows.serving import ServingError, check_port, prepare, serve
from flows.settings import Settings
from schemas.errors import UserError
from schemas.locking import is_in_use
from schemas.templates import INSTRUCTION
from tests.finetuning.tuned_students import write_tuned
from training.loading import load_model
from training.tokens import start_tokens

QUESTIONS = ("Name the colour of ball 3.", "3번 공의 색을 말해 줘.")


class StopError(Exception):
    """Ends a server as Ctrl-C does."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(outputs=tmp_path, cache=tmp_path / "cache")


def continue_greedily(folder: Path, question: str, count: int) -> str:
    """Answer with transformers on the merged model; the oracle."""
    import torch

    model, tokenizer = load_model(folder)
    text = INSTRUCTION.render_prompt(question, "", "en" if question.isascii() else "ko")
    prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
    tokens = torch.tensor([[*start_tokens(tokenizer), *prompt]])
    written: Any = model.generate(  # type: ignore[operator] # transformers' own
        tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=count, do_sample=False
    )
    return str(tokenizer.decode(written[0, tokens.shape[1] :], skip_special_tokens=True))


def test_a_served_student_answers_chats_and_completions_as_transformers_does(
    tiny_llama: Path, tmp_path: Path, settings: Settings
) -> None:
    import openai

    version = write_tuned(tmp_path, tiny_llama, "qlora", size=0.1)
    reference = f"{version.parent.name}/{version.name}"
    model = prepare(version.parent.name, "f32", settings, PlainEngine())
    assert model.name == reference
    answers: list[str] = []

    def ask(base_url: str) -> None:
        assert is_in_use(model.gguf)
        with openai.OpenAI(base_url=base_url, api_key="none") as client:
            assert [one.id for one in client.models.list()] == [reference]
            for question in QUESTIONS:
                chat = client.chat.completions.create(
                    model=model.name,
                    messages=[{"role": "user", "content": question}],
                    temperature=0,
                    max_tokens=6,
                )
                answers.append(chat.choices[0].message.content or "")
            done = client.completions.create(
                model=model.name, prompt="It is", temperature=0, max_tokens=3
            )
            assert done.choices[0].text
        raise StopError

    options = EngineOptions(parallel=1, context_tokens=512, threads=1)
    with pytest.raises(StopError):
        serve(model, options, 0, tmp_path / "serve.log", ask)

    assert not is_in_use(model.gguf)
    # Cut-off characters are written differently by the two.
    wanted = [continue_greedily(version, question, 6) for question in QUESTIONS]
    for answer, want in zip(answers, wanted, strict=True):
        assert answer.rstrip("\ufffd").strip() == want.rstrip("\ufffd").strip()


def test_a_file_is_written_once_and_another_template_or_kind_gets_another(
    tiny_llama: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = write_tuned(tmp_path, tiny_llama, "full")
    first = prepare(str(version), "f32", settings, PlainEngine())
    written = first.gguf.stat().st_ino
    os.utime(first.gguf, (1_000, 1_000))

    again = prepare(str(version), "f32", settings, PlainEngine())

    assert again == first
    assert again.gguf.stat().st_ino == written
    # By this maintenance knows that it is in use.
    assert again.gguf.stat().st_mtime > 1_000
    assert prepare(str(version), "q8_0", settings, PlainEngine()).gguf != first.gguf
    assert sorted(first.gguf.parent.glob("*.gguf")) == sorted(
        file for file in first.gguf.parent.iterdir() if not file.name.endswith(".lock")
    )


def test_a_student_of_another_template_is_refused(
    tiny_llama: Path, tmp_path: Path, settings: Settings
) -> None:
    version = write_tuned(tmp_path, tiny_llama, "full")
    manifest = version / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"template_hash": "', '"template_hash": "f'))

    with pytest.raises(UserError, match="was trained with template 'instruction' f"):
        prepare(str(version), "f32", settings, PlainEngine())
    assert not list((tmp_path / "cache").rglob("*.gguf"))


def test_prompt_tuning_is_refused_before_any_work(
    tiny_llama: Path, tmp_path: Path, settings: Settings
) -> None:
    version = write_tuned(tmp_path, tiny_llama, "prompt_tuning")

    with pytest.raises(UserError, match="stand before every prompt"):
        prepare(str(version), None, settings, PlainEngine())


def test_a_taken_port_is_named_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ServingError, match=f"Port {port} of 127.0.0.1") as caught:
            check_port(port)
    assert "\n" not in str(caught.value)
