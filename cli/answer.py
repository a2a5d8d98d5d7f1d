"""``answer``: the questions that suspended runs wait with, and the answers to them."""

from collections.abc import Sequence
from datetime import UTC

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import make_visible
from flows.settings import enter_prefect_environment, read_settings
from schemas.errors import UserError
from schemas.markdown import read_plain

_EXAMPLES = """examples:
  pacaloom answer                                  what waits, and until when
  pacaloom answer nightly-owl yes
  pacaloom answer 3f1c no --remark "too many drafts for one night\""""


class NoServerError(UserError):
    """There is no server whose runs could wait."""


def build_answer_parser() -> Parser:
    """Build the parser of the verb."""
    parser = Parser(
        prog="pacaloom answer",
        description="List the questions that suspended runs wait with, or answer one. The run\n"
        "then goes on where it was; with `no` it does not do what it asked for.",
        epilog=_EXAMPLES,
        formatter_class=TeachingFormatter,
    )
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help="name of the run, its id, or the beginning of its id"
    )
    parser.add_argument("answer", nargs="?", choices=("yes", "no"), help="your answer")
    parser.add_argument("--remark", default="", help="for those who read the run's log")
    return parser


def run_answer(arguments: Sequence[str]) -> int:
    """List questions, or answer one.

    Raises:
        NoServerError: No server is configured, and `up` has started none.
    """
    parser = build_answer_parser()
    given = parser.parse_args(list(arguments))
    if given.run and not given.answer:
        parser.error(f"wanted an answer for {given.run}: yes or no")
    settings = read_settings()
    enter_prefect_environment(settings)
    # Prefect takes seconds to import, and reads its environment then.
    from flows.deployed.answering import answer, list_questions
    from flows.services.notes import find_server

    server = find_server(settings)
    if server is None:
        raise NoServerError(
            "No Prefect server: `make up` starts one, PREFECT_API_URL names another. Runs without "
            "a server ask at the terminal."
        )
    if given.run:
        question = answer(server, given.run, is_yes=given.answer == "yes", remark=given.remark)
        print(f"Answered {given.answer}: {make_visible(question.run_name)} goes on.")
        return 0
    waiting = list_questions(server)
    for one in waiting:
        until = f"{one.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if one.until else "any time"
        print(f"{make_visible(one.run_name)}  {one.run_id}  waits until {until}\n")
        lines = read_plain(one.text).splitlines()
        print("".join(f"    {make_visible(line)}\n" for line in lines))
    if waiting:
        print(f"Answer with: ./pacaloom answer {make_visible(waiting[0].run_name)} yes")
    else:
        print("No run waits for an answer.")
    return 0
