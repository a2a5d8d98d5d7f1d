"""When a failed request ends the run instead of being sent again, and how that is told."""

from collections.abc import Mapping

from pipeline.generation.teacher.answers import Failure, Fault
from pipeline.generation.teacher.waiting import LONGEST_WAIT_S
from schemas.errors import PacaloomError, UserError

_SETTINGS = "OPENAI_BASE_URL, OPENAI_API_KEY"
_GO_ON = "Run the same command again to go on: every answer so far is in the journal."

_REFUSALS = frozenset({Fault.REFUSED, Fault.ABSENT, Fault.PARAMETER, Fault.NO_CREDIT})


class TeacherRefusedError(UserError):
    """The endpoint will not answer: wrong key, unknown model, bad parameter, no credit."""


class TeacherUnreachableError(UserError):
    """Nothing answers at the address."""

    may_pass = True


class RawCompletionsMissingError(UserError):
    """A strategy wants raw text continued and the endpoint only chats."""


class TeacherFailedError(PacaloomError):
    """The endpoint kept failing."""

    may_pass = True


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
    if is_refusal(failure):
        return describe_refusal(failure, where)
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
        return describe_unanswered(failure, where, failures)
    return None


def is_refusal(failure: Failure) -> bool:
    """Tell whether the endpoint will say the same to every prompt."""
    return failure.fault in _REFUSALS


def describe_refusal(failure: Failure, where: str, *, settings: str = _SETTINGS) -> PacaloomError:
    """Say that an endpoint will not answer, and which settings may be wrong."""
    next_step = f"Check {settings} and the model name."
    if failure.fault is Fault.PARAMETER:
        next_step = "Change what it names, or choose another model."
    elif failure.fault is Fault.NO_CREDIT:
        next_step = f"Top up the account. {_GO_ON}"
    return TeacherRefusedError(f"{where} refuses: {failure.words}. {next_step}")


def describe_all_gone(
    words: Mapping[str, str], model: str, *, are_out: bool, was_reached: bool
) -> PacaloomError:
    """Say that none of several endpoints is left.

    Args:
        words: What each said last, by its address.
        model: Name of the teacher.
        are_out: All of them refuse to answer.
        was_reached: One of them has ever answered anything.
    """
    said = "; ".join(f"{url}: {one}" for url, one in words.items())
    where = f"The teacher {model!r} has no endpoint left"
    if are_out:
        return TeacherRefusedError(f"{where}, all refuse ({said}). {_GO_ON}")
    if not was_reached:
        return TeacherUnreachableError(
            f"{where}, none can be reached ({said}). Check PACALOOM_ENDPOINTS and that the "
            "servers are running."
        )
    return TeacherFailedError(f"{where} that answers ({said}). {_GO_ON}")


def describe_unanswered(failure: Failure, where: str, failures: int) -> PacaloomError:
    """Say that one prompt was asked often enough."""
    return TeacherFailedError(
        f"{where} gave no answer in {failures} requests for one prompt; the last said: "
        f"{failure.words}. {_GO_ON}"
    )


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
