"""Nobody's money is spent unasked, and a question costs nothing twice; against a real endpoint.

Each request of the endpoint is billed 18 tokens, $0.018 here; 400 records cost about $7.20.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.approval import NotApprovedError, Question
from flows.engine import PlainEngine
from flows.outcomes import GenerateOutcome
from flows.parameters import GenerateParams
from flows.settings import Settings
from flows.steps.generation import generate_drafts
from pipeline.curation.config import CurationConfig
from tests.generation.scripted_server import ScriptedServer, serve

A_REQUEST = 0.018
WANTED = 400
LENIENT = CurationConfig(stage=("schema", "duplicate"))
PRICE = {"input": 1000.0, "output": 1000.0}


class Suspended(BaseException):
    """What ends the process in which a person is asked."""


class Person(PlainEngine):
    """Answers as told, and remembers the questions."""

    def __init__(self, answer: Callable[[], bool]) -> None:
        self.questions: list[Question] = []
        self.told: list[str] = []
        self._answer = answer

    def approve(self, question: Question, wait_hours: float) -> bool:
        self.questions.append(question)
        return self._answer()

    def say(self, message: str) -> None:
        self.told.append(message)


def say_yes() -> bool:
    return True


def say_no() -> bool:
    return False


def suspend() -> bool:
    raise Suspended


def generate(
    server: ScriptedServer, outputs: Path, person: Person, **fields: object
) -> GenerateOutcome:
    settings = Settings.model_validate({"outputs": outputs, "base_url": server.base_url})
    params = GenerateParams.model_validate(
        {
            "name": "toy", "model": "scripted", "quota": {"en": WANTED}, "price": PRICE,
            "concurrency": 64, "approval": {"auto_approve": False, "unapproved_usd": 6.0},
        } | fields
    )  # fmt: skip
    return generate_drafts(params.model_copy(update={"curation": LENIENT}), settings, person)


def test_person_reads_the_forecast_and_yes_makes_the_drafts_of_a_run_that_asks_nobody(
    tmp_path: Path,
) -> None:
    person = Person(say_yes)
    with serve() as server:
        asked = generate(server, tmp_path / "asked", person)
        questions = list(server.questions)
        unasked = generate(server, tmp_path / "unasked", person, approval={"auto_approve": True})

    (question,) = person.questions
    assert question.key == "spend-toy"
    assert question.title.startswith("Spend up to $")
    assert "95 % interval" in question.grounds
    assert "US dollars: 7." in question.grounds
    assert asked.drafts.read_bytes() == unasked.drafts.read_bytes()
    assert len(questions) == len(set(questions)) == asked.teacher_requests


def test_no_ends_the_run_after_its_pilot_and_nothing_is_paid_again(tmp_path: Path) -> None:
    with serve() as server:
        with pytest.raises(NotApprovedError, match="The answer is no"):
            generate(server, tmp_path, Person(say_no))
        paid = server.bill.requests
        assert not (tmp_path / "drafts" / "toy.jsonl").exists()
        generate(server, tmp_path, Person(say_no), approval={"auto_approve": True})

    # 5 % of the records, and no round drawn ahead of the answer.
    assert paid < 0.1 * WANTED
    assert len(server.questions) == len(set(server.questions))


def test_suspended_run_begins_anew_and_asks_the_same_question_without_a_request(
    tmp_path: Path,
) -> None:
    asleep, awake = Person(suspend), Person(say_yes)
    with serve() as server:
        with pytest.raises(Suspended):
            generate(server, tmp_path, asleep, grow=True)
        before = server.bill.requests
        with pytest.raises(Suspended):
            generate(server, tmp_path, asleep, grow=True)
        assert server.bill.requests == before
        generate(server, tmp_path, awake, grow=True)

    assert asleep.questions[0] == asleep.questions[1] == awake.questions[0]
    assert len(server.questions) == len(set(server.questions))


def test_finished_run_repeated_asks_neither_teacher_nor_person(tmp_path: Path) -> None:
    person = Person(say_yes)
    with serve() as server:
        first = generate(server, tmp_path, person)
        drafts = first.drafts.read_bytes()
        again = generate(server, tmp_path, person)

    assert again.teacher_requests == 0
    assert again.drafts.read_bytes() == drafts
    assert len(person.questions) == 1


def test_pilot_itself_spends_no_more_than_is_allowed_unasked(tmp_path: Path) -> None:
    # The worst case of a request is some $5, though $0.018 is billed.
    with serve() as server, pytest.raises(NotApprovedError, match="Spend more than"):
        generate(
            server, tmp_path, Person(say_no), pilot=1.0,
            approval={"auto_approve": False, "unapproved_usd": 5.5},
        )  # fmt: skip

    assert 0 < server.bill.requests * A_REQUEST <= 5.5


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"approval": {"auto_approve": False, "unapproved_usd": 0}}, id="no-money"),
        pytest.param({"transport": "batch"}, id="batch"),
        pytest.param(
            {"approval": {"auto_approve": False, "unapproved_usd": 0.01}}, id="less-than-a-request"
        ),
    ],
)
def test_where_no_pilot_can_be_paid_the_person_is_asked_before_anything_is_sent(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    person = Person(say_no)
    with serve() as server, pytest.raises(NotApprovedError):
        generate(server, tmp_path, person, **fields)

    assert server.bill.requests == 0
    assert "No pilot was run" in person.questions[0].grounds


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"quota": {"en": 40}}, id="forecast-below"),
        pytest.param({"max_usd": 6.0}, id="cap-in-dollars"),
        pytest.param({"max_tokens": 6000}, id="cap-in-tokens"),
    ],
)
def test_nobody_is_asked_where_the_limit_holds_anyway(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    person = Person(say_no)
    with serve() as server:
        outcome = generate(server, tmp_path, person, **fields)

    assert outcome.admitted["en"] > 0
    assert person.questions == []


@pytest.mark.parametrize(("auto_approve", "times_told"), [(False, 1), (True, 0)])
def test_nobody_is_asked_where_no_price_is_known_and_the_run_says_so(
    tmp_path: Path, auto_approve: bool, times_told: int
) -> None:
    person = Person(say_no)
    with serve() as server:
        generate(
            server, tmp_path, person, quota={"en": 40}, price=None,
            approval={"auto_approve": auto_approve},
        )  # fmt: skip

    assert person.questions == []
    assert sum("No price is known for scripted" in line for line in person.told) == times_told
