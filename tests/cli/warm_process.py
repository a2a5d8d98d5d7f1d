"""A process that has loaded what the command needs, and forks a child for each run of it.

Of the two or three seconds of a small run of ``./pacaloom`` imports and compiled loops take most;
here they are loaded once for all tests. Each run still is a process, with its own
environment, working directory, output and exit status, and begins where ``python -m cli`` does.

One order a line on standard input, as JSON; one exit status a line on standard output.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import sys
from typing import NamedTuple

from pipeline.curation.compile_loops import compile_loops

_MODULES = (
    "cli.datasets.datasets",
    "cli.exploring",
    "cli.finetune_questions",
    "cli.journal",
    "cli.main",
    "cli.metrics",
    "cli.models.models",
    "cli.prompts.prompts",
    "cli.review",
    "cli.rules",
    "cli.summary",
    "cli.why",
    "flows.compositions",
    "flows.exploration",
    "flows.outcomes",
    "flows.parameters",
    "flows.running",
    "flows.verification",
    "pipeline.generation.teacher.client",
    "pipeline.publishing.pictures.album",
    "pipeline.publishing.statistics.english",
    "pipeline.publishing.statistics.korean",
    "pipeline.publishing.tables",
    # pyarrow looks for it when it is given a list.
    "pandas",
    "torch",
)
_MOST_S = 300


class Order(NamedTuple):
    """One run of the command."""

    arguments: list[str]
    environment: dict[str, str]
    cwd: str
    stdout: str
    stderr: str


def load() -> None:
    """Load what verbs load when they are used, but nothing that starts a thread.

    A child would wait for that for ever, as for the one of the Korean tagger.
    """
    for name in _MODULES:
        importlib.import_module(name)
    compile_loops()


def take_order() -> Order:
    """Return in a child, with its order; the parent stays here until nobody orders any more."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            return Order(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - the answer
    sys.exit()


def become(order: Order) -> None:
    """Take on what a process of its own would have been started with."""
    os.environ.clear()  # noqa: TID251 - this process is the command under test
    os.environ.update(order.environment)  # noqa: TID251
    os.chdir(order.cwd)
    signal.alarm(_MOST_S)
    sys.argv[1:] = order.arguments
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in ((1, order.stdout), (2, order.stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)


if __name__ == "__main__":
    load()
    gc.freeze()
    become(take_order())
    runpy.run_module("cli", run_name="__main__", alter_sys=True)
