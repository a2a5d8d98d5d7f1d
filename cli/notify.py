"""``notify``: show who is told of what runs do, and send a test message."""

from collections.abc import Sequence

from cli.arguments import Parser, TeachingFormatter
from flows.settings import read_settings
from schemas.errors import PacaloomError

_EXAMPLES = """addresses, separated by spaces, in PACALOOM_NOTIFY or .env:
  slack://TOKEN_A/TOKEN_B/TOKEN_C/#channel     Slack, an incoming webhook
  mailto://USER:PASSWORD@gmail.com?to=team@example.com
  jsons://hooks.example.com/pacaloom           any webhook that takes JSON
  (all others: https://appriseit.com/services/)

examples:
  pacaloom notify
  pacaloom notify --test"""


class NotNotifiedError(PacaloomError):
    """A test message did not arrive everywhere."""


def build_notify_parser() -> Parser:
    """Build the parser of the verb."""
    parser = Parser(
        prog="pacaloom notify",
        description="Show which services are told when a run fails, crashes, stands still or\n"
        "waits for an approval, when a budget is used to 80 %, and when a student is held or\n"
        "rejected. The addresses are secrets and are never shown.",
        epilog=_EXAMPLES,
        formatter_class=TeachingFormatter,
    )
    parser.add_argument("--test", action="store_true", help="send a test message to each of them")
    return parser


def run_notify(arguments: Sequence[str]) -> int:
    """Check the addresses, and with ``--test`` send to them.

    Raises:
        NotNotifiedError: One of them did not take the message.
    """
    from flows.observing.news import News
    from flows.observing.notifications import make_notifier

    given = build_notify_parser().parse_args(list(arguments))
    notifier = make_notifier(read_settings())
    if not notifier.services:
        print(
            "Nobody is notified: PACALOOM_NOTIFY is not set. `./pacaloom notify --help` says how."
        )
        return 0
    notifier.check()
    if not given.test:
        print("\n".join(f"{service}: understood" for service in notifier.services))
        print("Send a test message: ./pacaloom notify --test")
        return 0
    news = News(
        "Pacaloom: test message",
        "Notifications work. You will be told here of failures, of students that are held or "
        "rejected, of budgets at 80 %, and of questions that wait for an approval.",
    )
    failures = notifier.send(news)
    if failures:
        raise NotNotifiedError(" ".join(failures))
    print("\n".join(f"{service}: sent" for service in notifier.services))
    return 0
