"""Suspend a deployed run until a person has answered a question in Prefect's form.

The process ends and frees its place; the answer has the flow begin anew, find the answer under the
question's key and go on. A question that nobody answered in time has failed its run; when that run
is started again, it is asked again.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput, keyset_from_base_key
from prefect.input.actions import read_flow_run_input
from prefect.input.run_input import Keyset
from prefect.runtime import flow_run
from prefect.utilities.urls import url_for
from pydantic import Field

from flows.approval import Question
from schemas.markdown import fence, plain


class Answer(RunInput):
    """A person's answer; Prefect keeps it with the run."""

    answer: Literal["yes", "no"] = Field(description="Whether the run may go on with this.")
    remark: str = Field(
        default="", max_length=500, description="For those who read the run's log; optional."
    )


def ask_in_form(
    question: Question, wait_hours: float, tell: Callable[[Question, str], None]
) -> Answer:
    """Return the answer that was given, or suspend the run.

    Args:
        question: Its key tells it from the run's other questions.
        wait_hours: After them the server fails the run.
        tell: Given the question, and how to answer it in Markdown, once it is put.
    """
    key = _find_key(question)
    given = read_flow_run_input(_inputs_of(key)["response"])
    if given is not None:
        return Answer.model_validate(given)
    tell(question, _explain(question, wait_hours))
    form = Answer.with_initial_data(description=_describe(question))
    return suspend_flow_run(wait_for_input=form, key=key, timeout=max(1, round(wait_hours * 3600)))


def _find_key(question: Question, attempt: int = 1) -> str:
    """Find the key under which the question was answered, or is to be put now."""
    key = f"{question.key}-{attempt}"
    inputs = _inputs_of(key)
    was_put = read_flow_run_input(inputs["schema"]) is not None
    if was_put and read_flow_run_input(inputs["response"]) is None:
        return _find_key(question, attempt + 1)
    return key


def _inputs_of(key: str) -> Keyset:
    """Name what Prefect keeps of a state called Suspended with this key."""
    return keyset_from_base_key(f"suspended-{key}")


def _describe(question: Question) -> str:
    return f"**{plain(question.title)}**\n\n{question.grounds}"


def _explain(question: Question, wait_hours: float) -> str:
    until = (datetime.now(UTC) + timedelta(hours=wait_hours)).strftime("%Y-%m-%d %H:%M UTC")
    run_id = str(flow_run.get_id())
    page = url_for("flow-run", obj_id=run_id)
    return "\n\n".join(
        [
            f"# {plain(question.title)}",
            question.grounds,
            f"The run waits, suspended, until {until}; then it fails.",
            f"Answer with the button *Resume* on [the run's page]({page}), or with",
            fence(f"./pacaloom answer {flow_run.get_name()} yes --remark ''"),
        ]
    )
