"""How long maintenance takes over a thousand versions, and that it keeps what it should.

Small versions as publishers name them: 25 names with 20 datasets and 16 students each, and an
evaluation for four students in five; each name has had two champions. What is measured is reading
and following manifests; removing takes as long as the disk takes for the files.
"""

import resource
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from flows.engine import PlainEngine
from flows.parameters import MaintenanceParams
from flows.retention.maintaining import maintain_outputs
from tests.flows.retention_outputs import (
    judge,
    refer_dataset,
    refer_model,
    settings_for,
    write_dataset,
    write_evaluation,
    write_model,
)

NAMES = 25
DATASETS = 20
MODELS = 16
KEEP = 5

Result = TypeVar("Result")


def build(outputs: Path) -> int:
    written = 0
    for name in (f"name-{number}" for number in range(NAMES)):
        for ordinal in range(1, DATASETS + 1):
            write_dataset(outputs, name, ordinal)
        for ordinal in range(1, MODELS + 1):
            write_model(outputs, name, ordinal, dataset=refer_dataset(name, ordinal))
            reference = refer_model(name, ordinal)
            report = write_evaluation(outputs, reference) if ordinal % 5 else None
            judge(outputs, reference, report, promote=ordinal in (2, 8))
            written += report is not None
    return written + NAMES * (DATASETS + MODELS)


def measure(label: str, step: Callable[[], Result]) -> Result:
    started, cpu = time.perf_counter(), time.process_time()
    result = step()
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(f"  {label:<12} {wall:6.2f} s wall, {cpu:6.2f} s CPU")
    return result


def main() -> None:
    with TemporaryDirectory() as folder:
        # The cache lies beside it.
        outputs = Path(folder).resolve() / "outputs"
        print(f"{build(outputs):,} versions and evaluations")
        settings, engine = settings_for(outputs), PlainEngine()
        told = MaintenanceParams(keep_versions=KEEP)
        done = told.model_copy(update={"apply": True})
        dry = measure("dry run", lambda: maintain_outputs(told, settings, engine))
        applied = measure("apply", lambda: maintain_outputs(done, settings, engine))
        again = measure("again", lambda: maintain_outputs(done, settings, engine))
        print(
            f"  {len(dry.given):,} may go, {len(applied.given):,} went, {len(again.given):,} are "
            f"left to go; {applied.kept_versions:,} stay"
        )
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  peak memory {peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
