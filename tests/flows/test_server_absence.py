from pathlib import Path

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from benchmarks.service_house import find_free_port
from flows.deployed.cancelling import is_being_cancelled
from flows.deployed.expired_questions import tell_of_expired_questions
from flows.deployed.server_absence import outlast
from flows.settings import Settings


class Server:
    """Answers from a certain call on."""

    def __init__(self, absences: int) -> None:
        self.absences = absences

    def ask(self) -> str:
        if self.absences:
            self.absences -= 1
            raise httpx.ConnectError("connection refused")
        return "answer"


def test_server_that_answers_is_asked_once_without_a_word() -> None:
    said: list[str] = []

    assert outlast(Server(0).ask, said.append) == "answer"
    assert said == []


def test_server_that_comes_back_is_waited_for() -> None:
    said: list[str] = []

    assert outlast(Server(3).ask, said.append, [0.0] * 3) == "answer"
    assert len(said) == 2
    assert "does not answer" in said[0]
    assert "answers again" in said[1]


def test_server_that_stays_away_ends_the_run() -> None:
    with pytest.raises(httpx.ConnectError):
        outlast(Server(5).ask, lambda _: None, [0.0] * 3)


def test_server_whose_requests_vanish_is_waited_for_no_longer_than_was_said() -> None:
    now = 0.0
    said: list[str] = []

    def vanish() -> None:
        nonlocal now
        now += 240.0
        raise httpx.ConnectTimeout("timed out")

    with pytest.raises(httpx.ConnectTimeout):
        outlast(vanish, said.append, [0.0] * 40, lambda: now)

    assert "at most 10 min" in said[0]
    # The third request is over after 12 minutes.
    assert now == 720.0


def test_refusal_is_not_waited_for() -> None:
    def refuse() -> None:
        request = httpx.Request("POST", "http://127.0.0.1/api")
        raise httpx.HTTPStatusError("422", request=request, response=httpx.Response(422))

    with pytest.raises(httpx.HTTPStatusError):
        outlast(refuse, lambda _: None, [60.0])


def test_run_begins_though_nobody_can_say_which_questions_have_expired(tmp_path: Path) -> None:
    warnings: list[str] = []

    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{find_free_port()}/api"}):
        tell_of_expired_questions(Settings(outputs=tmp_path), warnings.append)

    [warning] = warnings
    assert "could not be looked for: ConnectError" in warning


def test_signal_that_nobody_can_explain_is_no_cancellation() -> None:
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{find_free_port()}/api"}):
        assert not is_being_cancelled("0b0e6c9e-2f0a-4d40-9a07-000000000001")
