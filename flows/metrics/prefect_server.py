"""Ask Prefect's server by plain HTTP: importing Prefect takes seconds and 100 MB.

Four requests a time. What has ended is asked for as the 200 runs that ended last.
"""

import base64
import http.client
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import NamedTuple, TypeVar
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json

from schemas.errors import PacaloomError

TIMEOUT_S = 5.0
"""Half of what Prometheus gives a scrape; a busy server takes a second and more."""
FAILURES = ("FAILED", "CRASHED")
ENDINGS = ("COMPLETED", *FAILURES, "CANCELLED")
_WAITING = ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING", "PAUSED")
_MOST = 200
"""Prefect's own limit of one answer."""

Answer = TypeVar("Answer")


class Flow(BaseModel):
    """A flow, for its name."""

    id: UUID
    name: str


class Deployment(BaseModel):
    """A flow with parameters and schedules."""

    id: UUID
    name: str
    flow_id: UUID
    status: str | None = None


class Run(BaseModel):
    """A flow run."""

    deployment_id: UUID | None
    state_type: str | None
    state_name: str | None
    next_scheduled_start_time: datetime | None
    end_time: datetime | None
    total_run_time: float = 0.0


_FLOWS = TypeAdapter(list[Flow])
_DEPLOYMENTS = TypeAdapter(list[Deployment])
_RUNS = TypeAdapter(list[Run])


class PrefectAnswerError(PacaloomError):
    """The server does not answer, or with something else."""


class Queue(NamedTuple):
    """What the server knows of flow runs."""

    flows: list[Flow]
    deployments: list[Deployment]
    waiting: list[Run]
    """Of the runs that have not ended, those that start soonest first."""
    ended: list[Run]
    """The latest first."""


def ask_server(address: str, auth: str = "") -> Queue | PrefectAnswerError:
    """Ask for everything, or return why there is no answer: this runs in a thread of its own.

    Args:
        address: Of the API; what it holds before the host is not sent.
        auth: ``user:password``; empty for a server that asks for none.
    """
    # Nothing of the address is quoted but its host: it may hold a password.
    where = "PREFECT_API_URL"
    try:
        url = urlsplit(address)
        where = url.hostname or where
        https = url.scheme == "https"
        kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=TIMEOUT_S)
        with closing(connection):
            asked = _Asked(connection, url, auth)
            return Queue(
                _post(asked, "flows", _FLOWS, {"limit": _MOST}),
                _post(asked, "deployments", _DEPLOYMENTS, {"limit": _MOST}),
                _post(
                    asked, "flow_runs", _RUNS, _of_states(_WAITING, "NEXT_SCHEDULED_START_TIME_ASC")
                ),
                _post(asked, "flow_runs", _RUNS, _of_states(ENDINGS, "END_TIME_DESC")),
            )
    except PrefectAnswerError as error:
        return error
    except (OSError, http.client.HTTPException) as error:
        return PrefectAnswerError(f"Prefect's server at {where} does not answer: {error}")
    except ValueError:
        return PrefectAnswerError(
            "PREFECT_API_URL: wanted an address such as http://127.0.0.1:4200/api, found another."
        )


def _of_states(types: Sequence[str], sort: str) -> dict[str, JsonValue]:
    states: list[JsonValue] = list(types)
    return {
        "limit": _MOST,
        "sort": sort,
        "flow_runs": {"state": {"type": {"any_": states}}},
    }


class _Asked(NamedTuple):
    connection: http.client.HTTPConnection
    url: SplitResult
    auth: str


def _post(
    asked: _Asked, what: str, model: TypeAdapter[Answer], question: Mapping[str, JsonValue]
) -> Answer:
    path = f"{asked.url.path.rstrip('/')}/{what}/filter"
    headers = {"Content-Type": "application/json"}
    if asked.auth:
        headers["Authorization"] = f"Basic {base64.b64encode(asked.auth.encode()).decode()}"
    asked.connection.request("POST", path, to_json(question), headers)
    answer = asked.connection.getresponse()
    content = answer.read()
    where = asked.url.hostname
    if answer.status == http.HTTPStatus.UNAUTHORIZED:
        raise PrefectAnswerError(
            f"Prefect's server at {where} answers 401 for {what}: set PREFECT_API_AUTH_STRING."
        )
    if answer.status != http.HTTPStatus.OK:
        raise PrefectAnswerError(f"Prefect's server at {where} answers {answer.status} for {what}.")
    try:
        return model.validate_json(content)
    except ValidationError as error:
        raise PrefectAnswerError(f"What answers at {where} is no Prefect server.") from error
