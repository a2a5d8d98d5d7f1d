"""What may pass is tried again after each wait; what will not is not."""

import pytest

from flows.deployed.insistence import WAITS_S, insist
from schemas.errors import PacaloomError, UserError


class UnreachableError(PacaloomError):
    may_pass = True


class Script:
    """Raises the errors one after the other, then succeeds; remembers what was said and waited."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.calls = 0
        self.waits: list[float] = []
        self.said: list[str] = []

    def attempt(self) -> str:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"

    def run(self, *waits_s: float) -> str:
        def wait(_line: str, seconds: float) -> None:
            self.waits.append(seconds)

        return insist("generate", self.attempt, waits_s, wait, self.said.append)


def test_teacher_that_comes_back_is_asked_again() -> None:
    script = Script(UnreachableError("no route to host"), UnreachableError("no route to host"))

    assert script.run(60, 300, 900) == "done"
    assert script.waits == [60, 300]
    assert script.said[1] == "generate, attempt 2 of 4: no route to host"


def test_teacher_that_stays_away_fails_with_its_own_words_and_says_how_to_continue() -> None:
    script = Script(*(UnreachableError(f"attempt {n}") for n in range(5)))

    with pytest.raises(UnreachableError, match="attempt 4"):
        script.run(*WAITS_S)

    assert (script.calls, sum(script.waits)) == (5, 51 * 60)
    assert script.said[-1].startswith("generate was tried 5 times over 51 min and is given up.")


@pytest.mark.parametrize("error", [PacaloomError("disk"), UserError("key"), ValueError("bug")])
def test_what_waiting_does_not_help_is_raised_at_once(error: Exception) -> None:
    script = Script(error)

    with pytest.raises(type(error)):
        script.run(60, 300)

    assert (script.calls, script.waits) == (1, [])


def test_lasting_error_after_a_passing_one_ends_it() -> None:
    script = Script(UnreachableError("down"), UserError("wrong key"))

    with pytest.raises(UserError, match="wrong key"):
        script.run(60, 300)

    assert (script.calls, script.waits) == (2, [60])
