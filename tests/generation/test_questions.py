"""Questions are asked once: what the journal knows is taken from it, and a cap loses nothing."""

import asyncio
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import BudgetSpentError, Caps
from pipeline.generation.journal.commits import GroupCommits, RunLedger
from pipeline.generation.journal.journal import Journal
from pipeline.generation.questions import Line, ask_all
from schemas.errors import PacaloomError
from schemas.exchange import Completion, Decoding, Message, Prompt, Usage
from schemas.progress import no_progress

MODEL = "scripted"


class Scripted:
    """Answers with the question, the later ones first; fails on one, after so many others."""

    def __init__(self, fails_on: str = "", others: Callable[[], int] = int) -> None:
        self.asked: list[str] = []
        self.is_closed = False
        self._fails_on = fails_on
        self._others = others

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        reservation = await budget.reserve(prompt)
        text = prompt.messages[0].content
        self.asked.append(text)
        await asyncio.sleep(0.001 * (100 - int(text.split()[1])) / 100)
        reservation.settle(Usage(prompt_tokens=1, completion_tokens=1))
        if text == self._fails_on:
            while self._others() < 4:
                await asyncio.sleep(0.001)
            raise PacaloomError(f"no answer to {text}")
        return Completion(
            id=prompt.key(MODEL), model=MODEL, text=f"re: {text}", finish_reason="stop"
        )

    async def close(self) -> None:
        self.is_closed = True


def make_prompts(count: int, word: str = "질문") -> list[Prompt]:
    return [
        Prompt(
            messages=(Message(role="user", content=f"{word} {number}"),),
            decoding=Decoding(),
            strategy="judge",
            language="ko",
        )
        for number in range(count)
    ]


def connect_to(
    endpoint: Scripted, journal: Journal, max_requests: int | None = None
) -> Callable[[int], Line]:
    def connect(_missing: int) -> Line:
        commits = GroupCommits(journal)
        budget = Budget(
            Caps(max_requests=max_requests),
            ledger=RunLedger(commits, "run"),
            spent=journal.read_spending("run"),
        )
        return Line(endpoint, budget, commits)

    return connect


def never(_missing: int) -> Line:
    raise AssertionError("nothing is missing")


@pytest.fixture
def journal(tmp_path: Path) -> Generator[Journal]:
    with Journal(tmp_path / "j.sqlite") as opened:
        yield opened


def test_answers_come_in_the_order_of_the_prompts_and_are_in_the_journal(journal: Journal) -> None:
    endpoint = Scripted()
    prompts = make_prompts(50)

    answers = ask_all(prompts, MODEL, journal, connect_to(endpoint, journal), no_progress)

    assert [answer.text for answer in answers] == [f"re: 질문 {number}" for number in range(50)]
    assert len(journal) == 50
    assert endpoint.is_closed


def test_only_what_the_journal_does_not_know_is_asked(journal: Journal) -> None:
    first, second = Scripted(), Scripted()
    told: list[int] = []

    def connect(missing: int) -> Line:
        told.append(missing)
        return connect_to(second, journal)(missing)

    ask_all(make_prompts(3), MODEL, journal, connect_to(first, journal), no_progress)
    answers = ask_all(make_prompts(5), MODEL, journal, connect, no_progress)

    assert sorted(second.asked) == ["질문 3", "질문 4"]
    assert told == [2]
    assert [answer.text for answer in answers] == [f"re: 질문 {number}" for number in range(5)]


def test_nothing_is_opened_when_nothing_is_missing(journal: Journal) -> None:
    prompts = make_prompts(3)
    known = ask_all(prompts, MODEL, journal, connect_to(Scripted(), journal), no_progress)

    assert ask_all(prompts, MODEL, journal, never, no_progress) == known
    assert ask_all([], MODEL, journal, never, no_progress) == []


def test_cap_ends_asking_with_every_answer_kept_and_holds_over_calls(journal: Journal) -> None:
    endpoint = Scripted()
    prompts = make_prompts(10)

    for _ in range(2):
        with pytest.raises(BudgetSpentError):
            ask_all(prompts, MODEL, journal, connect_to(endpoint, journal, 4), no_progress)

    assert len(endpoint.asked) == 4
    assert len(journal) == 4
    answers = ask_all(prompts, MODEL, journal, connect_to(endpoint, journal, 10), no_progress)
    assert len(endpoint.asked) == len(answers) == 10
    assert journal.read_spending("run").requests == 10


def test_failure_is_raised_with_the_answers_before_it_kept(journal: Journal) -> None:
    endpoint = Scripted("질문 0", lambda: len(journal))

    with pytest.raises(PacaloomError, match="no answer to 질문 0"):
        ask_all(make_prompts(5), MODEL, journal, connect_to(endpoint, journal), no_progress)

    assert len(journal) == 4
    assert endpoint.is_closed


def test_failure_to_connect_is_the_callers_own(journal: Journal) -> None:
    def refuse(_missing: int) -> Line:
        raise PacaloomError("nobody may be asked")

    with pytest.raises(PacaloomError, match="nobody may be asked"):
        ask_all(make_prompts(1), MODEL, journal, refuse, no_progress)


def test_progress_ends_with_all_answered(journal: Journal) -> None:
    told: list[tuple[int, int]] = []
    prompts = make_prompts(3)

    def report(done: int, total: int, note: str = "") -> None:
        told.append((done, total))

    ask_all(prompts, MODEL, journal, connect_to(Scripted(), journal), report)

    assert told[-1] == (3, 3)
