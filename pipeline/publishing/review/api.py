"""Answer a reader's browser: with the page, and with what becomes of each decision.

The page is rendered when the review starts. Author and time of a decision are the server's: a page
could say anything. An answer is sent when the decision is on disk, so that what the page shows as
saved is.
"""

import logging
from http import HTTPStatus

from pydantic import Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pipeline.publishing.review.decisions import DecisionConflictError
from pipeline.publishing.review.guard import Guard
from pipeline.publishing.review.session import ReviewSession
from schemas.errors import PacaloomError, UserError
from schemas.frozen import Frozen
from schemas.identity import short_id
from schemas.review import ReviewDecision, ReviewedText, ReviewVerdict, StandingDecision
from schemas.storage import describe_validation_error

_MOST_BYTES = 8 * 2**20
"""Of a request: a record of a megabyte, edited, in a language of three bytes a character."""

_UNFIT = HTTPStatus.UNPROCESSABLE_ENTITY


class _Posted(Frozen):
    """What the page sends."""

    record: str = Field(pattern=r"^[0-9a-f]{16}$")
    verdict: ReviewVerdict
    edited: ReviewedText | None = None
    note: str = Field(default="", max_length=2000)
    seen: int | None
    """Place of the decision that the reader saw; None where there was none."""


class _RefusedError(Exception):
    """A request that cannot be met, with one line that says why."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        self.status = status
        super().__init__(reason)


class _Api:
    """The two addresses that the page's script asks."""

    def __init__(self, session: ReviewSession) -> None:
        self._session = session

    async def show_page(self, request: Request) -> Response:
        return HTMLResponse(self._session.page)

    async def list_decisions(self, request: Request) -> Response:
        session = self._session
        standing = await run_in_threadpool(session.log.look)
        return JSONResponse(
            {
                "author": session.author,
                "records": len(session.languages),
                "decisions": {
                    one.decision.record: _to_json(one)
                    for one in standing
                    if one.decision.record in session.languages
                },
            }
        )

    async def decide(self, request: Request) -> Response:
        posted = _parse(await _read_body(request))
        decision = self._make_decision(posted)
        standing = await run_in_threadpool(self._session.log.append, decision, posted.seen)
        return JSONResponse({"standing": _to_json(standing)})

    def _make_decision(self, posted: _Posted) -> ReviewDecision:
        session = self._session
        language = session.languages.get(posted.record)
        if language is None:
            raise _RefusedError(
                HTTPStatus.NOT_FOUND, f"{session.dataset} has no record or draft {posted.record}."
            )
        edited = posted.edited and session.check_edit(posted.edited, language)
        if edited and short_id(language, *edited.model_dump().values()) == posted.record:
            raise _RefusedError(_UNFIT, "Nothing was changed. Accept the record if it is right.")
        try:
            return ReviewDecision(
                record=posted.record,
                verdict=posted.verdict,
                edited=edited,
                note=posted.note,
                author=session.author,
                time=session.now(),
                dataset=session.dataset,
            )
        except ValidationError as error:
            raise _RefusedError(_UNFIT, describe_validation_error(error)) from error


def build_app(session: ReviewSession, token: str, port: int) -> ASGIApp:
    """Build the application for a port of 127.0.0.1."""
    api = _Api(session)
    app = Starlette(
        routes=[
            Route("/", api.show_page, methods=["GET"]),
            Route("/decisions", api.list_decisions, methods=["GET"]),
            Route("/decisions", api.decide, methods=["POST"]),
        ],
        exception_handlers={
            _RefusedError: _answer_refused,
            DecisionConflictError: _answer_conflict,
            UserError: _answer_mistake,
            PacaloomError: _answer_failure,
            ClientDisconnect: _answer_nobody,
            Exception: _answer_fault,
        },
    )
    return Guard(app, token, port)


async def _read_body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise _RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A decision is sent as application/json."
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"A decision may have {_MOST_BYTES // 2**20} MB, this one has more.",
            )
    return bytes(body)


def _parse(body: bytes) -> _Posted:
    try:
        return _Posted.model_validate_json(body)
    except ValidationError as error:
        raise _RefusedError(_UNFIT, describe_validation_error(error)) from error


def _to_json(standing: StandingDecision | None) -> dict[str, object] | None:
    if standing is None:
        return None
    place, decision = standing
    return {"place": place, **decision.model_dump(mode="json", exclude={"dataset"})}


async def _answer_refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, _RefusedError) else HTTPStatus.BAD_REQUEST
    return PlainTextResponse(f"{error}\n", status)


async def _answer_conflict(request: Request, error: Exception) -> Response:
    standing = error.standing if isinstance(error, DecisionConflictError) else None
    return JSONResponse({"standing": _to_json(standing), "error": str(error)}, HTTPStatus.CONFLICT)


async def _answer_mistake(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", _UNFIT)


async def _answer_failure(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", HTTPStatus.INTERNAL_SERVER_ERROR)


async def _answer_nobody(request: Request, error: Exception) -> Response:
    """End a request whose page was closed before all of it was here."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _answer_fault(request: Request, error: Exception) -> Response:
    # The server itself says nothing, because each request that Ctrl-C cuts is a fault to it.
    logging.getLogger(__name__).error("The review has a fault of its own.", exc_info=error)
    return PlainTextResponse("The review has a fault: see its terminal.\n", 500)
