"""``./pacaloom VERB``: find the verb, run it, and turn every bad end into one line and a status.

Exit status: 0 done, 2 a mistake in the request, 1 a failure, 130 interrupted, 141 nobody reads the
output, 143 stopped by SIGTERM.
"""

import argparse
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

from pydantic import ValidationError

from cli.arguments import Parser, TeachingFormatter
from cli.services import run_down, run_up
from cli.terminal_text import make_visible
from cli.tools import run_completion, run_fetch, run_schema
from cli.verbs import FLOW_VERBS, run_flow_verb
from schemas.errors import PacaloomError, UserError
from schemas.storage import describe_validation_error

_INTERRUPTED = 130
_HUNG_UP = 141
_TERMINATED = 143
_CONTINUE = "What was finished is kept: run the same command again to continue."


def _run_models(arguments: Sequence[str]) -> int:
    # The registry's imports would slow every --help.
    from cli.models.models import run_models

    return run_models(arguments)


def _run_serve(arguments: Sequence[str]) -> int:
    from cli.serve import run_serve

    return run_serve(arguments)


def _run_metrics(arguments: Sequence[str]) -> int:
    from cli.metrics import run_metrics

    return run_metrics(arguments)


def _run_prompts(arguments: Sequence[str]) -> int:
    from cli.prompts.prompts import run_prompts

    return run_prompts(arguments)


def _run_journal(arguments: Sequence[str]) -> int:
    from cli.journal import run_journal

    return run_journal(arguments)


def _run_why(arguments: Sequence[str]) -> int:
    from cli.why import run_why

    return run_why(arguments)


def _run_datasets(arguments: Sequence[str]) -> int:
    from cli.datasets.datasets import run_datasets

    return run_datasets(arguments)


def _run_review(arguments: Sequence[str]) -> int:
    from cli.review import run_review

    return run_review(arguments)


def _run_notify(arguments: Sequence[str]) -> int:
    from cli.notify import run_notify

    return run_notify(arguments)


def _run_answer(arguments: Sequence[str]) -> int:
    from cli.answer import run_answer

    return run_answer(arguments)


def _run_completion(arguments: Sequence[str]) -> int:
    return run_completion(arguments, _summaries())


def _run_rules(arguments: Sequence[str]) -> int:
    from cli.rules import run_rules

    return run_rules(arguments)


def _run_settings(arguments: Sequence[str]) -> int:
    from cli.settings import run_settings

    return run_settings(arguments)


_TOOLS: dict[str, tuple[str, Callable[[Sequence[str]], int]]] = {
    "why": ("explain what became of a record, and why", _run_why),
    "datasets": (
        "list, show, compare, verify, mix, export and push dataset versions",
        _run_datasets,
    ),
    "review": ("read a version's records in a browser: accept, reject, edit", _run_review),
    "rules": ("list the rules that curation asks; show one with examples", _run_rules),
    "models": (
        "list, show and export tuned students; promote one, or roll back",
        _run_models,
    ),
    "prompts": ("list evaluation tasks, show a prompt, compare wordings", _run_prompts),
    "serve": ("serve a student or an embedded model on 127.0.0.1, OpenAI-compatible", _run_serve),
    "journal": (
        "look into the prompts and answers of a name, and share them",
        _run_journal,
    ),
    "metrics": ("serve figures for Prometheus on 127.0.0.1, or print them", _run_metrics),
    "answer": ("list and answer the questions that suspended runs wait with", _run_answer),
    "fetch": ("fetch an embedded model into the cache", run_fetch),
    "schema": ("print the JSON Schema of a file format", run_schema),
    "settings": ("show every setting, the places, versions and the Prefect server", _run_settings),
    "up": ("start a local Prefect server, the deployments and a worker", run_up),
    "down": ("stop what `up` started", run_down),
    "notify": ("show who is told of what runs do, and send a test message", _run_notify),
    "completion": ("print a completion script for bash, zsh or tcsh", _run_completion),
}


class _Terminated(SystemExit):
    """SIGTERM came. A SystemExit, because libraries let those pass."""


def main(arguments: Sequence[str]) -> int:
    """Run one verb and return the exit status."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        status = _dispatch(arguments)
        # Here, where it is known what to say when nobody reads it.
        sys.stdout.flush()
    except PacaloomError as error:
        return _complain(str(error), error.exit_status)
    except ValidationError as error:
        return _complain(describe_validation_error(error), UserError.exit_status)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and _has_no_reader(sys.stdout):
            # `head` perhaps, which has enough. Python would complain again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _HUNG_UP
        # What no room foresaw: a disk that fills up under a log, a folder that is a file.
        return _complain(_describe_os_error(error), PacaloomError.exit_status)
    except KeyboardInterrupt:
        # Pressed again while Python shuts down, it would end in a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        return _complain(f"interrupted. {_CONTINUE}", _INTERRUPTED)
    except _Terminated:
        return _complain(f"stopped by a signal (SIGTERM). {_CONTINUE}", _TERMINATED)
    return status


def _dispatch(arguments: Sequence[str]) -> int:
    parser = _build_parser()
    # Only the first word is read here: each verb parses the rest, and most load more to do so.
    verb = parser.parse_args(list(arguments[:1]) or ["--help"]).verb
    rest = list(arguments[1:])
    if verb in FLOW_VERBS:
        return run_flow_verb(verb, rest)
    return _TOOLS[verb][1](rest)


def _summaries() -> dict[str, str]:
    flow_verbs = {name: verb.summary for name, verb in FLOW_VERBS.items()}
    return flow_verbs | {name: summary for name, (summary, _) in _TOOLS.items()}


def _build_parser() -> argparse.ArgumentParser:
    summaries = _summaries()
    width = max(map(len, summaries))
    verbs = "\n".join(f"  {name:<{width}}  {summary}" for name, summary in summaries.items())
    parser = Parser(
        prog="pacaloom",
        description="Instruction-dataset factory for English and Korean: from a few hundred seed\n"
        "tasks to a published dataset version and a tuned, judged student.",
        epilog=f"verbs:\n{verbs}\n\n`pacaloom VERB --help` explains each verb with examples.",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "verb", choices=list(summaries), metavar="VERB", help="what to do; see below"
    )
    return parser


def _has_no_reader(output: TextIO) -> bool:
    """Tell whether the other end of a pipe is closed."""
    poll = select.poll()
    poll.register(output, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _complain(message: str, status: int) -> int:
    # It may quote what a machine wrote.
    print(f"pacaloom: error: {make_visible(' '.join(message.split()))}", file=sys.stderr)
    return status


def _describe_os_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename is not None else ""
    return (
        f"{where}{error.strerror or error}. Free space there, mend the permissions, or choose "
        "another folder (PACALOOM_OUTPUTS for outputs, PACALOOM_CACHE for models)."
    )


def _terminate(signal_number: int, frame: object) -> None:
    """End through every ``finally``, so that children and files are left in order."""
    raise _Terminated
