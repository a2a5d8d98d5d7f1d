"""Ask a person before money is spent and before a champion is replaced.

Deployed, the run is suspended and shows a form; on a terminal a line is asked. Who trusts the
figures lets the policy answer instead.
"""

from typing import NamedTuple, Protocol

from pydantic import Field

from schemas.errors import UserError
from schemas.frozen import Frozen


class NotApprovedError(UserError):
    """A person said no, or nobody could be asked."""


class ApprovalPolicy(Frozen):
    """When a person is asked, and for how long."""

    auto_approve: bool = True
    """Go on without asking. Off: a person is asked before a run spends more than unapproved_usd,
    and before a champion is replaced."""
    unapproved_usd: float = Field(default=10.0, ge=0)
    """US dollars that a run may be forecast to cost without anybody being asked."""
    wait_hours: float = Field(default=48.0, gt=0, le=24 * 30)
    """Hours that a deployed run waits, suspended, for an answer; then it fails."""


class Question(NamedTuple):
    """What a person is asked to decide, and on what grounds."""

    key: str
    """Lower-case letters, digits and dashes; one for each question of a run, and the same when the
    run asks again after it was suspended."""
    title: str
    """One line that can be answered with yes or no."""
    grounds: str
    """Markdown."""


class Asking(Protocol):
    """Who can put a question to a person."""

    def approve(self, question: Question, wait_hours: float) -> bool:
        """Put the question and return the answer."""
        ...

    def say(self, message: str) -> None:
        """Tell people one line."""
        ...


def approve(engine: Asking, policy: ApprovalPolicy, question: Question) -> bool:
    """Return what the policy or a person answers.

    Raises:
        NotApprovedError: Nobody can be asked.
    """
    if policy.auto_approve:
        engine.say(f"{question.title} Approved by policy (auto_approve).")
        return True
    return engine.approve(question, policy.wait_hours)
