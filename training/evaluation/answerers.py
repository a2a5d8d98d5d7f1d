"""A model of any kind as something that can be asked: to score given answers, or to write one.

A checkpoint or tuned student on this machine is a :class:`LocalModel`. It is loaded when it is
first asked, so an evaluation whose cells are all kept loads none.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from schemas.progress import Progress, no_progress
from schemas.records import InstructionRecord
from schemas.templates import Template
from training.base_model import Precision
from training.evaluation.fingerprint import fingerprint
from training.evaluation.held_out import RecordLoss, measure_losses
from training.loading import load_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Written(NamedTuple):
    """What a model wrote after a prompt."""

    text: str
    """Without control tokens and the separator that joins it to the prompt."""
    ended: bool
    """By the stop token, in the arrow form by the end of the line; others were cut off."""


class Answerer(Protocol):
    """A model that can be asked."""

    @property
    def fingerprint(self) -> str:
        """What decides its answers, hashed: equal for the same model in the same precision."""
        ...

    def score(
        self,
        prompts: Sequence[str],
        answers: Sequence[Sequence[str]],
        template: Template,
        progress: Progress = no_progress,
    ) -> list[list[float]]:
        """Return the log-probability in nats of each prompt's answers, in their order.

        Args:
            prompts: In any order; the longer their common beginning, the cheaper.
            answers: One sequence a prompt, with the separator that joins them to it.
            template: What rendered both, with the worked examples in it.
            progress: Told how many prompts are done.
        """
        ...

    def write(
        self,
        prompts: Sequence[str],
        limit_tokens: int,
        template: Template,
        progress: Progress = no_progress,
    ) -> list[Written]:
        """Return the likeliest answer to each prompt, token by token, in their order.

        Args:
            prompts: In any order; the longer their common beginning, the cheaper.
            limit_tokens: Most tokens of an answer.
            template: What rendered the prompts, with the worked examples in it.
            progress: Told how many prompts are done.
        """
        ...


class LocalModel:
    """A checkpoint folder or one of our model folders."""

    def __init__(self, path: Path, precision: Precision = "fp32") -> None:
        self.path = path
        self.precision: Precision = precision
        self._loaded: tuple[PreTrainedModel, PreTrainedTokenizerBase] | None = None
        self._fingerprint = ""

    @property
    def fingerprint(self) -> str:
        """Hash of weights, base, config, tokenizer and precision; reads the weights once."""
        if not self._fingerprint:
            self._fingerprint = f"{fingerprint(self.path)}-{self.precision}"
        return self._fingerprint

    def score(
        self,
        prompts: Sequence[str],
        answers: Sequence[Sequence[str]],
        template: Template,
        progress: Progress = no_progress,
    ) -> list[list[float]]:
        """Score answers; see :func:`training.evaluation.scoring.score_answers`."""
        from training.evaluation.scoring import score_answers

        return score_answers(*self.load(), prompts, answers, template=template, progress=progress)

    def write(
        self,
        prompts: Sequence[str],
        limit_tokens: int,
        template: Template,
        progress: Progress = no_progress,
    ) -> list[Written]:
        """Write answers; see :func:`training.evaluation.generating.write_answers`."""
        from training.evaluation.generating import write_answers

        return write_answers(
            *self.load(), prompts, limit_tokens, template=template, progress=progress
        )

    def measure(
        self,
        records: Sequence[InstructionRecord],
        template: Template,
        progress: Progress = no_progress,
    ) -> list[RecordLoss]:
        """Measure the loss on records; see :mod:`training.evaluation.held_out`."""
        return measure_losses(self, records, template, progress)

    def load(self) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
        """Return the model on its device, and its tokenizer."""
        if self._loaded is None:
            import torch

            model, tokenizer = load_model(self.path, self.precision)
            # A torch module moves itself in place; its stub says it returns another type.
            model.to("cuda" if torch.cuda.is_available() else "cpu")  # pyright: ignore[reportArgumentType]
            self._loaded = model, tokenizer
        return self._loaded

    def unload(self) -> None:
        """Let go of the weights; the next question loads them again."""
        self._loaded = None
