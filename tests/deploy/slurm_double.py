"""A double of Slurm's sbatch, squeue and scancel, for tests on machines without Slurm.

It keeps to what the manuals say and our scripts rely on: a job is a copy of its script in a
session of its own and outlives sbatch; ``sbatch --wait --parsable`` prints the number last, ends
with the job's status, and with 1 after a signal; ``scancel --batch --signal`` reaches the script
only, plain ``scancel`` all of the job. One folder a job, under ``SLURM_DOUBLE``.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

_POLL_S = 0.1


def main() -> int:
    """Be the program that the first argument names."""
    program, *arguments = sys.argv[1:]
    options = {
        name: value
        for name, _, value in (one.partition("=") for one in arguments if one.startswith("--"))
    }
    cluster = Path(os.environ["SLURM_DOUBLE"])  # noqa: TID251 - a program of its own
    if program == "sbatch":
        return _sbatch(cluster, options, arguments)
    if program == "squeue":
        return _squeue(cluster, options)
    if program == "scancel":
        return _scancel(cluster, options)
    return _run_job(Path(arguments[0]))


def install(bin_folder: Path) -> None:
    """Put the three programs into a folder for PATH."""
    bin_folder.mkdir()
    for program in ("sbatch", "squeue", "scancel"):
        path = bin_folder / program
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {program} "$@"\n')
        path.chmod(0o755)


def _sbatch(cluster: Path, options: dict[str, str], arguments: list[str]) -> int:
    number = len(list(cluster.glob("job-*"))) + 1
    job = cluster / f"job-{number}"
    job.mkdir(parents=True)
    shutil.copy(arguments[-1], job / "slurm_script")
    (job / "name").write_text(options["--job-name"])
    (job / "options").write_text("\n".join(arguments[:-1]))
    (job / "chdir").write_text(options["--chdir"])
    (job / "output").write_text(options["--output"])
    (job / "state").write_text("PENDING")
    if not (cluster / "full").exists():
        subprocess.Popen(
            [sys.executable, __file__, "run-job", str(job)], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    while not (job / "status").exists():
        time.sleep(_POLL_S)
    print(number)  # noqa: T201
    return int((job / "status").read_text())


def _run_job(job: Path) -> int:
    # A job is in the queue as running before its script does anything.
    begin = 'echo $$ > "$0/pid"; echo RUNNING > "$0/state"; exec "$0/slurm_script"'
    with Path((job / "output").read_text()).open("ab") as output:
        script = subprocess.Popen(
            ["/bin/sh", "-c", begin, str(job)], cwd=(job / "chdir").read_text(),
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    status = script.wait()
    _end(job, status if status >= 0 else 1)
    return 0


def _end(job: Path, status: int) -> None:
    (job / "state").unlink()
    partial = job / "status.part"
    partial.write_text(str(status))
    partial.rename(job / "status")


def _queued(cluster: Path, name: str) -> list[Path]:
    return [
        job
        for job in sorted(cluster.glob("job-*"))
        if (job / "state").exists() and (job / "name").read_text() == name
    ]


def _squeue(cluster: Path, options: dict[str, str]) -> int:
    for job in _queued(cluster, options["--name"]):
        print((job / "state").read_text().strip())  # noqa: T201
    return 0


def _scancel(cluster: Path, options: dict[str, str]) -> int:
    with (cluster / "scancel.log").open("a") as log:
        log.write(" ".join(sorted(options)) + "\n")
    for job in _queued(cluster, options["--name"]):
        if (job / "state").read_text() == "PENDING":
            _end(job, 1)
        elif "--batch" in options:
            os.kill(int((job / "pid").read_text()), signal.SIGTERM)
        else:
            os.killpg(int((job / "pid").read_text()), signal.SIGTERM)
    return 0


if __name__ == "__main__":
    sys.exit(main())
