import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import PacaloomError
from schemas.manifest import Method, TrainingManifest
from schemas.storage import StorageError
from training.finetuning import sft
from training.finetuning.checkpoints import CheckpointError, last_step
from training.finetuning.interrupts import deferred_interrupt
from training.finetuning.recipe import Recipe
from training.finetuning.run_folder import ResumeError
from training.finetuning.sft import finetune
from training.finetuning.student import Student

REPOSITORY = Path(__file__).parents[2]
Progress = Callable[..., None]


class PowerCutError(BaseException):
    """Ends a run as abruptly as a test inside one process can."""


def make_recipe(method: Method = "lora", **changes: Any) -> Recipe:
    """Give a recipe whose 7 steps cross an epoch of 18 rows in mid-accumulation."""
    settings: dict[str, Any] = {
        "method": method,
        "max_steps": 7,
        "learning_rate": 5e-3,
        "batch_size": 2,
        "gradient_accumulation": 2,
        "save_steps": 2,
        "precision": "fp32",
        "threads": 1,
        **({"dropout": 0.1} if method in {"lora", "qlora", "dora"} else {}),
        **changes,
    }
    return Recipe(**settings)


def cut_at(*moments: int, error: type[BaseException] = PowerCutError) -> Progress:
    """Raise when these steps are reported."""

    def progress(done: int, total: int, note: str = "") -> None:
        if done in moments:
            raise error

    return progress


def signal_at(step: int, number: signal.Signals) -> Progress:
    def progress(done: int, total: int, note: str = "") -> None:
        if done == step:
            os.kill(os.getpid(), number)

    return progress


def note_steps(steps: list[int]) -> Progress:
    return lambda done, total, note="": steps.append(done)


class Bench:
    """A student, its dataset and a folder of models."""

    def __init__(self, student: Path, dataset: Path, root: Path) -> None:
        self.student = Student("tiny", student)
        self.dataset = dataset
        self.root = root

    def tune(self, recipe: Recipe, progress: Progress | None = None, **more: Any) -> Path:
        return finetune(
            self.dataset, self.student, recipe, self.root, "t", "test",
            progress or (lambda done, total, note="": None), **more,
        )  # fmt: skip

    def run_folder(self) -> Path:
        (run,) = (self.root / "t").glob(".run-*")
        return run


@pytest.fixture
def bench(tiny_llama: Path, colours: Path, tmp_path: Path) -> Bench:
    return Bench(tiny_llama, colours, tmp_path / "models")


@pytest.fixture(scope="module")
def undisturbed(
    tiny_llama: Path, colours: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Method], Path]:
    """Tune once by a method, undisturbed."""
    tuned: dict[Method, Path] = {}

    def tune(method: Method) -> Path:
        if method not in tuned:
            root = tmp_path_factory.mktemp(f"undisturbed-{method}")
            tuned[method] = Bench(tiny_llama, colours, root).tune(make_recipe(method))
        return tuned[method]

    return tune


def read_manifest_of(version: Path) -> TrainingManifest:
    return TrainingManifest.model_validate_json((version / "manifest.json").read_bytes())


def assert_same(version: Path, expected: Path) -> None:
    """Weights, losses and samples are those of the undisturbed run."""
    assert version.name == expected.name
    weights = next(expected.glob("*.safetensors")).name
    assert (version / weights).read_bytes() == (expected / weights).read_bytes()
    one, other = read_manifest_of(version), read_manifest_of(expected)
    assert (one.loss_before, one.loss_after) == (other.loss_before, other.loss_after)
    assert one.steps == other.steps


@pytest.mark.parametrize(
    "method",
    [
        "lora",
        *(
            pytest.param(method, marks=pytest.mark.slow)
            for method in ("full", "qlora", "dora", "prompt_tuning")
        ),
    ],
)
def test_a_run_cut_off_twice_ends_in_the_bytes_of_an_undisturbed_one(
    bench: Bench, undisturbed: Callable[[Method], Path], method: Method
) -> None:
    # After step 3, in the first epoch, and after step 5, the first of the second epoch.
    for moment in (3, 5):
        with pytest.raises(PowerCutError):
            bench.tune(make_recipe(method), cut_at(moment))
        # What a kill leaves while a checkpoint is written.
        (bench.run_folder() / ".unfinished-6").mkdir()

    assert_same(bench.tune(make_recipe(method)), undisturbed(method))
    assert [path.name for path in (bench.root / "t").iterdir()] == [undisturbed(method).name]


def test_a_run_killed_right_after_its_first_checkpoint_remembers_the_base_it_measured(
    bench: Bench, undisturbed: Callable[[Method], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: Any, **__: Any) -> None:
        raise PowerCutError

    with monkeypatch.context() as patched:
        patched.setattr("training.finetuning.callbacks.RunCallback.on_save", cut)
        with pytest.raises(PowerCutError):
            bench.tune(make_recipe())
    assert last_step(bench.run_folder()) == 2

    assert_same(bench.tune(make_recipe()), undisturbed("lora"))


def test_a_run_cut_off_while_publishing_trains_no_step_again(
    bench: Bench, undisturbed: Callable[[Method], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = sft.publish_model

    def cut(*arguments: Any) -> Path:
        publish(*arguments)
        raise PowerCutError

    monkeypatch.setattr(sft, "publish_model", cut)
    with pytest.raises(PowerCutError):
        bench.tune(make_recipe())
    monkeypatch.setattr(sft, "publish_model", publish)
    # Both: killed after the version was there, and before.
    assert last_step(bench.run_folder()) == 7
    (version,) = (bench.root / "t").glob("0001-*")
    version.rename(bench.root / "set-aside")
    steps: list[int] = []

    published = bench.tune(make_recipe(), note_steps(steps))

    assert steps == []
    assert_same(published, undisturbed("lora"))


def test_a_finished_run_called_again_is_found_and_another_value_is_another_run(
    bench: Bench,
) -> None:
    first = bench.tune(make_recipe())
    steps: list[int] = []

    again = bench.tune(make_recipe(), note_steps(steps))
    asked_again = list(steps)
    other = bench.tune(make_recipe().model_copy(update={"random_seed": 5}), note_steps(steps))

    assert (again, asked_again) == (first, [])
    assert other != first
    assert max(steps) == 7
    assert not list((bench.root / "t").glob(".run-*"))


def test_a_version_without_a_readable_manifest_is_passed_over(bench: Bench) -> None:
    first = bench.tune(make_recipe())
    (first / "manifest.json").write_text("{}")
    steps: list[int] = []

    bench.tune(make_recipe(), note_steps(steps))

    assert max(steps) == 7


def test_a_checkpoint_holds_no_pickle_and_none_is_read(
    bench: Bench, undisturbed: Callable[[Method], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was pickled")

    monkeypatch.setattr(torch, "save", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(pickle, "Unpickler", refuse)
    with pytest.raises(PowerCutError):
        bench.tune(make_recipe(), cut_at(5))

    names = {file.name for file in (bench.run_folder() / "checkpoint-4").iterdir()}
    assert names == {
        "trained.safetensors", "optimizer.json", "optimizer.safetensors", "scheduler.json",
        "random-0.json", "random-0.safetensors", "trainer_state.json",
    }  # fmt: skip
    assert_same(bench.tune(make_recipe()), undisturbed("lora"))


def test_adapters_are_kept_in_fp32_over_a_four_bit_base(bench: Bench) -> None:
    from safetensors import safe_open

    with pytest.raises(PowerCutError):
        bench.tune(make_recipe("qlora", precision="bf16"), cut_at(3))

    with safe_open(bench.run_folder() / "checkpoint-2" / "trained.safetensors", "pt") as file:
        kinds = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
        assert all("lora_" in name for name in file.keys())  # noqa: SIM118
    assert kinds == {"F32"}


def test_a_run_holds_one_checkpoint_at_a_time(bench: Bench) -> None:
    with pytest.raises(PowerCutError):
        bench.tune(make_recipe(), cut_at(7))

    assert [path.name for path in bench.run_folder().glob("*checkpoint*")] == ["checkpoint-6"]


@pytest.mark.parametrize(
    ("number", "ending"),
    [
        pytest.param(signal.SIGINT, KeyboardInterrupt, id="ctrl-c"),
        pytest.param(signal.SIGTERM, SystemExit, id="sigterm", marks=pytest.mark.slow),
    ],
)
def test_a_signal_saves_the_step_it_came_in_and_the_same_call_continues_there(
    bench: Bench,
    undisturbed: Callable[[Method], Path],
    number: signal.Signals,
    ending: type[BaseException],
) -> None:
    recipe = make_recipe(save_steps=50)
    before = signal.getsignal(number)

    with pytest.raises(ending) as info:
        bench.tune(recipe, signal_at(2, number))

    assert info.type is ending
    assert signal.getsignal(number) is before
    assert last_step(bench.run_folder()) == 3
    steps: list[int] = []
    version = bench.tune(recipe, note_steps(steps))
    assert steps == [4, 5, 6, 7]
    assert version.name == undisturbed("lora").name


def test_a_signal_in_the_last_step_is_obeyed_and_nothing_is_trained_again(bench: Bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.tune(make_recipe(), signal_at(6, signal.SIGINT))
    steps: list[int] = []

    bench.tune(make_recipe(), note_steps(steps))

    assert steps == []


def test_a_second_signal_stops_at_once() -> None:
    with deferred_interrupt() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_sigterm_is_not_deferred_for_long() -> None:
    # Whoever sent it kills soon after, and a step may take minutes.
    def work_on() -> None:
        with deferred_interrupt(patience_s=0.01) as stop:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop()
            while True:
                time.sleep(0.01)

    with pytest.raises(SystemExit) as ending:
        work_on()

    assert ending.value.code == 128 + signal.SIGTERM


def test_ctrl_c_waits_for_the_step_however_long_it_takes() -> None:
    with deferred_interrupt(patience_s=0.0) as stop:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        assert stop()


def test_who_handled_a_signal_before_handles_it_after_the_checkpoint() -> None:
    class TerminationSignalError(BaseException):
        pass

    def handle(signum: int, frame: object) -> None:
        raise TerminationSignalError

    before = signal.signal(signal.SIGTERM, handle)
    try:
        with deferred_interrupt() as stop:
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(TerminationSignalError):
            stop.obey()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with deferred_interrupt() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stop()
        stop.obey()
    finally:
        signal.signal(signal.SIGINT, before)


def test_only_the_run_that_was_named_is_continued_and_only_with_its_values(
    bench: Bench, undisturbed: Callable[[Method], Path]
) -> None:
    with pytest.raises(PowerCutError):
        bench.tune(make_recipe(), cut_at(5))
    run = bench.run_folder()

    with pytest.raises(ResumeError, match=r"with other values than it began with: r 16 → 8\."):
        bench.tune(make_recipe(r=8), resume=run)
    lines: list[str] = []
    with pytest.raises(PowerCutError):
        bench.tune(make_recipe(r=8), cut_at(1), say=lines.append)
    assert [line for line in lines if f"{run}, stopped after step 4, differs: r 16 → 8" in line]
    version = bench.tune(make_recipe(), resume=run)

    assert version.name == undisturbed("lora").name
    with pytest.raises(ResumeError, match="wanted the folder of an unfinished run, found none"):
        bench.tune(make_recipe(), resume=run)


def test_weights_that_are_no_numbers_are_not_kept_in_place_of_good_ones(bench: Bench) -> None:
    import torch

    from training.finetuning.resumable import ResumableTrainer

    def break_weights(done: int, total: int, note: str = "") -> None:
        if done == 4:
            # Reported after the step and before its checkpoint.
            for trainer in trainers:
                for parameter in trainer.model.parameters():
                    if parameter.requires_grad:
                        with torch.no_grad():
                            parameter.fill_(float("nan"))

    trainers: list[Any] = []
    original = ResumableTrainer.add_callback

    def note_trainer(self: Any, callback: Any) -> None:
        trainers.append(self)
        original(self, callback)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResumableTrainer, "add_callback", note_trainer)
        with pytest.raises(CheckpointError, match=r"After step 4 the weight .* no numbers"):
            bench.tune(make_recipe(), break_weights)

    assert last_step(bench.run_folder()) == 2


def test_a_checkpoint_of_another_student_is_refused(bench: Bench) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    with pytest.raises(PowerCutError):
        bench.tune(make_recipe(), cut_at(3))
    path = bench.run_folder() / "checkpoint-2" / "trained.safetensors"
    weights = load_file(path)
    weights[next(iter(weights))] = torch.zeros(1)
    save_file(weights, path)

    with pytest.raises(CheckpointError, match="holds other weights than this student trains"):
        bench.tune(make_recipe())


_LIMITED = """
import resource, signal, sys
from pathlib import Path
from schemas.errors import PacaloomError
from training.finetuning.recipe import Recipe
from training.finetuning.sft import finetune
from training.finetuning.student import Student

student, dataset, root, recipe, limit = sys.argv[1:]

def limit_files(done, total, note=""):
    if done == 1:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))

try:
    finetune(
        Path(dataset), Student("tiny", Path(student)), Recipe.model_validate_json(recipe),
        Path(root), "t", "test", limit_files,
    )
except PacaloomError as error:
    print(error.exit_status, error)
"""


@pytest.mark.slow
def test_a_disk_that_takes_no_more_is_one_line_and_the_same_call_continues(
    bench: Bench, undisturbed: Callable[[Method], Path]
) -> None:
    arguments = [
        str(bench.student.path), str(bench.dataset), str(bench.root),
        make_recipe().model_dump_json(), "30000",
    ]  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-c", _LIMITED, *arguments],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    )  # fmt: skip

    assert ended.stdout.startswith("1 A checkpoint in ")
    assert ended.stdout.count("\n") == 1
    assert "File too large" in ended.stdout
    assert last_step(bench.run_folder()) == 0
    assert not list(bench.run_folder().glob(".unfinished-*"))
    assert bench.tune(make_recipe()).name == undisturbed("lora").name


@pytest.mark.slow
def test_a_full_disk_while_publishing_leaves_no_version_and_trains_no_step_again(
    bench: Bench, undisturbed: Callable[[Method], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    rename = os.rename

    def refuse_versions(source: Any, target: Any) -> None:
        if Path(target).name.startswith("0001-"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse_versions)
    with pytest.raises(StorageError, match="No space left on device"):
        bench.tune(make_recipe())
    assert [path.name[:5] for path in (bench.root / "t").iterdir()] == [".run-"]
    monkeypatch.setattr(os, "rename", rename)
    steps: list[int] = []

    assert bench.tune(make_recipe(), note_steps(steps)).name == undisturbed("lora").name
    assert steps == []


def test_errors_of_a_run_are_failures_and_not_the_users_mistake() -> None:
    assert issubclass(CheckpointError, PacaloomError)
    assert CheckpointError.exit_status == 1
