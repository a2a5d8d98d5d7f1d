"""Which kinds of task go with which topics, and how hard a task may be.

Eleven kinds fit any topic, because any topic has texts to sort, shorten, rework or write. Three do
not: arithmetic needs quantities, code needs data or a procedure, and questions of language need
words as the matter itself. A topic names those of the three that fit it, and all other
combinations are left out. That makes about 2,500 cells a language.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.generation.coverage import DIFFICULTIES, Cell, Difficulty
from schemas.records import Language, TaskType

_FIT_ALL: tuple[TaskType, ...] = (
    "classification",
    "extraction",
    "rewriting",
    "summarization",
    "translation",
    "question-answering",
    "reasoning",
    "creative-writing",
    "practical-writing",
    "brainstorming",
    "explanation",
)
_FIT_SOME: dict[str, TaskType] = {"n": "arithmetic", "c": "code", "w": "language"}


class Topic(NamedTuple):
    """What a task may be about."""

    fits: str
    """Kinds that fit beyond those that fit all: n arithmetic, c code, w language."""
    name: str
    matters: str
    """A few things that belong to it, in the words of a prompt, with commas between them."""


_DIFFICULTY_WORDS: dict[Language, dict[Difficulty, str]] = {
    "en": {
        "easy": "easy, one step in everyday words",
        "medium": "medium, two or three steps or one condition to keep",
        "hard": "hard, several conditions at once that make an expert think",
    },
    "ko": {
        "easy": "쉬움 (일상적인 말로 한 단계면 풀림)",
        "medium": "보통 (두세 단계를 거치거나 조건 하나를 지켜야 함)",
        "hard": "어려움 (여러 조건을 한꺼번에 지켜야 해서 잘 아는 사람도 곰곰이 생각해야 함)",
    },
}


def make_cells(topics: Mapping[str, Topic]) -> list[Cell]:
    """List every combination that makes sense."""
    return [
        Cell(topic_id, task_type, difficulty)
        for topic_id, topic in topics.items()
        for task_type in _list_fitting(topic)
        for difficulty in DIFFICULTIES
    ]


def _list_fitting(topic: Topic) -> list[TaskType]:
    kinds: list[TaskType] = [*_FIT_ALL]
    kinds.extend(_FIT_SOME[letter] for letter in topic.fits)
    return kinds


def describe_difficulty(difficulty: Difficulty, language: Language) -> str:
    """Say in the words of a prompt how hard the task is to be."""
    return _DIFFICULTY_WORDS[language][difficulty]
