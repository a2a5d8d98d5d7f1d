"""What a generation run tells its caller: after each round, and in all."""

from typing import Literal, NamedTuple

from pipeline.generation.budget.caps import Cap
from pipeline.generation.budget.forecast import Forecast, Totals
from schemas.exchange import Usage
from schemas.records import Language, Reason

StopReason = Literal["running", "quotas-filled", "low-yield", "pilot-done"] | Cap


class RoundReport(NamedTuple):
    """What one round brought."""

    number: int
    conversation_count: int
    """Folded; fewer than were drawn only in the last round of a run that its budget ended."""
    draft_count: int
    admitted_count: int
    rejected: dict[Reason, int]
    kept: dict[Language, int]
    """Records admitted since the run began, by language."""


class GenerationResult(NamedTuple):
    """What a run has made so far; complete when ``stopped_because`` is not ``running``."""

    draft_count: int
    """Every draft of every folded conversation, unparseable answers among them."""
    admitted: dict[Language, int]
    rounds: list[RoundReport]
    usage: Usage
    """Tokens of all answers behind the drafts, those of the journal included."""
    teacher_requests: int
    """HTTP requests really sent by this process, retries included."""
    stopped_because: StopReason
    account: str
    """One line for people: how far each language came, and why the run ended."""
    forecast: Forecast | None
    """What the pilot foretold, once there was one."""
    totals: Totals
    """What the run took so far, answers of the journal included."""
    unanswered: tuple[str, ...]
    """Keys of prompts that a spent budget left without an answer in folded rounds."""
