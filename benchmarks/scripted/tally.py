"""What the scripted endpoint was asked, what it billed, and how busy it was.

Time is counted between requests' arrival and the end of their answers. Two snapshots of one run
give the figures of the part between them, since all of them only grow, but for ``most_under_way``.
"""

import time
from typing import NamedTuple

from pydantic import BaseModel


class QuestionCount(NamedTuple):
    """How often one question came."""

    asked: int = 0
    answered: int = 0
    first_asked_s: float = 0.0
    """On the clock of ``Counts.clock_s``, as is ``last_answered_s``."""
    last_answered_s: float = 0.0


class Counts(BaseModel):
    """A snapshot; the body of ``GET /counts``."""

    requests: int
    answers: int
    """Whole and readable ones: status 200 with a choice."""
    faults: dict[str, int]
    prompt_tokens: int
    """Billed, as are ``completion_tokens``: also for answers that were cut on the way, and the
    prompt's for status 500. 429 and 503 cost nothing."""
    completion_tokens: int
    most_under_way: int
    clock_s: float
    """Since the first request."""
    busy_s: float
    """Of that, with at least one request under way."""
    work_s: float
    """Requests under way, integrated over time: its mean is ``work_s / clock_s``."""
    questions: dict[str, QuestionCount]


class Tally:
    """The running counts."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, as if nothing had been asked; for when nothing is under way."""
        self.questions: dict[str, QuestionCount] = {}
        self.faults: dict[str, int] = {}
        self.requests = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self._under_way = 0
        self._most_under_way = 0
        self._busy_s = 0.0
        self._work_s = 0.0
        self._first: float | None = None
        self._last = 0.0

    def arrive(self, question: str) -> int:
        """Count a request that was read; return how often its question came so far."""
        self._advance()
        self._under_way += 1
        self._most_under_way = max(self._most_under_way, self._under_way)
        self.requests += 1
        count = self.questions.get(question, QuestionCount(first_asked_s=self._clock_s()))
        self.questions[question] = count._replace(asked=count.asked + 1)
        return count.asked + 1

    def leave(self) -> None:
        """Count the end of a request, by an answer or by the client's leaving."""
        self._advance()
        self._under_way -= 1

    def answer(self, question: str) -> None:
        """Count a whole answer that was sent."""
        self._advance()
        count = self.questions[question]
        self.questions[question] = count._replace(
            answered=count.answered + 1, last_answered_s=self._clock_s()
        )

    def bill(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Add to the bill."""
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens

    def snapshot(self) -> Counts:
        """Count up to now."""
        self._advance()
        return Counts(
            requests=self.requests,
            answers=sum(count.answered for count in self.questions.values()),
            faults=self.faults,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            most_under_way=self._most_under_way,
            clock_s=self._clock_s(),
            busy_s=self._busy_s,
            work_s=self._work_s,
            questions=self.questions,
        )

    def _clock_s(self) -> float:
        return 0.0 if self._first is None else self._last - self._first

    def _advance(self) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = self._last = now
        elapsed, self._last = now - self._last, now
        self._work_s += elapsed * self._under_way
        if self._under_way:
            self._busy_s += elapsed
