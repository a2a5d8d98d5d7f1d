"""What a generation run tells its caller: after each round, and in all."""

from typing import Literal, NamedTuple

from schemas.records import Draft, InstructionRecord, Language, Reason

StopReason = Literal["quotas-filled", "low-yield", "max-requests", "running"]


class RoundReport(NamedTuple):
    """What one round brought."""

    number: int
    prompt_count: int
    from_journal_count: int
    """Prompts whose answers were in the journal already."""
    draft_count: int
    admitted_count: int
    rejected: dict[Reason, int]
    kept: dict[Language, int]
    """Records admitted since the run began, by language."""


class GenerationResult(NamedTuple):
    """What a run has made so far; complete when ``stopped_because`` is not ``running``."""

    drafts: list[Draft]
    """Every draft of every folded round, in order, unparseable answers among them."""
    admitted: list[InstructionRecord]
    rounds: list[RoundReport]
    teacher_requests: int
    """HTTP requests really sent, retries included."""
    stopped_because: StopReason
    account: str
    """One line for people: how far each language came, and why the run ended."""
