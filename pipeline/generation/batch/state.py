"""Read what the endpoint says of batches and files; nonsense is a failure that may pass."""

import json
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from pipeline.generation.strategies.reading.drafting import clean
from pipeline.generation.teacher.answers import Failure, Fault
from pipeline.generation.teacher.error_bodies import one_line

_QUOTED = 3
"""Reasons of a refused batch that a message names."""
_CROWDED_OUT = "token_limit_exceeded"

# OpenAI's words, and those that other endpoints use in their place.
_NEVER_RAN = ("expired", "cancelled", "canceled")
_ENDED = ("completed", "succeeded", "failed", *_NEVER_RAN)

_UNSEEN = ("validating", "pending", "queued")

_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_./:-]*[A-Za-z0-9_-][A-Za-z0-9_./:-]*$")]
"""Part of a path, so no "..": no request can be made with it."""


class _BatchError(BaseModel):
    code: str | None = None
    message: str | None = None
    line: int | None = None

    def describe(self) -> str:
        words = self.message or self.code or "no reason given"
        return words if self.line is None else f"line {self.line}: {words}"


class _BatchErrors(BaseModel):
    data: list[_BatchError] | None = None


class _Counts(BaseModel):
    total: int = 0
    completed: int = 0
    failed: int = 0


class Upload(BaseModel):
    """An input file at the endpoint."""

    id: _Id
    created_at: float = 0.0
    """Seconds since 1970 by the endpoint's clock; 0 when it did not say."""


class BatchState(BaseModel):
    """A batch as the endpoint describes it; only what is used here."""

    id: _Id
    status: str
    input_file_id: str = ""
    created_at: float = 0.0
    output_file_id: _Id | Literal[""] | None = None
    error_file_id: _Id | Literal[""] | None = None
    errors: _BatchErrors | None = None
    request_counts: _Counts | None = None

    @property
    def has_ended(self) -> bool:
        """Nothing will be added to its files any more; an unknown status is still under way."""
        return self.status.casefold() in _ENDED

    @property
    def is_judged(self) -> bool:
        """The endpoint has taken the batch or refused it."""
        return self.status.casefold() not in _UNSEEN

    @property
    def is_refused(self) -> bool:
        """The endpoint refused the batch as a whole and ran none of it."""
        has_run = self.output_file_id or self.error_file_id
        return self.status.casefold() == "failed" and not has_run

    @property
    def is_cut_short(self) -> bool:
        """Prompts of which its files say nothing were never run."""
        return self.status.casefold() in _NEVER_RAN

    @property
    def is_crowded_out(self) -> bool:
        """It was refused only because too many tokens wait in the endpoint's queue."""
        return self.is_refused and any(error.code == _CROWDED_OUT for error in self._errors)

    def describe_errors(self, mask: Callable[[bytes], bytes]) -> str:
        """Quote why it was refused, with the lines of the input file.

        Args:
            mask: Takes the API key out of the words.
        """
        reasons = "; ".join(error.describe() for error in self._errors[:_QUOTED])
        left = len(self._errors) - _QUOTED
        words = mask(clean(reasons or "no reason given").encode()).decode()
        return one_line(words) + (f" (and {left} more)" if left > 0 else "")

    def describe_progress(self) -> str:
        """Say in a few words how far it is."""
        counts = self.request_counts or _Counts()
        return (
            f"{self.status}, {counts.completed} of {counts.total} prompts answered, "
            f"{counts.failed} failed"
        )

    @property
    def _errors(self) -> list[_BatchError]:
        return (self.errors.data if self.errors else None) or []


class BatchPage(BaseModel):
    """One page of the list of batches, newest first."""

    data: list[BatchState]
    has_more: bool = False


def read_batch(body: bytes) -> BatchState | Failure:
    """Read the endpoint's description of one batch."""
    try:
        return BatchState.model_validate(json.loads(body))
    except (ValueError, RecursionError):
        return _describe_nonsense("batch", body)


def read_page(body: bytes) -> BatchPage | Failure:
    """Read one page of the list of batches."""
    try:
        return BatchPage.model_validate(json.loads(body))
    except (ValueError, RecursionError):
        return _describe_nonsense("list of batches", body)


def read_upload(body: bytes) -> Upload | Failure:
    """Read the endpoint's description of an uploaded file."""
    try:
        return Upload.model_validate(json.loads(body))
    except (ValueError, RecursionError):
        return _describe_nonsense("file", body)


def _describe_nonsense(wanted: str, body: bytes) -> Failure:
    start = one_line(body[:400].decode("utf-8", "replace"), 80)
    return Failure(Fault.RETRY, f"no {wanted} but {len(body)} bytes: {start!r}")
