"""What a judge and a student found of a record."""

from typing import NamedTuple


class Grade(NamedTuple):
    """One criterion's score, 1 to 5, and why."""

    score: int
    reason: str
    """One line of machine text; may be empty."""


class Judgement(NamedTuple):
    """What a judge thinks of a record."""

    helpfulness: Grade
    correctness: Grade
    clarity: Grade

    @property
    def score(self) -> float:
        """Mean of the three scores, 1 to 5."""
        return sum(grade.score for grade in self) / len(self)


CRITERIA: tuple[str, ...] = Judgement._fields


class Assessment(NamedTuple):
    """What is known of one record; both parts are None where nobody was asked."""

    judgement: Judgement | None = None
    difficulty: float | None = None
    """Instruction-following difficulty: perplexity of the output given the task, over that of the
    output alone (arXiv:2308.12032, section 2.2)."""
