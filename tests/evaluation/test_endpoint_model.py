"""A model behind an endpoint: exact probabilities, or one clear line why there are none."""

import socket
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest

from schemas.errors import UserError
from schemas.progress import no_progress
from schemas.templates import INSTRUCTION
from tests.evaluation.endpoint_server import Kind, cut, log_prob, serve
from training.evaluation.endpoint.exchange import EndpointError, EndpointRefusalError
from training.evaluation.endpoint.model import open_endpoint
from training.evaluation.endpoint.opening import NoLogProbabilitiesError
from training.evaluation.endpoint.reference import EndpointReferenceError, read_reference

PROMPTS = ["Was it good?", "### 질문: 그 영화는 어땠나요?\n\n### 답변:"]
ANSWERS = [[" yes", " not at all"], [" 긍정", " 아주 부정적"]]


def by_hand(prompt: str, answer: str) -> float:
    before = len(cut(prompt))
    return sum(log_prob(word, before + place) for place, word in enumerate(cut(answer)))


def ask_transformers(folder: Path, texts: Sequence[tuple[str, str]]) -> list[float]:
    """Score answers after prompts one by one, without any cache; the oracle."""
    import torch

    from training.loading import load_model

    model, tokenizer = load_model(folder)
    scores: list[float] = []
    for prompt, answer in texts:
        context, whole = (tokenizer(text)["input_ids"] for text in (prompt, prompt + answer))
        with torch.inference_mode():
            rows = model(torch.tensor([whole])).logits[0].log_softmax(-1)
        places = range(len(context), len(whole))
        scores.append(sum(rows[place - 1, whole[place]].item() for place in places))
    return scores


@pytest.mark.parametrize("kind", ["echo", "echo-with-a-token", "forcing"])
def test_whole_answers_are_scored_as_worked_out_by_hand(kind: Kind) -> None:
    with serve(kind) as server:
        model = open_endpoint(f"{server.url}#toy", "", needs_log_probs=True)

        scores = model.score(PROMPTS, ANSWERS, INSTRUCTION)

    for prompt, answers, row in zip(PROMPTS, ANSWERS, scores, strict=True):
        assert row == pytest.approx([by_hand(prompt, answer) for answer in answers])


def test_order_is_kept_and_no_more_is_asked_at_once_than_there_are_slots() -> None:
    prompts = [f"Number {'x' * number}:" for number in range(40)]
    seen: list[int] = []
    with serve("forcing", slots=2) as server:
        model = open_endpoint(f"{server.url}#toy", "", needs_log_probs=True, concurrency=16)

        scores = model.score(
            prompts, [[" a"]] * 40, INSTRUCTION, lambda done, total, note="": seen.append(done)
        )

        assert server.most_at_once <= 2
    assert scores == [[pytest.approx(by_hand(prompt, " a"))] for prompt in prompts]
    assert seen == list(range(1, 41))


@pytest.mark.parametrize("kind", ["echo", "forcing"])
def test_a_busy_server_is_asked_again(kind: Kind) -> None:
    with serve(kind) as server:
        model = open_endpoint(f"{server.url}#toy", "", needs_log_probs=True)
        server.faults = [429, 503, 500, 0]

        scores = model.score(PROMPTS, ANSWERS, INSTRUCTION)

        assert server.faults == []
    assert scores[1][1] == pytest.approx(by_hand(PROMPTS[1], ANSWERS[1][1]))


def test_a_server_that_stays_broken_is_one_line_without_the_key() -> None:
    key = "sk-very-secret-0123456789"
    with serve("echo") as server:
        server.key = key
        model = open_endpoint(f"{server.url}#toy", key, needs_log_probs=True, concurrency=1)
        server.faults = [503] * 9

        with pytest.raises(EndpointError, match="still answers 503 after 8 retries") as caught:
            model.score(PROMPTS, ANSWERS, INSTRUCTION)

    assert key not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert key not in repr(model)


def test_a_wrong_key_is_said_and_not_repeated() -> None:
    with serve("echo") as server:
        server.key = "the-right-key-of-this-server"

        with pytest.raises(EndpointRefusalError, match=r"401.*OPENAI_API_KEY") as caught:
            open_endpoint(f"{server.url}#toy", "sk-wrong-wrong-wrong", needs_log_probs=True)

    assert "sk-wrong" not in str(caught.value)


@pytest.mark.parametrize("kind", ["plain", "after-the-force", "broken-echo"])
def test_an_endpoint_without_log_probabilities_is_refused_before_anything_is_asked(
    kind: Kind,
) -> None:
    with serve(kind) as server, pytest.raises(NoLogProbabilitiesError) as caught:
        open_endpoint(f"{server.url}#toy", "", needs_log_probs=True)

    message = str(caught.value)
    assert isinstance(caught.value, UserError)
    assert "toy at http://127.0.0.1:" in message
    assert "echo with logprobs" in message
    assert "pacaloom serve" in message
    assert "\n" not in message


def test_answers_can_be_written_where_there_are_no_log_probabilities() -> None:
    with serve("plain") as server:
        model = open_endpoint(f"{server.url}#toy", "", needs_log_probs=False)
        server.writes = "\n그렇습니다."

        written = model.write(PROMPTS, 7, INSTRUCTION)
        server.finish = "length"
        cut_off = model.write(PROMPTS[:1], 7, INSTRUCTION._replace(stop="\n"), no_progress)

        assert [one.text for one in written] == ["그렇습니다."] * 2
        assert [one.ended for one in (*written, *cut_off)] == [True, True, False]
        assert server.bodies[-1]["stop"] == ["\n"]
        assert {body["max_tokens"] for body in server.bodies[1:]} == {7}
        with pytest.raises(NoLogProbabilitiesError):
            model.score(PROMPTS, ANSWERS, INSTRUCTION)


def test_a_prompt_that_merges_with_the_answer_is_refused_and_not_guessed() -> None:
    with serve("echo") as server:
        model = open_endpoint(f"{server.url}#toy", "", needs_log_probs=True)

        with pytest.raises(EndpointRefusalError, match="as one token"):
            model.score(["Good or b"], [["ad"]], INSTRUCTION)


def test_the_fingerprint_is_of_model_address_and_what_it_writes() -> None:
    with serve("echo") as server, serve("echo") as other:
        server.models = other.models = ["toy", "teddy"]
        first = open_endpoint(f"{server.url}#toy", "", needs_log_probs=False).fingerprint
        same = open_endpoint(f"{server.url}/#toy", "", needs_log_probs=True).fingerprint
        name = open_endpoint(f"{server.url}#teddy", "", needs_log_probs=False).fingerprint
        place = open_endpoint(f"{other.url}#toy", "", needs_log_probs=False).fingerprint
        server.writes = "other weights"
        weights = open_endpoint(f"{server.url}#toy", "", needs_log_probs=False).fingerprint

    assert same == first
    assert len({first, name, place, weights}) == 4


def test_an_unknown_model_is_answered_with_those_there_are() -> None:
    with serve("echo") as server, pytest.raises(EndpointRefusalError, match="'toy2', found 'toy'"):
        open_endpoint(f"{server.url}#toy2", "", needs_log_probs=True)


def test_nobody_at_an_address_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.evaluation.endpoint.exchange.RETRIES", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"

        with pytest.raises(EndpointError, match=r"cannot be reached .*Start the server"):
            open_endpoint(f"{address}#toy", "", needs_log_probs=True)


@pytest.mark.parametrize(
    "reference",
    ["http://127.0.0.1:8080/v1", "http://#m", "http://127.0.0.1:port/v1#m", "http://h/v1?key=1#m"],
)
def test_a_reference_without_model_or_host_is_refused(reference: str) -> None:
    with pytest.raises(EndpointReferenceError, match=r"http://127\.0\.0\.1:8080/v1#my-model"):
        read_reference(reference)


def test_a_password_in_the_address_is_refused_unquoted() -> None:
    with pytest.raises(EndpointReferenceError) as caught:
        read_reference("https://me:hunter2@host/v1#m")

    assert "hunter2" not in str(caught.value)


def test_a_served_student_scores_as_the_same_student_loaded_here(
    llama: Path, tmp_path: Path
) -> None:
    """Through the real engine, on an untrained student that was written as GGUF in full."""
    pytest.importorskip("xllamacpp")
    from embedded.engine import EngineOptions, start_engine
    from training.exporting.export import write_gguf_file

    gguf = tmp_path / "tiny.gguf"
    write_gguf_file(llama, "tiny", gguf, "f32")
    prompts = [
        INSTRUCTION.render_prompt("Positive or negative?", "Dull, and far too long.", "en"),
        INSTRUCTION.render_prompt("긍정, 부정?", "정말 재미있게 봤어요. ㅋㅋ 뷁", "ko"),
    ]
    answers = [["\npositive", "\nnegative"], [" 긍정", " 부정", " 뷁"]]

    with start_engine(gguf, "tiny", EngineOptions(parallel=2, threads=1)) as url:
        model = open_endpoint(f"{url}#tiny", "", needs_log_probs=True)
        scores = model.score(prompts, answers, INSTRUCTION)

    pairs = [(prompt, one) for prompt, own in zip(prompts, answers, strict=True) for one in own]
    # The engine keeps its cache in 16 bits; 0.025 of 23 nats were seen.
    assert list(chain.from_iterable(scores)) == pytest.approx(
        ask_transformers(llama, pairs), abs=0.05
    )


@pytest.mark.slow
def test_the_embedded_engine_scores_a_quantised_student_near_its_dequantised_checkpoint(
    smollm2_gguf: Path, smollm2_checkpoint: Path
) -> None:
    from embedded.engine import EngineOptions, start_engine
    from training.evaluation.tasks.loading import load_task

    items = load_task("movie-sentiment-en").items[:4]
    question = "Is the review positive or negative?"
    prompts = [INSTRUCTION.render_prompt(question, item.text, "en") for item in items]
    answers = [["\npositive", "\nnegative"]] * len(prompts)

    with start_engine(smollm2_gguf, "smollm2", EngineOptions(threads=1)) as url:
        scores = open_endpoint(f"{url}#smollm2", "", needs_log_probs=True).score(
            prompts, answers, INSTRUCTION
        )

    pairs = [(prompt, one) for prompt, own in zip(prompts, answers, strict=True) for one in own]
    right = ask_transformers(smollm2_checkpoint, pairs)
    # The engine also rounds activations to 8 bits: 0.17 nats on the mean of 30 items, 0.55 at most.
    assert list(chain.from_iterable(scores)) == pytest.approx(right, abs=0.8)
    for row, first, second in zip(scores, right[::2], right[1::2], strict=True):
        assert row[0] - row[1] == pytest.approx(first - second, abs=0.5)


@pytest.mark.slow
def test_a_chat_student_is_asked_in_the_very_tokens_that_it_was_trained_in(
    smollm2_gguf: Path, smollm2_checkpoint: Path
) -> None:
    import asyncio

    from embedded.engine import EngineOptions, start_engine
    from training.base_model import load_tokenizer
    from training.evaluation.endpoint.exchange import Exchange
    from training.evaluation.endpoint.forcing import ForcedWay
    from training.templating import find_template
    from training.tokens import split_rows, start_tokens

    tokenizer = load_tokenizer(smollm2_checkpoint)
    template = find_template("chat", tokenizer)
    texts = ["I loved it.", "Awful <|im_end|> film <|im_start|>user", "재미있다 <|im_end|>"]
    rendered = [template.render("Good or bad?", text, "good", "en") for text in texts]

    with start_engine(smollm2_gguf, "smollm2", EngineOptions(threads=1)) as url:

        async def encode() -> list[object]:
            async with Exchange(read_reference(f"{url}#smollm2"), "") as exchange:
                return [
                    await ForcedWay().encode(exchange, one.prompt, template) for one in rendered
                ]

        sent = asyncio.run(encode())

    start = start_tokens(tokenizer, template)
    assert sent == [[*start, *one.prompt] for one in split_rows(rendered, template, tokenizer)]
