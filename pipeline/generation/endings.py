"""When a failed request ends the run instead of being sent again, and how that is told."""

from pipeline.generation.answers import Failure, Fault
from schemas.errors import PacaloomError, UserError

_LONGEST_RETRY_AFTER_S = 300.0
"""An endpoint that asks for more is out of quota for the day: waiting in silence helps nobody."""


class TeacherRefusedError(UserError):
    """The endpoint will not answer: wrong key, unknown model, bad parameter."""


class TeacherUnreachableError(UserError):
    """Nothing answers at the address."""


class TeacherFailedError(PacaloomError):
    """The endpoint kept failing."""


def find_end(
    failure: Failure, *, where: str, attempts: int, max_attempts: int, was_reached: bool
) -> PacaloomError | None:
    """Return what ends the run, or None when the request may be sent again.

    Args:
        failure: What came back; a refused schema has been retried without one before.
        where: The teacher and its address, as the subject of a sentence.
        attempts: Requests sent for this prompt.
        max_attempts: Requests that a prompt may cost.
        was_reached: The endpoint has ever answered anything.
    """
    if failure.fault in (Fault.REFUSED, Fault.SCHEMA):
        return TeacherRefusedError(
            f"{where} refuses: {failure.words}. Check OPENAI_BASE_URL, OPENAI_API_KEY and the "
            "model name."
        )
    if failure.fault is Fault.UNREACHABLE and not was_reached:
        return TeacherUnreachableError(
            f"{where} cannot be reached: {failure.words}. Check OPENAI_BASE_URL and that the "
            "server is running."
        )
    if attempts >= max_attempts or (failure.retry_after_s or 0.0) > _LONGEST_RETRY_AFTER_S:
        return TeacherFailedError(
            f"{where} gave no answer in {attempts} requests for one prompt; the last said: "
            f"{failure.words}. Run the same command again to go on: every answer so far is in "
            "the journal."
        )
    return None
