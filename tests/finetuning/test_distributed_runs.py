"""Runs of two real processes over gloo; each starts two interpreters that import torch and trl."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from schemas.errors import PacaloomError, UserError
from schemas.manifest import Method, TrainingManifest
from training.finetuning.distributed.launch import launch
from training.finetuning.distributed.order import Order
from training.finetuning.recipe import Distribution, Recipe
from training.finetuning.sft import finetune
from training.finetuning.student import Student

REPOSITORY = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


class Workshop(NamedTuple):
    """Where the runs of a test find what they need."""

    dataset: Path
    student: Path
    root: Path

    def order(self, name: str, method: Method, **changes: Any) -> Order:
        return Order(
            dataset=self.dataset,
            student="tiny",
            student_path=self.student,
            recipe=self.recipe(method, **{"processes": 2, "batch_size": 2, **changes}),
            root=self.root,
            name=name,
            code_version="test",
        )

    def recipe(self, method: Method, **changes: Any) -> Recipe:
        # 18 rows by 4 a step: the fifth step of an epoch holds 2, all of them one process's.
        settings: dict[str, Any] = {
            "method": method,
            "max_steps": 8,
            "learning_rate": 5e-3,
            "gradient_accumulation": 1,
            "precision": "fp32",
            "threads": 1,
            "device": "cpu",
            **changes,
        }
        return Recipe(**settings)

    def alone(self, name: str, method: Method, **changes: Any) -> Path:
        recipe = self.recipe(method, batch_size=4, **changes)
        return finetune(
            self.dataset, Student("tiny", self.student), recipe, self.root, name, "test"
        )


@pytest.fixture
def workshop(colours: Path, tiny_llama: Path, tmp_path: Path) -> Workshop:
    return Workshop(colours, tiny_llama, tmp_path / "models")


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}  # noqa: TID251


def read_manifest_of(version: Path) -> TrainingManifest:
    return TrainingManifest.model_validate_json((version / "manifest.json").read_bytes())


def assert_equal_students(one: Path, other: Path, tolerance: float) -> None:
    from safetensors.torch import load_file

    (file,) = one.glob("*.safetensors")
    expected, found = load_file(file), load_file(other / file.name)
    assert set(expected) == set(found)
    for name, weight in expected.items():
        assert (weight - found[name]).abs().max().item() <= tolerance, name


@pytest.mark.parametrize(
    ("method", "distribution"),
    # Between them every method and either distribution.
    [("lora", "ddp"), ("full", "ddp"), ("full", "fsdp"), ("qlora", "fsdp")],
)
def test_two_processes_tune_as_one_does(
    workshop: Workshop, environment: dict[str, str], method: Method, distribution: Distribution
) -> None:
    alone = read_manifest_of(workshop.alone("alone", method))
    order = workshop.order("together", method, distribution=distribution)
    losses: list[str] = []

    version = launch(order, environment, lambda done, total, note="": losses.append(note))

    together = read_manifest_of(version)
    assert len([note for note in losses if note.startswith("loss")]) == 8
    assert together.loss_before == pytest.approx(alone.loss_before, rel=1e-5)
    assert together.loss_after == pytest.approx(alone.loss_after, rel=1e-4)
    assert together.trainable_parameters == alone.trainable_parameters
    # One step of AdamW moves a weight by up to 5e-3.
    assert_equal_students(workshop.root / "alone" / alone.version, version, tolerance=2e-5)


def test_what_a_process_refuses_is_the_one_line_that_a_single_one_would_say(
    workshop: Workshop, environment: dict[str, str]
) -> None:
    order = workshop.order("refused", "lora", min_rows=100)

    with pytest.raises(UserError) as refused:
        launch(order, environment)

    assert "wanted at least 100 training rows" in str(refused.value)
    assert "\n" not in str(refused.value)


class At:
    """Do something once, in the midst of a run."""

    def __init__(self, step: int, action: Callable[[], object]) -> None:
        self._step = step
        self._action: Callable[[], object] | None = action

    def __call__(self, done: int, total: int, note: str = "") -> None:
        if done >= self._step and self._action:
            action, self._action = self._action, None
            action()


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def find_ranks() -> list[psutil.Process]:
    worker = "training.finetuning.distributed.worker"
    family = psutil.Process().children(recursive=True)
    # The launcher has the name in its arguments as well.
    return [
        each
        for each in family
        if worker in (line := each.cmdline()) and "launcher" not in str(line)
    ]


def kill_a_rank_unseen() -> None:
    """Let the other rank fail for want of its partner before the launcher looks at either."""
    launcher = next(
        each for each in psutil.Process().children() if "launcher" in str(each.cmdline())
    )
    launcher.suspend()
    find_ranks()[1].kill()
    threading.Timer(3, launcher.resume).start()


def test_a_stopped_and_a_killed_run_continue_to_what_an_undisturbed_one_makes(
    workshop: Workshop, environment: dict[str, str]
) -> None:
    steps: list[int] = []
    # So many that no run ends before it is disturbed, however late its parent looks.
    order = workshop.order("disturbed", "lora", max_steps=100, save_steps=2)
    undisturbed = launch(
        workshop.order("undisturbed", "lora", max_steps=100, save_steps=2), environment
    )

    with pytest.raises(KeyboardInterrupt):
        launch(order, environment, At(3, press_ctrl_c))
    assert find_ranks() == []
    (run,) = (workshop.root / "disturbed").glob(".run-*")
    (stopped,) = run.glob("checkpoint-*")
    with pytest.raises(PacaloomError) as lost:
        launch(
            order,
            environment,
            At(int(stopped.name.split("-")[1]) + 4, kill_a_rank_unseen),
        )
    assert find_ranks() == []
    version = launch(order, environment, lambda done, total, note="": steps.append(done))

    assert "Process 1 of the run was ended by SIGKILL" in str(lost.value)
    assert "\n" not in str(lost.value)
    assert steps[0] > 4
    assert_equal_students(undisturbed, version, tolerance=0)


PARENT = """
import os, sys
from pathlib import Path
from training.finetuning.distributed.launch import launch
from training.finetuning.distributed.order import Order

order = Order.model_validate_json(Path(sys.argv[1]).read_bytes())
launch(order, os.environ, lambda done, total, note="": print(done, flush=True))
"""


def test_no_process_outlives_a_parent_that_is_killed(
    workshop: Workshop, environment: dict[str, str], tmp_path: Path
) -> None:
    order = workshop.order("orphaned", "lora", max_steps=100_000)
    (tmp_path / "order.json").write_text(order.model_dump_json())
    command = [sys.executable, "-c", PARENT, str(tmp_path / "order.json")]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        while parent.stdout.readline() not in ("2\n", ""):
            pass
        family = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()

    _, left = psutil.wait_procs(family, timeout=120)

    assert len(family) == 3  # the launcher and two ranks
    assert left == []
