"""Refusals that say nothing of a prompt hold back all, and only while nothing is answered."""

import pytest

from pipeline.generation.teacher.answers import Failure, Fault
from pipeline.generation.teacher.endings import TeacherFailedError, TeacherUnreachableError
from pipeline.generation.teacher.retries import Asking, Retries
from tests.generation.teacher_room import make_prompt

BUSY = Failure(Fault.OVERLOADED, "HTTP 503: Loading model")


class Bursts:
    """Refuses requests that were sent together, time after time."""

    def __init__(self, max_attempts: int = 6) -> None:
        self.now = 100.0
        self.retries = Retries("The teacher", max_attempts, lambda: self.now)

    def refuse(self, failure: Failure = BUSY, *, count: int = 64) -> float:
        """Return the longest wait for all; it has passed when this returns."""
        sent_at, self.now = self.now, self.now + 1
        waits = [
            self.retries.find_wait(Asking(make_prompt(n)), failure, sent_at) for n in range(count)
        ]
        shared_s = max(wait.shared_s for wait in waits)
        self.now += max(wait.own_s for wait in waits) + 1
        return shared_s


def test_first_refusals_hold_back_their_prompts_alone() -> None:
    assert Bursts().refuse() == 0


@pytest.mark.parametrize("fault", [Fault.OVERLOADED, Fault.UNREACHABLE])
def test_refusals_without_an_answer_between_hold_back_all_ever_longer(fault: Fault) -> None:
    bursts = Bursts()
    bursts.refuse(Failure(Fault.RETRY, "it was reached"))

    shared = [bursts.refuse(Failure(fault, "no")) for _ in range(9)]

    # Delays of 1, 2, 4 … 30 s, of which at least half is waited.
    ceilings = [1, 2, 4, 8, 16, 30, 30, 30]
    assert shared[0] == 0
    for wait, ceiling in zip(shared[1:], ceilings, strict=True):
        assert ceiling / 2 <= wait <= ceiling


def test_answer_ends_the_waiting_of_all() -> None:
    bursts = Bursts()
    for _ in range(5):
        bursts.refuse()
    bursts.retries.note_answer()

    assert bursts.refuse() == 0


def test_failures_of_single_requests_hold_back_nobody_else() -> None:
    bursts = Bursts()
    for _ in range(5):
        assert bursts.refuse(Failure(Fault.RETRY, "HTTP 500")) == 0


def test_refusals_end_the_run_after_minutes_however_many_there_are() -> None:
    bursts = Bursts(max_attempts=1)
    while bursts.now < 400:  # begun at 100
        bursts.refuse()

    with pytest.raises(TeacherFailedError, match=r"answered nothing for 3\d\d seconds"):
        bursts.refuse()


def test_a_server_of_our_own_that_went_away_is_not_waited_for() -> None:
    retries = Retries("The teacher", 6, lambda: 0.0, may_come_back=False)
    retries.note_answer()
    asking = Asking(make_prompt(1))
    # What was under way when it died.
    retries.find_wait(asking, Failure(Fault.RETRY, "cut"), 0.0)

    with pytest.raises(TeacherUnreachableError):
        retries.find_wait(asking, Failure(Fault.UNREACHABLE, "nobody listens"), 0.0)
