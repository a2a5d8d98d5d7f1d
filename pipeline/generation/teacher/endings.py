"""When a failed request ends the run instead of being sent again, and how that is told."""

from pipeline.generation.teacher.answers import Failure, Fault
from pipeline.generation.teacher.waiting import LONGEST_WAIT_S
from schemas.errors import PacaloomError, UserError

_CHECK_ADDRESS = "Check OPENAI_BASE_URL, OPENAI_API_KEY and the model name."
_GO_ON = "Run the same command again to go on: every answer so far is in the journal."

_NEXT_STEP = {
    Fault.REFUSED: _CHECK_ADDRESS,
    Fault.ABSENT: _CHECK_ADDRESS,
    Fault.PARAMETER: "Change what it names, or choose another model.",
    Fault.NO_CREDIT: f"Top up the account. {_GO_ON}",
}


class TeacherRefusedError(UserError):
    """The endpoint will not answer: wrong key, unknown model, bad parameter, no credit."""


class TeacherUnreachableError(UserError):
    """Nothing answers at the address."""


class RawCompletionsMissingError(UserError):
    """A strategy wants raw text continued and the endpoint only chats."""


class TeacherFailedError(PacaloomError):
    """The endpoint kept failing."""


def find_end(
    failure: Failure, *, where: str, failures: int, max_attempts: int, was_reached: bool
) -> PacaloomError | None:
    """Return what ends the run, or None when the request may be sent again.

    Args:
        failure: What came back; a parameter that can be left out has been left out before.
        where: The teacher and its address, as the subject of a sentence.
        failures: Requests for this prompt that failed.
        max_attempts: Such requests that a prompt may cost.
        was_reached: The endpoint has ever answered anything.
    """
    if failure.fault in _NEXT_STEP:
        return TeacherRefusedError(f"{where} refuses: {failure.words}. {_NEXT_STEP[failure.fault]}")
    if failure.fault is Fault.UNREACHABLE and not was_reached:
        return TeacherUnreachableError(
            f"{where} cannot be reached: {failure.words}. Check OPENAI_BASE_URL and that the "
            "server is running."
        )
    if (failure.retry_after_s or 0.0) > LONGEST_WAIT_S:
        return TeacherFailedError(
            f"{where} wants no request for {failure.retry_after_s:,.0f} seconds: {failure.words}. "
            f"{_GO_ON}"
        )
    if failures >= max_attempts:
        return TeacherFailedError(
            f"{where} gave no answer in {failures} requests for one prompt; the last said: "
            f"{failure.words}. {_GO_ON}"
        )
    return None


def describe_shut(failure: Failure, where: str, seconds: float) -> PacaloomError:
    """Say that every request was refused for so long."""
    return TeacherFailedError(
        f"{where} has answered nothing for {seconds:,.0f} seconds; the last said: {failure.words}. "
        f"{_GO_ON}"
    )


def describe_missing_raw(failure: Failure, *, where: str, strategy: str) -> PacaloomError:
    """Say that a strategy cannot be used with this endpoint."""
    return RawCompletionsMissingError(
        f"The strategy {strategy!r} needs an endpoint that continues raw text (POST /completions). "
        f"{where} has none: {failure.words}. Use one that has, such as vLLM or llama.cpp's server, "
        "or leave the strategy out."
    )
