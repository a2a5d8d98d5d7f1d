"""Run ``./pacaloom`` as a person would: in a process of its own, outputs in their own folder."""

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

_FOREIGN = ("OPENAI_", "PACALOOM_", "PREFECT_")


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
