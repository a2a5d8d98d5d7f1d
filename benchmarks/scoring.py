"""Items a CPU-second of choice tasks: ours against plain transformers without a cache.

Three ways on the same items, in turn, in one process. ``alone``: each prompt with each of its
answers by itself through ``model(...)``, no cache, logits of the answer only. ``harness``: what
lm-evaluation-harness does, all pairs sorted by length and padded on the right to batches, whole
sequences with all their logits. ``ours``: :mod:`training.evaluation.scoring`. Peers are timed on a
few items, since they cost the same each; their log-probabilities are compared with ours.

``--matrix`` times one row of the full matrix (0, 1 and 8 shots, English and Korean, 400 items where
there are so many) and multiplies it by four.

    PACALOOM_ACCEPT_TERMS=gemma .venv/bin/python -m benchmarks.scoring --students gemma-3-270m
    PACALOOM_ACCEPT_TERMS=gemma .venv/bin/python -m benchmarks.scoring --matrix --precision bf16
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from embedded.fetch import fetch_model
from embedded.models import find_model
from embedded.student import prepare_student
from flows.settings import read_settings
from schemas.rendering import Rendered
from schemas.templates import INSTRUCTION
from training.base_model import Precision
from training.evaluation.answerers import LocalModel
from training.evaluation.cells import Cell, answer_cells, plan_cells
from training.evaluation.scoring import score_answers
from training.evaluation.tasks.loading import load_task
from training.tokens import split_rows, start_tokens

_ROWS = 4
_HARNESS_BATCH = 16


class Pair(NamedTuple):
    """A prompt with one of its answers in tokens."""

    ids: list[int]
    answer_length: int


class Timed(NamedTuple):
    """How one way did."""

    scores: list[float]
    """By pair."""
    items_per_cpu_s: float


Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]


def main() -> None:
    """Measure and print a line a case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="*", default=["movie-sentiment-en", "movie-sentiment-ko"])
    parser.add_argument("--students", nargs="*", default=["gemma-3-270m", "smollm2-135m"])
    parser.add_argument("--shots", type=int, nargs="*", default=[0, 1, 8])
    parser.add_argument("--items", type=int, default=96, help="that ours is timed on")
    parser.add_argument("--peer-items", type=int, default=6, help="that the peers are timed on")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--matrix", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{arguments.precision}, {arguments.threads} threads, load {os.getloadavg()[0]:.1f}")
    for name in arguments.students:
        path = _prepare(name)
        if arguments.matrix:
            time_matrix(name, path, arguments.precision, arguments.tasks)
            continue
        print(
            "| student | task | shots | ours items/CPU-s | alone | harness | ratio | nats apart |"
        )
        print("|---|---|---|---|---|---|---|---|", flush=True)
        loaded = LocalModel(path, arguments.precision).load()
        for cell in _plan(arguments.tasks, arguments.shots, arguments.items):
            print(f"| {name} {compare(loaded, cell, arguments.peer_items)}", flush=True)


def _prepare(name: str) -> Path:
    settings, model = read_settings(), find_model(name)
    gguf = fetch_model(model, settings.cache, accepted_terms=settings.terms)
    return prepare_student(model, gguf, settings.cache)


def _plan(tasks: Sequence[str], shots: Sequence[int], items: int) -> list[Cell]:
    loaded = [load_task(name) for name in tasks]
    return plan_cells(loaded, shots, wordings=1, draws=1, limit=items, seed=0)


def compare(loaded: Loaded, cell: Cell, peer_items: int) -> str:
    """Time the three ways on one cell."""
    opened = cell.opened
    answers = [[opened.render_answer(answer) for answer in given] for given in cell.answers]
    # Once unmeasured: the first pass allocates.
    score_answers(*loaded, cell.prompts[:8], answers[:8])
    started = time.process_time()
    scores = score_answers(*loaded, cell.prompts, answers)
    ours = len(cell.items) / (time.process_time() - started)
    own = [value for row in scores[:peer_items] for value in row]
    pairs = _cut(loaded, cell.prompts[:peer_items], answers[:peer_items])
    alone = _time(_score_alone, loaded[0], pairs, peer_items)
    harness = _time(_score_in_batches, loaded[0], pairs, peer_items)
    apart = max(abs(a - b) for a, b in zip(own, alone.scores, strict=True))
    return (
        f"| {cell.task.name} | {cell.shot_count} | {ours:.2f} | {alone.items_per_cpu_s:.2f} "
        f"| {harness.items_per_cpu_s:.2f} | {ours / alone.items_per_cpu_s:.1f} | {apart:.1e} |"
    )


def _cut(loaded: Loaded, prompts: Sequence[str], answers: Sequence[Sequence[str]]) -> list[Pair]:
    tokenizer = loaded[1]
    texts = [Rendered(p, a) for p, given in zip(prompts, answers, strict=True) for a in given]
    start = start_tokens(tokenizer)
    splits = split_rows(texts, INSTRUCTION, tokenizer)
    return [Pair([*start, *one.prompt, *one.answer], len(one.answer)) for one in splits]


def _time(
    way: Callable[[PreTrainedModel, Sequence[Pair]], list[float]],
    model: PreTrainedModel,
    pairs: Sequence[Pair],
    items: int,
) -> Timed:
    with torch.inference_mode():
        started = time.process_time()
        scores = way(model, pairs)
        return Timed(scores, items / (time.process_time() - started))


def _score_alone(model: PreTrainedModel, pairs: Sequence[Pair]) -> list[float]:
    scores: list[float] = []
    for ids, length in pairs:
        row = torch.tensor([ids])
        logits = model(row, use_cache=False, logits_to_keep=length + 1).logits[0, :-1].float()
        scores.append(_sum(logits, row[0, -length:]))
    return scores


def _score_in_batches(model: PreTrainedModel, pairs: Sequence[Pair]) -> list[float]:
    scores = [0.0] * len(pairs)
    for places in _batches(pairs):
        rows = [pairs[place].ids for place in places]
        ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
        logits = model(ids, use_cache=False).logits
        for place, row, found in zip(places, rows, logits, strict=True):
            length = pairs[place].answer_length
            wanted = found[len(row) - length - 1 : len(row) - 1].float()
            scores[place] = _sum(wanted, torch.tensor(row[-length:]))
    return scores


def _batches(pairs: Sequence[Pair]) -> Iterator[list[int]]:
    order = sorted(range(len(pairs)), key=lambda place: -len(pairs[place].ids))
    for start in range(0, len(order), _HARNESS_BATCH):
        yield order[start : start + _HARNESS_BATCH]


def _sum(logits: torch.Tensor, tokens: torch.Tensor) -> float:
    return float(logits.log_softmax(-1).gather(-1, tokens[:, None]).double().sum())


def time_matrix(name: str, path: Path, precision: Precision, tasks: Sequence[str]) -> None:
    """Time one row, loading included."""
    cells = _plan(tasks, (0, 1, 8), 400)
    with tempfile.TemporaryDirectory() as folder:
        started, cpu = time.perf_counter(), time.process_time()
        found = answer_cells(LocalModel(path, precision), cells, Path(folder))
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    items = sum(len(cell.items) for cell in cells)
    for one in found:
        print(f"{one.cell.name}: {len(one.cell.items)} items, {one.seconds:.1f} s")
    full = _ROWS * 400 * len(cells) / items
    print(
        f"{name} {precision}: one row {wall:.0f} s wall, {cpu:.0f} CPU-s for {items} items "
        f"({items / wall:.1f} items/s); {_ROWS} rows of 400 items each: {wall * full / 60:.1f} min "
        f"wall, {cpu * full / 60:.1f} CPU-min; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
