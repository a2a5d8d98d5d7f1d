"""Peak memory of real runs against the plan made before them, each run in a process of its own.

    python -m benchmarks.memory [--precision bf16] [--student smollm2-135m] [--length 64]

What is measured: the high-water mark of resident memory (VmHWM, reset through
``/proc/self/clear_refs``) from before the weights are loaded to after the second step, less what
the process held before (interpreter, libraries, tokenizer; one malloc arena, heap trimmed). The
plan is ``plan_memory`` with nothing added. ``whole`` is the whole resident peak. Rows are made up,
all of the same length, the second half of each labelled; 2 rows a batch, one batch a step. Methods
are compared in fp32: under bf16 autocast keeps a copy of each frozen weight of LoRA's.
"""

import argparse
import gc
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, get_args

from embedded.fetch import fetch_model
from embedded.models import find_model
from embedded.student import prepare_student
from schemas.manifest import Method
from training.base_model import Precision, load_tokenizer
from training.finetuning.contract.encoding import IGNORED, Example
from training.finetuning.memory.measuring import read_peak_mb, read_resident_mb, reset_peak
from training.finetuning.memory.plan import RowLength, plan_memory
from training.finetuning.memory.shape import read_shape
from training.finetuning.memory.trimming import keep_one_arena, trim_memory
from training.finetuning.recipe import Recipe, read_hardware, resolve
from training.finetuning.student import Student, load_student
from training.quiet import quiet_libraries

_ARCHITECTURES = (
    "transformers.models.gemma3.modeling_gemma3",
    "transformers.models.llama.modeling_llama",
)
STUDENTS = ("smollm2-135m", "gemma-3-270m")
LENGTHS = (64, 256, 512)
MEASURED: tuple[Method, ...] = ("full", "lora", "qlora")
_CACHE = Path.home() / ".cache" / "pacaloom"


class Peak(NamedTuple):
    """What one run held at its highest, in MB above the process before it."""

    planned: float
    measured: float
    whole: float
    """The process included."""
    cpu_s: float
    phase: str


def main() -> None:
    """Run each configuration, or, as a child, one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--student", choices=STUDENTS, action="append")
    parser.add_argument("--method", choices=get_args(Method), action="append")
    parser.add_argument("--length", type=int, action="append")
    parser.add_argument("--precision", choices=get_args(Precision), default="fp32")
    parser.add_argument("--child", action="store_true")
    asked = parser.parse_args()
    students, methods = asked.student or STUDENTS, asked.method or MEASURED
    lengths = asked.length or LENGTHS
    if asked.child:
        peak = measure(students[0], methods[0], lengths[0], asked.precision)
        print(json.dumps(peak))
        return
    print(f"{asked.precision}, 2 rows a batch; MB of 10^6 bytes above the process before loading")
    print("student        tokens  method        planned  measured   error  of full  whole  of full")
    for student in students:
        for length in lengths:
            print_rows(student, length, methods, asked.precision)


def print_rows(student: str, length: int, methods: Sequence[Method], precision: Precision) -> None:
    """Print a line for each method, the first of which is what others are held against."""
    full: Peak | None = None
    for method in methods:
        peak = run_child(student, method, length, precision)
        full = full or peak
        print(
            f"{student:<14} {length:>6}  {method:<13} {peak.planned:>7,.0f} {peak.measured:>9,.0f}"
            f" {peak.planned / peak.measured - 1:>+7.1%} {peak.measured / full.measured:>8.2f}"
            f" {peak.whole:>6,.0f} {peak.whole / full.whole:>8.2f}"
            f"   highest at {peak.phase}, {peak.cpu_s:.0f} CPU-s",
            flush=True,
        )


def run_child(student: str, method: Method, length: int, precision: Precision) -> Peak:
    """Measure one configuration in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.memory", "--child", "--student", student]
    command += ["--method", method, "--length", str(length), "--precision", precision]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr[-3000:])
    return Peak(*json.loads(done.stdout.splitlines()[-1]))


def measure(student: str, method: Method, length: int, precision: Precision) -> Peak:
    """Plan one run, do it, and say what it took."""
    # All that a run imports is there before it is measured.
    for name in ("bitsandbytes", *_ARCHITECTURES):
        importlib.import_module(name)
    import torch

    from training.finetuning.assembly import build_trainer

    keep_one_arena()
    torch.set_num_threads(1)
    path = find_checkpoint(student)
    recipe = Recipe(
        method=method,
        batch_size=2,
        gradient_accumulation=1,
        max_steps=2,
        precision=precision,
        threads=1,
    )
    settings = resolve(recipe, read_hardware())
    rows = make_rows(length)
    lengths = [RowLength(length, length - length // 2) for _ in rows]
    estimate = plan_memory(read_shape(path), recipe, settings, lengths, process_mb=0.0)
    tokenizer = load_tokenizer(path)
    gc.collect()
    trim_memory()
    reset_peak("cpu")
    before = read_resident_mb()
    started = time.process_time()
    with quiet_libraries(), tempfile.TemporaryDirectory() as run:
        loaded = load_student(Student(student, path), recipe, settings, tokenizer)
        build_trainer(Path(run), loaded, rows, recipe, settings).train()
    whole = read_peak_mb("cpu")
    seconds = time.process_time() - started
    return Peak(estimate.total_mb, whole - before, whole, seconds, estimate.highest_at)


def make_rows(length: int) -> list[Example]:
    """Write eight rows of numbers that any student knows as tokens."""
    prompt = length // 2
    rows: list[Example] = []
    for row in range(8):
        tokens = [100 + (row * 7919 + place * 104729) % 40_000 for place in range(length)]
        rows.append(Example(str(row), tokens, [IGNORED] * prompt + tokens[prompt:]))
    return rows


def find_checkpoint(student: str) -> Path:
    """Fetch and convert a student unless it is in the cache."""
    model = find_model(student)
    # Whoever runs a benchmark with Gemma has accepted its terms.
    gguf = fetch_model(model, _CACHE, accepted_terms=frozenset({model.licence}))
    return prepare_student(model, gguf, _CACHE)


if __name__ == "__main__":
    main()
