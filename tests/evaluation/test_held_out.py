"""The oracles are transformers' own loss on the same row, and every resample there is."""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from schemas.records import InstructionRecord, Language, Provenance
from schemas.templates import INSTRUCTION
from training.evaluation.answerers import LocalModel
from training.evaluation.held_out import RecordLoss, compare_losses
from training.loading import load_model


def _record(
    instruction: str, output: str, language: Language, input_text: str = ""
) -> InstructionRecord:
    return InstructionRecord(
        instruction=instruction,
        input=input_text,
        output=output,
        language=language,
        provenance=Provenance(strategy="import", teacher="tests", completion_id="tests:1"),
    )


RECORDS = (
    _record("Is it dull?", "It runs for two hours.", "en"),
    _record("영화는 어땠나요?", "처음부터 끝까지 즐거웠어요.", "ko"),
    _record("Say it shorter.", "Too long — really 🙂.", "en", "Dull, and far too long."),
    _record("감정을 답하세요.", "부정", "ko", "지루하고 너무 길었다."),
)


@pytest.mark.parametrize("student", ["llama", "gemma"])
def test_bits_are_those_of_the_loss_that_transformers_gives(
    request: pytest.FixtureRequest, student: str
) -> None:
    folder: Path = request.getfixturevalue(student)
    model, tokenizer = load_model(folder)

    found = LocalModel(folder).measure(RECORDS, INSTRUCTION)

    for record, loss in zip(RECORDS, found, strict=True):
        prompt, answer = INSTRUCTION.render(
            record.instruction, record.input, record.output, record.language
        )
        start = len(tokenizer(prompt)["input_ids"])
        ids = torch.tensor([tokenizer(prompt + answer)["input_ids"]])
        labels = ids.clone()
        labels[0, :start] = -100
        with torch.inference_mode():
            mean: Any = model(input_ids=ids, labels=labels).loss
        nats = mean.item() * (ids.shape[1] - start)
        assert loss.language == record.language
        assert loss.bits == pytest.approx(nats / math.log(2), rel=1e-5)


def test_bytes_are_those_of_the_answer_in_utf8(llama: Path) -> None:
    found = LocalModel(llama).measure(RECORDS, INSTRUCTION)

    # 13 Hangul syllables of 3 bytes, 2 spaces and a full stop; then "—" has 3 bytes and "🙂" 4.
    assert [one.bytes for one in found] == [22, 12 * 3 + 3, 8 + 1 + 3 + 1 + 6 + 1 + 4 + 1, 6]


def test_progress_ends_at_the_number_of_records_and_none_gives_none(llama: Path) -> None:
    seen: list[tuple[int, int]] = []
    model = LocalModel(llama)

    model.measure(RECORDS, INSTRUCTION, lambda done, total, note="": seen.append((done, total)))

    assert seen[-1] == (4, 4)
    assert model.measure([], INSTRUCTION) == []


def test_bits_per_byte_is_the_ratio_of_sums_by_model_and_language_in_order() -> None:
    losses = {
        "tuned": [RecordLoss("ko", 6.0, 6), RecordLoss("en", 4.0, 8), RecordLoss("ko", 9.0, 24)],
        "base": [RecordLoss("ko", 9.0, 6), RecordLoss("en", 8.0, 8), RecordLoss("ko", 21.0, 24)],
    }

    found = compare_losses(losses, "base", seed=0)

    assert [(one.model, one.language, one.records, one.bytes) for one in found] == [
        ("tuned", "en", 1, 8),
        ("tuned", "ko", 2, 30),
        ("base", "en", 1, 8),
        ("base", "ko", 2, 30),
    ]
    assert [one.bits_per_byte for one in found] == pytest.approx([0.5, 0.5, 1.0, 1.0])
    assert [one.difference for one in found] == pytest.approx([-0.5, -0.5, 0.0, 0.0])
    assert all(one.low == one.high == 0 for one in found[2:])


@pytest.mark.parametrize("language", ["en", "ko"])
def test_interval_is_that_of_all_resamples_there_are(language: Language) -> None:
    sizes = [5, 40, 12, 9, 21]
    base = [12.0, 70.0, 31.0, 20.0, 33.0]
    tuned = [10.1, 62.0, 31.7, 25.3, 28.9]
    losses = {
        name: [RecordLoss(language, bits, size) for bits, size in zip(values, sizes, strict=True)]
        for name, values in (("base", base), ("tuned", tuned))
    }
    apart = np.subtract(tuned, base)
    drawn = [list(draw) for draw in itertools.product(range(5), repeat=5)]
    every = [apart[draw].sum() / np.take(sizes, draw).sum() for draw in drawn]

    _, found = compare_losses(losses, "base", seed=3)

    # Ends of 10,000 random resamples lie between exact quantiles close to the 2.5 and 97.5 %.
    assert np.quantile(every, 0.02) <= found.low <= np.quantile(every, 0.03)
    assert np.quantile(every, 0.97) <= found.high <= np.quantile(every, 0.98)


def test_same_seed_gives_the_same_interval() -> None:
    losses = {
        "base": [RecordLoss("ko", 3.0 * k, 4) for k in range(1, 30)],
        "tuned": [RecordLoss("ko", 80.0 - k * k / 11, 4) for k in range(1, 30)],
    }

    assert compare_losses(losses, "base", seed=1) == compare_losses(losses, "base", seed=1)
    assert compare_losses(losses, "base", seed=1) != compare_losses(losses, "base", seed=2)


def test_nothing_measured_or_no_baseline_gives_no_comparison() -> None:
    # A served baseline has no loss; a difference of 0 to it would let the challenger pass.
    assert compare_losses({}, "base", seed=0) == []
    assert compare_losses({"tuned": [RecordLoss("en", 3.0, 4)]}, "base", seed=0) == []
