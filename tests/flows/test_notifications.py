"""Notifications reach a real server, say what to do, hold no markup, and never harm a run."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.approval import Question
from flows.milestones import BudgetMostlyUsed, DraftsWritten, RunFailed, StudentJudged
from flows.observing.ending import tell_end
from flows.observing.identity import Identity
from flows.observing.masking import Mask, make_mask
from flows.observing.news import News, Writer, find_place, neutralize
from flows.observing.notifications import Notifier, NotifyError, make_notifier
from flows.observing.run_log import Event, LogLine, RunLog, tell_time
from flows.settings import Settings
from tests.cli.command import ROOT, run_pacaloom
from tests.flows.notified import Message, run_webhook

NEWS = News("title", "body\nof 두 줄", is_failure=True)
IDENTITY = Identity("retrain", "demo", "r1")
WRITER = Writer(IDENTITY, "http://127.0.0.1:4200/runs/flow-run/r1", Mask([]))


def find_closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def judge(verdict: str) -> StudentJudged:
    return StudentJudged.model_validate(
        {
            "name": "demo",
            "model": "demo/0002-abc",
            "baseline": "demo/0001-abc",
            "verdict": verdict,
            "reasons": ("too few items", "표본이 작다"),
            "evaluation": "/outputs/evaluations/0003",
        }
    )


def test_every_address_gets_the_message() -> None:
    with run_webhook() as one, run_webhook() as other:
        failures = Notifier((one.address, other.address)).send(NEWS)

    assert failures == []
    assert one.messages == other.messages == [Message("title", "body\nof 두 줄", "failure")]


def test_what_cannot_be_sent_is_a_line_without_the_address() -> None:
    dead = f"json://user:secret-token@127.0.0.1:{find_closed_port()}/hidden-path"
    with run_webhook(status=403) as refusing, run_webhook() as well:
        failures = Notifier((dead, refusing.address, well.address, "nonsense://x")).send(NEWS)

    assert len(well.messages) == 1
    assert [failure.split(". Try")[0] for failure in failures] == [
        "Could not notify address 1 (json): no connection",
        "Could not notify address 2 (json): it answered with HTTP status 403",
        "Could not notify address 4 (nonsense): Apprise does not understand it",
    ]
    assert not any(word in "".join(failures) for word in ("secret", "hidden", "127.0.0.1"))


def test_service_that_does_not_answer_holds_nobody_up() -> None:
    with run_webhook() as silent:
        silent.may_answer.clear()

        [failure] = Notifier((silent.address,), timeout_s=0.2).send(NEWS)

    assert "no answer in time" in failure


def test_addresses_of_the_settings_are_separated_by_spaces() -> None:
    settings = Settings(notify=SecretStr(" json://127.0.0.1:1/a \n slack://aaa/bbb/ccc "))

    assert make_notifier(settings).services == ("address 1 (json)", "address 2 (slack)")
    assert make_notifier(Settings(notify=None)).send(NEWS) == []


def test_wrong_address_is_refused_without_being_quoted() -> None:
    with pytest.raises(NotifyError, match=r"address 2 \(slack\): wanted") as caught:
        Notifier(("json://127.0.0.1:1/", "slack://top-secret")).check()

    assert "top-secret" not in str(caught.value)


def test_failure_says_what_happened_what_to_do_and_where() -> None:
    news = WRITER.tell(RunFailed(name="demo", flow="retrain", message="No drafts of 'demo'."))

    assert news is not None
    assert news.is_failure
    assert news.title == "Pacaloom: retrain of demo failed"
    assert news.body.split("\n\n") == [
        "No drafts of 'demo'.",
        "What was finished is kept: running it again continues.",
        "Run r1: http://127.0.0.1:4200/runs/flow-run/r1",
    ]


def test_verdicts_that_keep_the_champion_are_told_and_promotions_are_not() -> None:
    hold, reject = WRITER.tell(judge("hold")), WRITER.tell(judge("reject"))

    assert hold is not None
    assert hold.title == "Pacaloom: hold: demo/0002-abc"
    assert "Against demo/0001-abc: too few items; 표본이 작다" in hold.body
    assert "/outputs/evaluations/0003/report.html" in hold.body
    assert reject is not None
    assert WRITER.tell(judge("promote")) is None


def test_budget_says_which_cap_and_how_to_raise_it() -> None:
    news = WRITER.tell(BudgetMostlyUsed(name="demo", cap="usd", used=8.04, limit=10))

    assert news is not None
    assert news.title == "Pacaloom: demo has used 80% of max_usd"
    assert "8.04 of 10 US dollars" in news.body
    assert "raise max_usd" in news.body


def test_question_says_how_it_is_answered_and_how_long_it_waits() -> None:
    question = Question("champion-1", "Make demo/2 the champion?", "- better by 3 points")

    news = WRITER.ask(question, 48)

    assert "Make demo/2 the champion?" in news.title
    assert "better by 3 points" in news.body
    assert "./pacaloom answer r1 yes" in news.body
    assert "48 hours" in news.body


def test_what_needs_nobody_is_not_told() -> None:
    drafts = DraftsWritten(
        name="demo", teacher="t", generated=3, admitted=2, requests=1, usd=None,
        stopped_because="quotas-filled",
    )  # fmt: skip

    assert WRITER.tell(drafts) is None


@pytest.mark.parametrize(
    ("hostile", "forbidden"),
    [
        pytest.param("hello @everyone and @Here", "@", id="mention"),
        pytest.param("<!channel> <b>x</b>", "<", id="tag"),
        pytest.param("![x](http://evil.example/?k)", "](", id="picture"),
        pytest.param("a\udcffb", "\udcff", id="no-unicode"),
        pytest.param("a\x1b[2Jb\u202ec", "\x1b", id="control"),
    ],
)
def test_machine_text_mentions_nobody_and_links_nowhere(hostile: str, forbidden: str) -> None:
    assert forbidden not in neutralize(hostile)


def test_title_is_one_line_whatever_a_run_was_called() -> None:
    writer = Writer(Identity("curate", "demo\r\nBcc: all@example.org", "r1"), "", Mask([]))

    assert "\n" not in writer.tell_end("failed", "Why.").title


def test_no_secret_is_told_wherever_it_stands() -> None:
    settings = Settings(
        api_key=SecretStr("sk-<0123456789>"), prefect_api_url="https://me:hunter2@p.example/api"
    )
    identity = Identity("evaluate", "https://me:letmein9@models.example/m", "r1")
    writer = Writer(identity, find_place(settings, "r1"), make_mask(settings))

    told = writer.tell_end("failed", "401 for key sk-<0123456789>.")

    assert "/runs/flow-run/r1" in told.body
    for secret in ("hunter2", "letmein9", "0123456789"):
        assert secret not in told.title + told.body


def test_long_messages_are_cut() -> None:
    news = WRITER.tell_end("crashed", "x" * 100_000)

    assert len(news.body) < 2_000


def test_place_is_the_run_s_page_where_people_find_it() -> None:
    inside = Settings(prefect_api_url="http://server:4200/api")
    outside = Settings(
        prefect_api_url="http://server:4200/api", prefect_ui_url="https://p.example/"
    )

    assert find_place(inside, "r1") == "http://server:4200/runs/flow-run/r1"
    assert find_place(outside, "r1") == "https://p.example/runs/flow-run/r1"
    assert find_place(outside, "").endswith("runs.jsonl")


@pytest.mark.parametrize(
    ("events", "is_watched", "is_told"),
    [
        pytest.param([], False, True, id="never-began"),
        pytest.param(["run-started"], True, True, id="killed"),
        pytest.param(["run-started", "run-failed"], False, False, id="told-of-it-itself"),
        pytest.param(["run-failed", "run-started"], False, True, id="killed-when-run-again"),
        pytest.param(["run-started", "run-stopped"], False, True, id="stopped-by-the-system"),
        pytest.param(["run-started", "run-stopped"], True, False, id="stopped-at-the-terminal"),
    ],
)
def test_run_that_could_not_tell_of_its_end_is_told_of_once(
    events: list[Event], is_watched: bool, is_told: bool, tmp_path: Path
) -> None:
    with run_webhook() as webhook:
        settings = Settings(outputs=tmp_path, notify=SecretStr(webhook.address))
        log = RunLog(tmp_path / "logs", make_mask(settings))
        for event in events:
            log.write(
                LogLine(time=tell_time(), level="info", event=event, flow="retrain", run="r1")
            )

        for _ in range(2):
            tell_end(settings, IDENTITY, "crashed", "Status code -9.", is_watched=is_watched)

    assert [message.title for message in webhook.messages] == (
        ["Pacaloom: retrain of demo crashed"] if is_told else []
    )
    assert any(line.event == "run-crashed" for line in log.read_back("r1")) == is_told


def test_command_sends_a_test_message(tmp_path: Path) -> None:
    with run_webhook() as webhook:
        done = run_pacaloom("notify", "--test", outputs=tmp_path, PACALOOM_NOTIFY=webhook.address)

    assert (done.status, done.stdout) == (0, "address 1 (json): sent\n")
    assert webhook.messages[0].title == "Pacaloom: test message"


def test_command_fails_when_the_message_does_not_arrive(tmp_path: Path) -> None:
    address = f"json://127.0.0.1:{find_closed_port()}/hidden"

    done = run_pacaloom("notify", "--test", outputs=tmp_path, PACALOOM_NOTIFY=address)

    assert done.status == 1
    assert done.stderr.splitlines() == [
        "pacaloom: error: Could not notify address 1 (json): no connection. "
        "Try `./pacaloom notify --test` when it is mended."
    ]


def test_sending_warns_of_nothing_that_people_could_not_mend() -> None:
    sends = (
        "from flows.observing.news import News\n"
        "from flows.observing.notifications import Notifier\n"
        "print(Notifier(('nonsense://x',)).send(News('t', 'b'))[0])"
    )

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", sends],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "Apprise does not understand it" in done.stdout
    assert done.stderr == ""


def test_run_that_notifies_nobody_does_not_pay_for_what_would_send() -> None:
    asked = "import sys, flows.running; print({'apprise', 'prefect'} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"


def test_command_says_when_nobody_is_notified(tmp_path: Path) -> None:
    done = run_pacaloom("notify", outputs=tmp_path)

    assert done.status == 0
    assert "PACALOOM_NOTIFY is not set" in done.stdout
