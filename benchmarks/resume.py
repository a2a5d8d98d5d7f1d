"""Kill runs with SIGKILL at random moments, continue them, and compare the weights byte by byte.

Each trial is a run of its own on a tiny student, with dropout where the method has it, in child
processes: one that is killed up to three times, at moments drawn from
- a step: when its number is reported;
- a save: at one of the operations of the disk that writing a checkpoint consists of;
- publishing: after the last step, before or after the version has its name;
and then continued to its end. Its weights are compared with those of a run that nobody disturbed;
two of these, in processes of their own with different hash seeds, have to be equal as well.

    .venv/bin/python -m benchmarks.resume
    .venv/bin/python -m benchmarks.resume --student CHECKPOINT --method qlora --kills 1
"""

import argparse
import hashlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from benchmarks.endpoint import ROOT
from schemas.manifest import Method
from tests.finetuning.conftest import build_tiny_llama, learnable_rows, write_dataset
from training.finetuning.recipe import Recipe

Kind = Literal["step", "save", "publishing"]
_STEPS = 12
_SAVE_STEPS = 3
_MOST_KILLS = 3
_OPERATIONS_A_SAVE = 16
"""About so many fsyncs, renames and removals make up a checkpoint."""


class Moment(NamedTuple):
    """When a process is killed: at the ``number``-th event of a kind since its start."""

    kind: Kind
    number: int


class Place(NamedTuple):
    """Where a run happens."""

    student: Path
    dataset: Path
    root: Path


class Case(NamedTuple):
    """What is run."""

    method: Method
    packing: bool

    def make_recipe(self) -> Recipe:
        """Give steps that cross the epochs in mid-accumulation."""
        with_dropout = self.method in {"lora", "qlora", "dora"}
        return Recipe(
            method=self.method,
            max_steps=_STEPS,
            learning_rate=5e-3,
            dropout=0.1 if with_dropout else None,
            batch_size=2,
            gradient_accumulation=1 if self.packing else 2,
            packing=self.packing,
            max_length_tokens=256,
            save_steps=_SAVE_STEPS,
            threads=1,
        )


def tune(place: Place, case: Case, moment: Moment | None) -> None:
    """Begin or continue a run in this process, which is killed at the moment."""
    from training.finetuning import sft
    from training.finetuning.student import Student

    def progress(done: int, total: int, note: str = "") -> None:
        if moment is not None and moment.kind == "step" and done >= moment.number:
            os.kill(os.getpid(), signal.SIGKILL)

    if moment is not None and moment.kind == "save":
        _kill_in_operation(moment.number)
    if moment is not None and moment.kind == "publishing":
        sft.publish_model = _kill_around(sft.publish_model, moment.number)
    sft.finetune(
        place.dataset, Student("student", place.student), case.make_recipe(), place.root, "m",
        "benchmark", progress,
    )  # fmt: skip


def _kill_in_operation(number: int) -> None:
    """Let the ``number``-th change of the disk by this process be its last."""
    left = number

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return call

    for operation in ("fsync", "rename", "unlink", "rmdir", "replace"):
        setattr(os, operation, counted(getattr(os, operation)))


def _kill_around(publish: Callable[..., Path], number: int) -> Callable[..., Path]:
    """Die before the version is written (an odd number) or when it has its name (an even one)."""

    def publish_and_die(*arguments: object, **named: object) -> Path:
        if number % 2 == 0:
            publish(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("a killed process went on")

    return publish_and_die


def start(place: Place, case: Case, moment: Moment | None) -> int:
    """Run in a forked process, so that no trial waits for imports; return how it ended."""
    child = multiprocessing.get_context("fork").Process(target=tune, args=(place, case, moment))
    child.start()
    child.join()
    return child.exitcode or 0


def hash_weights(root: Path) -> str:
    """Hash the weights of the only version."""
    (version,) = (path for path in (root / "m").iterdir() if path.name[0] != ".")
    total = hashlib.sha256()
    for file in sorted(version.glob("*.safetensors")):
        total.update(file.read_bytes())
    return total.hexdigest()


def draw_moments(draw: random.Random) -> list[Moment]:
    """Draw the kills of one trial."""
    moments: list[Moment] = []
    for _ in range(draw.randint(1, _MOST_KILLS)):
        kind = draw.choices(get_args(Kind), weights=(5, 4, 1))[0]
        most = {
            "step": _STEPS,
            "save": _OPERATIONS_A_SAVE * _STEPS // _SAVE_STEPS,
            "publishing": 2,
        }[kind]
        moments.append(Moment(kind, draw.randint(1, most)))
    return moments


class Tally(NamedTuple):
    """What became of the trials of a case."""

    kills: dict[Kind, int]
    trials: int
    identical: int
    left_over: int
    """Trials after which something but the version was in the folder of the name."""


def run_trials(place: Place, case: Case, expected: str, trials: int, seed: int) -> Tally:
    """Kill and continue; a trial in which no kill came in time is drawn again."""
    draw = random.Random(f"{seed} {case}")  # noqa: S311 - moments, no secrets
    kills: dict[Kind, int] = dict.fromkeys(get_args(Kind), 0)
    done = identical = left_over = 0
    while done < trials:
        with tempfile.TemporaryDirectory(dir=place.root, prefix="killed-") as name:
            own = place._replace(root=Path(name))
            came = [
                moment
                for moment in draw_moments(draw)
                if start(own, case, moment) == -signal.SIGKILL
            ]
            for moment in came:
                kills[moment.kind] += 1
            if not came:
                continue
            done += 1
            if (status := start(own, case, None)) != 0:
                print(f"{case} after {came} ended with status {status}", file=sys.stderr)
                continue
            is_same = hash_weights(own.root) == expected
            identical += is_same
            left_over += len(list((own.root / "m").iterdir())) != 1
            if not is_same:
                print(f"{case} after {came} has other weights", file=sys.stderr)
    return Tally(kills, done, identical, left_over)


def tune_undisturbed(place: Place, cases: Sequence[Case], hash_seed: int) -> list[str]:
    """Run every case in one new process with this seed of Python's hashes; hash the weights."""
    command = [
        sys.executable, "-m", "benchmarks.resume", "--undisturbed", str(place.root),
        "--student", str(place.student), "--dataset", str(place.dataset),
    ]  # fmt: skip
    for case in cases:
        command += ["--case", f"{case.method}:{int(case.packing)}"]
    environment = {"PYTHONHASHSEED": str(hash_seed), "OMP_NUM_THREADS": "1", "PATH": os.defpath}
    made = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return made.stdout.split()


def list_cases(methods: Sequence[Method]) -> list[Case]:
    """Pair methods with packing; prompt tuning has none."""
    return [
        Case(method, packing)
        for method in methods
        for packing in (False, True)
        if not (packing and method == "prompt_tuning")
    ]


def import_libraries() -> None:
    """Import once what every child needs, before it is forked."""
    import importlib

    for module in ("bitsandbytes", "training.finetuning.assembly", "training.finetuning.callbacks"):
        importlib.import_module(module)


def compare(place: Place, cases: Sequence[Case], trials: int, seed: int) -> bool:
    """Print the table; True when every run ended in the same bytes."""
    roots = [Path(tempfile.mkdtemp(dir=place.root, prefix="undisturbed-")) for _ in range(2)]
    one, other = (
        tune_undisturbed(place._replace(root=root), cases, number)
        for number, root in enumerate(roots)
    )
    print("| method | two undisturbed runs | kills at a step, in a save, publishing | identical |")
    print("|---|---|---|---|", flush=True)
    import_libraries()
    is_good = True
    for case, first, second in zip(cases, one, other, strict=True):
        tally = run_trials(place, case, first, trials, seed)
        is_good &= first == second and tally.identical == trials and not tally.left_over
        kills = ", ".join(str(tally.kills[kind]) for kind in get_args(Kind))
        print(
            f"| {case.method}{' packed' if case.packing else ''} "
            f"| {'equal' if first == second else 'DIFFERENT'} "
            f"| {kills} | {tally.identical} of {tally.trials} |",
            flush=True,
        )
    return is_good


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20, help="trials of each method")
    parser.add_argument("--seed", type=int, default=0, help="decides the moments")
    parser.add_argument("--method", action="append", choices=get_args(Method))
    parser.add_argument("--student", type=Path, help="checkpoint folder in place of a tiny student")
    parser.add_argument("--unpacked", action="store_true", help="leave packed runs out")
    parser.add_argument("--dataset", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--undisturbed", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--case", action="append", default=[], help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    arguments = read_arguments()
    if arguments.undisturbed is not None:
        for number, text in enumerate(arguments.case):
            method, packing = text.split(":")
            place = Place(arguments.student, arguments.dataset, arguments.undisturbed / str(number))
            tune(place, Case(method, packing == "1"), None)
            print(hash_weights(place.root))
        return
    cases = [
        case
        for case in list_cases(arguments.method or get_args(Method))
        if not (case.packing and arguments.unpacked)
    ]
    (ROOT / "outputs").mkdir(exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=ROOT / "outputs", prefix="resume-") as name:
        folder = Path(name)
        rows = learnable_rows(24)
        place = Place(
            student=arguments.student or build_tiny_llama(folder / "student"),
            dataset=write_dataset(folder / "dataset", rows[:18], rows[18:]),
            root=folder,
        )
        is_good = compare(place, cases, arguments.kills, arguments.seed)
    print(f"\n{(time.monotonic() - started) / 60:.1f} minutes")
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
