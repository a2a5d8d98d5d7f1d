"""Train in several processes, one a device: start them, follow them, and leave none behind.

``accelerate launch`` starts the processes, over 127.0.0.1, with one of the configurations in
``configurations/``. A run that one process cannot go on with ends for all, in one line, and the
same call continues from the last checkpoint. Cost beside the training: about 4 s to start.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

import psutil

from schemas.errors import PacaloomError, UserError
from schemas.locking import Say, say_nothing
from schemas.progress import Progress, no_progress
from schemas.storage import write_text
from training.finetuning.distributed.devices import (
    check_devices,
    choose_configuration,
    count_gpus,
)
from training.finetuning.distributed.order import (
    ORDER,
    Event,
    EventReader,
    Failed,
    Finished,
    Interrupted,
    Order,
    Said,
    Started,
    Stepped,
)
from training.finetuning.interrupts import deferred_interrupt
from training.finetuning.recipe import Settings, read_hardware, resolve

_ROOT = Path(__file__).resolve().parents[3]
_POLL_S = 0.1
_STOP_TIMEOUT_S = 5.0
_REPORT_TIMEOUT_S = 8.0
_FIRST = re.compile(r"failed \(exitcode: (?P<status>-?\d+)\) local_rank: (?P<rank>\d+)")
_EACH = re.compile(r"\(local_rank: (?P<rank>\d+)\)\n\s*exitcode\s*: (?P<status>-?\d+)")
"""The launcher's words for the first process that it saw fail, and for each one that failed."""

_END_HANGING = signal.SIGUSR2
"""Ends a process as surely as SIGKILL where nobody handles it, and tells our end from a fault."""
_FOLLOWING = {signal.SIGTERM, signal.SIGABRT, _END_HANGING}
"""What ends a process whose partner is gone: the launcher, gloo or NCCL, and ourselves."""

_WORDS = re.compile(r"^(\[rank\d+\]: )?[\w.]+(Error|Exception): .+$", re.MULTILINE)
"""The first error that any process has written."""


class DistributedError(PacaloomError):
    """A process of the run failed or was lost."""


class DistributedUserError(UserError):
    """The run was refused by its processes."""


class _Run(NamedTuple):
    """A started run, as its parent sees it."""

    launcher: subprocess.Popen[bytes]
    events: EventReader
    messages: IO[bytes]
    pids: dict[int, int]
    """Process id of each rank that has come up."""


def launch(
    order: Order,
    environment: Mapping[str, str],
    progress: Progress = no_progress,
    say: Say = say_nothing,
) -> Path:
    """Tune a student in ``order.recipe.processes`` processes and publish it.

    Args:
        order: What :func:`training.finetuning.sft.finetune` would be given.
        environment: Of the processes. Keys of trackers come from here and from nowhere else.
        progress: Called after each step.
        say: Told what ``finetune`` tells people.

    Returns:
        The version's folder.

    Raises:
        UserError: What ``finetune`` refuses, or more processes than there are GPUs.
        PacaloomError: What ``finetune`` fails of, or a process was lost.
        KeyboardInterrupt: After Ctrl-C, with a checkpoint written; the same call continues. After
            SIGTERM, in the same way, whatever its handler raises.
    """
    settings = resolve(order.recipe, read_hardware())
    check_devices(order.recipe, settings.device, count_gpus())
    with (
        tempfile.TemporaryDirectory(prefix="pacaloom-run-") as name,
        (Path(name) / "messages.log").open("w+b") as messages,
        deferred_interrupt() as stop,
    ):
        folder = Path(name)
        write_text(folder / ORDER, order.model_dump_json())
        with _start(order, settings, folder, environment, messages) as launcher:
            run = _Run(launcher, EventReader(folder), messages, {})
            is_told = False
            while (event := _next_ending(run, progress, say)) is None:
                if stop() and not is_told and 0 in run.pids:
                    # As if it were pressed there: the processes agree on the step to stop after.
                    os.kill(run.pids[0], signal.SIGINT)
                    is_told = True
                time.sleep(_POLL_S)
    if isinstance(event, Interrupted):
        stop.obey()
    return _conclude(event)


def _next_ending(run: _Run, progress: Progress, say: Say) -> Event | None:
    """Pass on what was told since the last time; return what ended the run, if something did."""
    # Asked before reading: who has ended since has told before.
    lost = _find_lost(run)
    for event in run.events.read():
        if isinstance(event, Stepped):
            progress(event.done, event.total, event.note)
        elif isinstance(event, Said):
            say(event.message)
        elif isinstance(event, Started):
            run.pids[event.rank] = event.pid
        else:
            return event
    return Failed(message=lost, is_users=False) if lost else None


def _find_lost(run: _Run) -> str | None:
    """Say which process is gone and why, or None while all are there."""
    is_missing = any(not _is_alive(pid) for pid in run.pids.values())
    if not is_missing and run.launcher.poll() is None:
        return None
    status = _await_report(run.launcher)
    run.messages.seek(0)
    reason = describe_loss(
        run.messages.read().decode(errors="replace"), status, has_begun=bool(run.pids)
    )
    return (
        f"{reason}. All of them were ended. Run the same command again; it continues from the last "
        "checkpoint."
    )


def _await_report(launcher: subprocess.Popen[bytes]) -> int | None:
    """Give the launcher time to report who failed first; return its exit status, if it has one."""
    with suppress(subprocess.TimeoutExpired):
        return launcher.wait(_REPORT_TIMEOUT_S)
    # It waits for those that hang for want of a partner: half a minute, then it kills them.
    for process in _family(launcher)[1:]:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(_END_HANGING)
    with suppress(subprocess.TimeoutExpired):
        return launcher.wait(_REPORT_TIMEOUT_S)
    return None


def describe_loss(messages: str, launcher_status: int | None, *, has_begun: bool) -> str:
    """Make one line of what launcher and processes have written.

    Args:
        messages: All of it, as far as the launcher's report has come.
        launcher_status: What the launcher ended with; None while it runs.
        has_begun: Whether a process had come up.
    """
    if launcher_status is not None and launcher_status < 0:
        return f"The launcher of the run {_tell_signal(launcher_status)}"
    first = _FIRST.search(messages)
    words = _WORDS.search(messages)
    if first is None:
        lines = [line.strip() for line in messages.splitlines() if line.strip()]
        last = (lines or ["without a word"])[-1]
        if has_begun:
            return f"A process of the run was lost: {words[0] if words else last}"
        return f"The processes of the run have not come up: {last}"
    # Those that fail for want of a partner can be seen as early as the one that was killed.
    failures = [first, *_EACH.finditer(messages)]
    cause = next((each for each in failures if _is_killed(int(each["status"]))), first)
    status, rank = int(cause["status"]), cause["rank"]
    if status < 0:
        return f"Process {rank} of the run {_tell_signal(status)}"
    return f"Process {rank} of the run failed: {words[0] if words else f'exit status {status}'}"


def _tell_signal(status: int) -> str:
    name = signal.Signals(-status).name
    hint = ", perhaps because memory ran out" if name == "SIGKILL" else ""
    return f"was ended by {name}{hint}"


def _is_killed(status: int) -> bool:
    """Whether a process was ended from outside or by its own fault, and not by its partners."""
    return status < 0 and signal.Signals(-status) not in _FOLLOWING


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def _start(
    order: Order,
    settings: Settings,
    folder: Path,
    environment: Mapping[str, str],
    messages: IO[bytes],
) -> Generator[subprocess.Popen[bytes]]:
    """Run the launcher and its processes for at most as long as the block lasts."""
    # A session of its own, so that Ctrl-C in the terminal reaches only this process.
    with subprocess.Popen(  # noqa: S603  # our own modules
        _command(order, settings, folder),
        cwd=_ROOT,
        env={**environment, **_extra(settings)},
        stdin=subprocess.PIPE,
        stdout=messages,
        stderr=messages,
        start_new_session=True,
    ) as launcher:
        try:
            yield launcher
        finally:
            _stop(launcher)


def _extra(settings: Settings) -> dict[str, str]:
    """Give what is added to the environment of launcher and processes."""
    # TRL would tell its makers that it was used.
    always = {"PYTHONUNBUFFERED": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return always if settings.device == "cuda" else {**always, "ACCELERATE_TORCH_DEVICE": "cpu"}


def _command(order: Order, settings: Settings, folder: Path) -> list[str]:
    configuration = choose_configuration(order.recipe, settings.device)
    text = configuration.read_text(encoding="utf-8")
    if settings.device == "cpu":
        text = text.replace("use_cpu: false", "use_cpu: true")
    chosen = folder / configuration.name
    write_text(chosen, text)
    return [
        sys.executable, "-m", "training.finetuning.distributed.launcher",
        "--config_file", str(chosen),
        "--num_processes", str(order.recipe.processes),
        "--num_cpu_threads_per_process", str(settings.threads),
        "--mixed_precision", {"fp32": "no", "bf16": "bf16"}[settings.precision],
        "--main_process_ip", "127.0.0.1",
        "--main_process_port", "0",
        "-m", "training.finetuning.distributed.worker", str(folder),
    ]  # fmt: skip


def _stop(launcher: subprocess.Popen[bytes]) -> None:
    """Let go of the pipe that launcher and processes watch, and make sure of each."""
    family = _family(launcher)
    if launcher.stdin is not None:
        launcher.stdin.close()
    _, left = psutil.wait_procs(family, _STOP_TIMEOUT_S)
    for process in left:
        process.kill()
    launcher.wait()


def _family(launcher: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        own = psutil.Process(launcher.pid)
        return [own, *own.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _conclude(event: Event) -> Path:
    """Return the version, or raise what the processes ended with."""
    if isinstance(event, Finished):
        return event.version
    if isinstance(event, Interrupted):
        raise KeyboardInterrupt
    if isinstance(event, Failed):
        raise (DistributedUserError if event.is_users else DistributedError)(event.message)
    raise AssertionError(event)
