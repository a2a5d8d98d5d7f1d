"""A grid of topic, kind of task and difficulty, and which of its cells the pool lacks most."""

from typing import NamedTuple

from schemas.records import TaskType


class Cell(NamedTuple):
    """One combination that a prompt may ask for."""

    topic: str
    """Id of the topic, the same in both languages."""
    task_type: TaskType
    difficulty: str
