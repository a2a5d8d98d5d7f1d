"""How close each way of merging comes to the adapter on its base, and GGUF to the merged student.

Adapters have random second halves of the size that a few hundred steps give, so that no training
has to be waited for. Texts are those that a version is measured on. The embedded Gemma has to be in
the cache already.

    .venv/bin/python -m benchmarks.merging
    .venv/bin/python -m benchmarks.merging --student smollm2-135m --method qlora
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from platformdirs import user_cache_path

from embedded.fetch import fetch_model
from embedded.models import find_model
from embedded.student import prepare_student
from schemas.exports import GgufKind
from schemas.manifest import Method
from tests.finetuning.tuned_students import write_tuned
from training.exporting.export import export_gguf, export_hf
from training.loading import measure_merge

_METHODS: dict[str, tuple[Method, ...]] = {
    "smollm2-135m": ("lora", "qlora", "dora"),
    "gemma-3-270m": ("lora", "qlora"),
}
_KINDS: tuple[GgufKind, ...] = ("f16", "q8_0")
_SIZE = 0.005
_Result = TypeVar("_Result")


def measure_student(name: str, method: Method, folder: Path) -> None:
    """Print the routes of one student and what its exports are."""
    model, cache = find_model(name), user_cache_path("pacaloom")
    gguf = fetch_model(model, cache, accepted_terms=frozenset({model.licence}))
    version = write_tuned(folder, prepare_student(model, gguf, cache), method, size=_SIZE)
    report, took = _timed(lambda: measure_merge(version))
    if report is None:
        raise SystemExit(f"{method} has nothing to merge")
    for one in report.measured:
        mark = "*" if one == report.taken else " "
        _print_row(name, method, f"{mark} {one.route}", one.kl, one.same_next_token, "", "")
    print(f"{'':38}all routes over {report.positions:,} tokens: {took}")
    for kind in _KINDS:
        target = folder / f"{name}-{method}-{kind}"
        export, took = _timed(lambda t=target, k=kind: export_gguf(version, name, t, k))
        if (engine := export.engine) is not None:
            size = _size(target)
            _print_row(name, method, f"  {kind}", engine.kl, engine.same_next_token, size, took)
    target = folder / f"{name}-{method}-hf"
    _, took = _timed(lambda: export_hf(version, name, target, "bf16"))
    print(f"{name:14}{method:8}  {'bf16 folder':34}{_size(target):>9}  {took}", flush=True)


def _timed(work: Callable[[], _Result]) -> tuple[_Result, str]:
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    # The engine's own CPU time is another process's.
    return result, f"{cpu:.1f} CPU-s, {wall:.1f} s"


def _print_row(*cells: object) -> None:
    name, method, what, kl, same, size, took = cells
    print(f"{name:14}{method:8}{what:16}{kl:10.1e}{same:10.2%}{size:>9}  {took}", flush=True)


def _size(folder: Path) -> str:
    return f"{sum(file.stat().st_size for file in folder.iterdir()) / 1e6:,.0f} MB"


def main() -> None:
    """Measure all students and methods, or those that are named."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--student", choices=list(_METHODS))
    parser.add_argument("--method", choices=("lora", "qlora", "dora"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'student':14}{'method':8}{'what':16}{'KL':>10}{'same next':>10}{'size':>9}  took")
    with tempfile.TemporaryDirectory() as folder:
        for name, methods in _METHODS.items():
            for method in methods:
                if given.student in (None, name) and given.method in (None, method):
                    measure_student(name, method, Path(folder) / f"{name}-{method}")


if __name__ == "__main__":
    main()
