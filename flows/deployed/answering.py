"""Answer, without the UI, the questions that suspended flow runs wait with."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType

from flows.observing.engine import describe
from schemas.errors import PacaloomError, UserError

_MOST = 200


class NoSuchQuestionError(UserError):
    """No run waits with a question by that name."""


class NotAnsweredError(PacaloomError):
    """The server did not take an answer."""


class WaitingQuestion(NamedTuple):
    """A question, and the run that is suspended until it is answered."""

    run_id: str
    run_name: str
    until: datetime | None
    """Then the run fails."""
    text: str
    """Markdown: title and grounds."""


def list_questions(api_url: str) -> list[WaitingQuestion]:
    """List what runs wait for, the one that fails first at the head.

    Raises:
        NotAnsweredError: The server does not answer.
    """
    try:
        with SyncPrefectClient(api=api_url) as client:
            found = list(_read_questions(client))
    except httpx.HTTPError as error:
        raise _describe_failure(error) from error
    return sorted(found, key=lambda one: (one.until is None, one.until))


def answer(api_url: str, run: str, *, is_yes: bool, remark: str = "") -> WaitingQuestion:
    """Answer the question of a run, which then goes on.

    Args:
        api_url: Of the server.
        run: Its name, its id, or the beginning of its id.
        is_yes: The answer.
        remark: For those who read the run's log; up to 500 characters.

    Raises:
        NoSuchQuestionError: No run, or more than one, waits by that name.
        NotAnsweredError: The server does not answer, or did not take it.
    """
    question = find_question(list_questions(api_url), run)
    given = {"answer": "yes" if is_yes else "no", "remark": remark}
    try:
        with SyncPrefectClient(api=api_url) as client:
            response = client.request(
                "POST", "/flow_runs/{id}/resume", path_params={"id": question.run_id},
                json={"run_input": given},
            )  # fmt: skip
    except httpx.HTTPError as error:
        raise _describe_failure(error) from error
    taken = response.json()
    if taken["status"] != "ACCEPT":
        reason = taken.get("details", {}).get("reason", taken["status"])
        raise NotAnsweredError(
            f"The server did not take the answer for {question.run_name}: {reason} Try again in a "
            "moment, or answer on the run's page."
        )
    return question


def find_question(waiting: Sequence[WaitingQuestion], run: str) -> WaitingQuestion:
    """Find the question of a run by its name, its id, or the beginning of its id.

    Raises:
        NoSuchQuestionError: No run, or more than one, waits by that name.
    """
    # An empty one, of a shell's variable that is not set, begins every id.
    meant = [one for one in waiting if run and (run == one.run_name or one.run_id.startswith(run))]
    if len(meant) != 1:
        names = ", ".join(f"{one.run_name} ({one.run_id})" for one in waiting) or "none"
        raise NoSuchQuestionError(
            f"Wanted one run that waits for an answer, found {len(meant)} by {run!r}. "
            f"Waiting: {names}."
        )
    return meant[0]


def _read_questions(client: SyncPrefectClient) -> Iterator[WaitingQuestion]:
    suspended = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED]))
    for run in client.read_flow_runs(flow_run_filter=FlowRunFilter(state=suspended), limit=_MOST):
        if run.state is None:
            continue
        details = run.state.state_details
        if details.run_input_keyset is not None:
            text = _read_text(client, run, details.run_input_keyset["description"])
            yield WaitingQuestion(str(run.id), run.name, details.pause_timeout, text)


def _read_text(client: SyncPrefectClient, run: FlowRun, key: str) -> str:
    try:
        return str(json.loads(client.read_flow_run_input(run.id, key)))
    except httpx.HTTPStatusError:
        return "(its question is not there yet)"


def _describe_failure(error: httpx.HTTPError) -> NotAnsweredError:
    return NotAnsweredError(
        f"Prefect's server did not answer: {describe(error)}. "
        "`./pacaloom settings` shows whether it runs."
    )
