"""Hold a GGUF file, as llama.cpp reads it, against the student it was written from.

A wrong layout or split rule loads without a word and answers fluently enough. So every file is
served once before it is given away: token ids have to be equal, and next-token distributions close.
Cost: a start of the engine and some 50 short prompts, 10 CPU-s for SmolLM2-135M.
"""

import importlib.util
import json
import math
import urllib.request
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from embedded.engine import EngineOptions, start_engine
from schemas.errors import PacaloomError
from schemas.exports import EngineMeasurement, GgufKind
from training.merging import next_token_log_probabilities
from training.probes import FIXED_TEXTS

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MOST_KL: dict[GgufKind, float] = {"f32": 1e-3, "f16": 1e-3, "q8_0": 1e-1}
"""Nats a position. Measured below 1e-4, 1e-4 and 1e-2 at 135M and 270M; a wrong layout gives 1 to
10."""

_CONVERSATIONS = (
    (("user", "Name three fruits."),),
    (("user", "과일 세 가지를 말해 줘."),),
    (
        ("user", "Say 'hi'.\n\nThen \\n stop."),
        ("assistant", "hi"),
        ("user", "이제 한국어로 말해 줘."),
        ("assistant", "안녕하세요."),
        ("user", "{{ messages }} Thanks!"),
    ),
)
_CONTEXT_TOKENS = 512
_MOST_TOKENS = 160
_PLACES_PER_TEXT = 6
_CANDIDATES = 200
_EMPTY = 1e-12
_TIMEOUT_S = 120


class VerificationError(PacaloomError):
    """llama.cpp makes something else of a file than the student."""


class _Place(NamedTuple):
    """What the engine expects after a prompt: tokens and log-probabilities, likeliest first."""

    tokens: list[int]
    log_probabilities: list[float]


def has_engine() -> bool:
    """Say whether the embedded engine is installed."""
    return importlib.util.find_spec("xllamacpp") is not None


def verify_gguf(
    path: Path, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", kind: GgufKind
) -> EngineMeasurement:
    """Serve a file and compare it with the student.

    Raises:
        VerificationError: Token ids differ, or the distributions do by more than rounding can.
        EngineError: llama.cpp cannot load it.
    """
    options = EngineOptions(parallel=1, context_tokens=_CONTEXT_TOKENS)
    with start_engine(path, "verified", options) as base_url:
        address = base_url.removesuffix("/v1")
        for text in FIXED_TEXTS:
            check_tokens(address, text, tokenizer)
        if tokenizer.chat_template:
            check_conversations(address, tokenizer)
        prompts = [tokenizer(text)["input_ids"][:_MOST_TOKENS] for text in FIXED_TEXTS]
        measured = compare_with_engine(address, model, prompts)
    if measured.kl > MOST_KL[kind]:
        raise VerificationError(
            f"llama.cpp makes another model of {path.name}: its next tokens differ by "
            f"{measured.kl:.1e} nats from the student's, {kind} allows {MOST_KL[kind]:g}. Nothing "
            "was kept; export with --format hf instead, and report the architecture."
        )
    return measured


def check_tokens(address: str, text: str, tokenizer: "PreTrainedTokenizerBase") -> None:
    """Compare the token ids of a text, start token included.

    Raises:
        VerificationError: They differ.
    """
    asked = {"content": text, "add_special": True, "parse_special": False}
    found: list[int] = _post(address, "/tokenize", asked)["tokens"]
    wanted: list[int] = tokenizer(text, split_special_tokens=True)["input_ids"]
    if found != wanted:
        place = next(
            (n for n, pair in enumerate(zip(found, wanted, strict=False)) if pair[0] != pair[1]),
            min(len(found), len(wanted)),
        )
        raise VerificationError(
            f"llama.cpp cuts {text[:40]!r}… into other tokens than the student's tokenizer, from "
            f"token {place} on: {found[place : place + 3]} instead of "
            f"{wanted[place : place + 3]}. Nothing was kept; export with --format hf instead."
        )


def check_conversations(address: str, tokenizer: "PreTrainedTokenizerBase") -> None:
    """Compare what the chat template makes of conversations in both languages.

    Raises:
        VerificationError: llama.cpp's Jinja writes something else than transformers'.
    """
    start = str(tokenizer.bos_token or "")
    for talk in _CONVERSATIONS:
        messages: Any = [{"role": role, "content": text} for role, text in talk]
        wanted = str(
            tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        )
        found: str = _post(address, "/apply-template", {"messages": messages})["prompt"]
        # llama.cpp takes the start token off, because it puts it there itself.
        if found.removeprefix(start) != wanted.removeprefix(start):
            raise VerificationError(
                f"llama.cpp writes a chat as {found[:80]!r}…, transformers as {wanted[:80]!r}…: "
                "the student would be asked otherwise than it was trained. Nothing was kept; "
                "export with --format hf instead."
            )


def compare_with_engine(
    address: str, model: "PreTrainedModel", prompts: Sequence[list[int]]
) -> EngineMeasurement:
    """Compare next-token distributions at some places of each prompt.

    llama.cpp names the 200 likeliest tokens; all others count as one. Places where its choice is
    part of a character have no distribution in its answers and are passed over.
    """
    kl, same, positions = 0.0, 0, 0
    distributions = next_token_log_probabilities(model, prompts)
    for prompt, expected in zip(prompts, distributions, strict=True):
        step = max(1, len(prompt) // _PLACES_PER_TEXT)
        for end in islice(range(2, len(prompt), step), _PLACES_PER_TEXT):
            place = _ask(address, prompt[:end])
            if place is None:
                continue
            kl += _divergence(expected[end - 1], place)
            same += place.tokens[0] == int(expected[end - 1].argmax())
            positions += 1
    if not positions:
        raise VerificationError("llama.cpp named no next token at all; report the student.")
    return EngineMeasurement(
        kl=max(0.0, kl / positions), same_next_token=same / positions, positions=positions
    )


def _divergence(expected: "torch.Tensor", place: _Place) -> float:
    wanted = expected[place.tokens].double()
    total, left, found_left = 0.0, 1.0, 1.0
    for want, found in zip(wanted.tolist(), place.log_probabilities, strict=True):
        total += math.exp(want) * (want - found)
        left -= math.exp(want)
        found_left -= math.exp(found)
    left, found_left = max(left, _EMPTY), max(found_left, _EMPTY)
    return total + left * math.log(left / found_left)


def _ask(address: str, prompt: list[int]) -> _Place | None:
    asked = {"prompt": prompt, "n_predict": 1, "n_probs": _CANDIDATES, "temperature": 0}
    answer = _post(address, "/completion", asked)
    if "completion_probabilities" not in answer:
        return None
    likely = answer["completion_probabilities"][0]["top_logprobs"]
    return _Place([one["id"] for one in likely], [one["logprob"] for one in likely])


def _post(address: str, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    request = urllib.request.Request(  # noqa: S310 - loopback
        address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
        return json.load(answer)
