"""Which question is meant by what a person types."""

import pytest

from benchmarks.service_house import find_free_port
from flows.deployed.answering import (
    NoSuchQuestionError,
    NotAnsweredError,
    WaitingQuestion,
    find_question,
    list_questions,
)

ONE = WaitingQuestion("0b0e6c9e-2f0a", "brave-fox", None, "Spend $7?")
TWO = WaitingQuestion("0b77f1d2-9c3b", "calm-owl", None, "Promote?")


@pytest.mark.parametrize("typed", ["brave-fox", "0b0e6c9e-2f0a", "0b0"])
def test_run_is_meant_by_name_id_or_the_beginning_of_its_id(typed: str) -> None:
    assert find_question([ONE, TWO], typed) == ONE


@pytest.mark.parametrize("typed", ["0b", "fox", ""])
def test_what_fits_several_or_none_answers_nothing(typed: str) -> None:
    with pytest.raises(NoSuchQuestionError, match=r"brave-fox .*calm-owl"):
        find_question([ONE, TWO], typed)


def test_variable_that_is_not_set_answers_no_question_even_if_there_is_only_one() -> None:
    with pytest.raises(NoSuchQuestionError):
        find_question([ONE], "")


def test_server_that_is_away_is_one_line() -> None:
    with pytest.raises(NotAnsweredError) as caught:
        list_questions(f"http://127.0.0.1:{find_free_port()}/api")

    assert "did not answer: ConnectError" in str(caught.value)
    assert "\n" not in str(caught.value)
