"""`make up` from nothing to the first completed deployment run, and what waiting costs.

A new database, server, worker and one curation of 100 records; the model cache is not needed.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
RECORDS = 100
IDLE_S = 30.0


def main() -> None:
    """Print a line a step."""
    with tempfile.TemporaryDirectory() as folder:
        outputs = Path(folder)
        source = outputs / "records.jsonl"
        source.write_text("\n".join(json.dumps(_make_record(n)) for n in range(RECORDS)))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        environment = {
            **os.environ,  # noqa: TID251 - handed on
            "PACALOOM_OUTPUTS": folder,
            "PREFECT_HOME": f"{folder}/client",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        }
        print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        try:
            begun = time.monotonic()
            _call(["./pacaloom", "up", "--port", port], environment)
            up_s = time.monotonic() - begun
            _run_deployment(source, environment)
            print(f"make up                      {up_s:6.1f} s")
            print(f"first run, {RECORDS} records       {time.monotonic() - begun - up_s:6.1f} s")
            print(f"together                     {time.monotonic() - begun:6.1f} s")
            begun = time.monotonic()
            _call(["./pacaloom", "up", "--port", port], environment)
            print(f"make up, once more           {time.monotonic() - begun:6.1f} s")
            _measure_idleness(outputs)
        finally:
            begun = time.monotonic()
            _call(["./pacaloom", "down"], environment)
            print(f"make down                    {time.monotonic() - begun:6.1f} s")


def _make_record(number: int) -> dict[str, str]:
    return {
        "instruction": f"Explain to class {number % 7} what is special about the number {number}.",
        "output": f"{number} squared is {number * number}, and it comes after {number - 1}.",
    }


def _run_deployment(source: Path, environment: dict[str, str]) -> None:
    params = json.dumps({"name": "cold", "input": str(source), "seeds": ["none"]})
    command = [sys.executable, "-m", "prefect", "deployment", "run", "curate/after-generation"]
    _call([*command, "--param", f"params={params}", "--watch"], environment)


def _measure_idleness(outputs: Path) -> None:
    """Measure what server and worker take while nothing runs."""
    notes = {
        name: json.loads((outputs / "prefect" / f"{name}.json").read_text())
        for name in ("server", "worker")
    }
    processes = {name: psutil.Process(note["pid"]) for name, note in notes.items()}
    before = {name: _cpu_s(process) for name, process in processes.items()}
    time.sleep(IDLE_S)
    for name, process in processes.items():
        share = (_cpu_s(process) - before[name]) / IDLE_S
        held = process.memory_info().rss / 1e6
        print(f"{name:<6} idle                  {share:6.1%} of a processor, {held:.0f} MB")


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _call(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command[:6])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


if __name__ == "__main__":
    main()
