"""Run ``./pacaloom``: in a process of its own, outputs in their own folder.

``run_pacaloom`` starts the script as a person would. ``run_warm`` runs the same command in a child
of a process that has loaded its modules, in a fraction of the time, for what a verb does; it takes
the script to tell how a verb starts: its imports, paths, interruptions. One test of each verb does.
"""

import atexit
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

_FOREIGN = ("OPENAI_", "PACALOOM_", "PREFECT_")
_OF_THE_SCRIPT = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "PYTHONUTF8": "1",
    "no_proxy": "127.0.0.1,localhost",
    "NO_PROXY": "127.0.0.1,localhost",
    "PYTHONPATH": str(ROOT),
}


class Finished(NamedTuple):
    """How the command ended."""

    status: int
    stdout: str
    stderr: str


def pacaloom_environment(outputs: Path, **variables: str) -> dict[str, str]:
    """Take nothing of this machine's settings but the model cache."""
    environment = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - handed on to the command under test
        if not name.startswith(_FOREIGN) or name == "PACALOOM_CACHE"
    }
    return {**environment, "PACALOOM_OUTPUTS": str(outputs), **variables}


def run_pacaloom(
    *arguments: str,
    outputs: Path,
    cwd: Path | None = None,
    root: Path = ROOT,
    **variables: str,
) -> Finished:
    """Run the command of the project in ``root``."""
    done = subprocess.run(
        [str(root / "pacaloom"), *arguments],
        cwd=cwd or ROOT,
        env=pacaloom_environment(outputs, **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def run_warm(*arguments: str, outputs: Path, cwd: Path | None = None, **variables: str) -> Finished:
    """Run the command without waiting for its imports."""
    process = _warm_process()
    assert process.stdin is not None
    assert process.stdout is not None
    with TemporaryDirectory() as folder:
        said = {name: Path(folder, name) for name in ("stdout", "stderr")}
        order = {
            "arguments": arguments,
            "environment": pacaloom_environment(outputs, **_OF_THE_SCRIPT, **variables),
            "cwd": str(cwd or ROOT),
        }
        process.stdin.write(json.dumps(order | {name: str(path) for name, path in said.items()}))
        process.stdin.write("\n")
        process.stdin.flush()
        status = int(process.stdout.readline())
        return Finished(status, *(said[name].read_text("utf-8") for name in ("stdout", "stderr")))


@cache
def _warm_process() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.cli.warm_process"],
        cwd=ROOT,
        env=pacaloom_environment(ROOT, **_OF_THE_SCRIPT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    # It ends when nobody can order any more.
    atexit.register(process.communicate)
    return process
