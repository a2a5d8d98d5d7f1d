"""What is asked in an evaluation and how it is judged: the knobs of every verb that evaluates.

Imports nothing heavy, so that a command line shows them fast.
"""

from typing import Literal

from pydantic import Field

from schemas.evaluation import ScoreRule
from schemas.frozen import Frozen
from training.evaluation.gate.policy import GatePolicy
from training.evaluation.tasks.items import ShotCount

DEFAULT_TASKS = (
    "movie-sentiment-en",
    "movie-sentiment-ko",
    "topic-en",
    "topic-ko",
    "entailment-en",
    "entailment-ko",
)


class EvaluationConfig(Frozen):
    """Tasks, prompts, scoring and gate."""

    task: tuple[str, ...] = Field(default=DEFAULT_TASKS, min_length=1)
    """What is asked: tasks of ours by name, by family (`topic`, `arithmetic`, …) or `all`; JSONL
    files of {"id", "split", "text", "label"}; files in the form of NSMC or KoBEST; task files of
    lm-evaluation-harness (.yaml). `pacaloom prompts tasks` lists ours."""
    shots: tuple[ShotCount, ...] = Field(default=(0, 1, 4), min_length=1)
    """Worked examples in the prompt; each count is a column of the matrix."""
    wordings: int = Field(default=2, ge=1, le=16)
    """Most ways in which the question of a task is put. One says nothing about another: results
    of the same model differ by ten points and more between wordings."""
    draws: int = Field(default=2, ge=1, le=16)
    """Draws of the worked examples, each scored on all items. Zero-shot needs none."""
    limit: int | None = Field(default=None, ge=2)
    """Items a task, balanced over labels; None takes all. The fewer, the wider the intervals."""
    rule: ScoreRule = "raw"
    """What decides between given answers: their log-probability, that per byte, or calibrated by
    what a text without content gets. All three are reported, this one is judged by."""
    overlap: Literal["named", "excluded", "refused"] = "named"
    """What becomes of items that stand in the challenger's training data: named (the gate then
    holds), excluded for all models, or refused altogether."""
    held_out: int = Field(default=100, ge=0, le=10_000)
    """Records a language of the dataset's validation split on which the loss of each model is
    measured, in bits per byte; 0 leaves it out."""
    judge_model: str | None = None
    """Teacher that compares written answers of challenger and baseline, each pair in both orders;
    needs a task with written answers. None asks nobody."""
    gate: GatePolicy = GatePolicy()
    """When the challenger may take the place of the baseline."""
