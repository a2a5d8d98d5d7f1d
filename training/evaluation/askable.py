"""What a model has to be like to be asked, and one line for each way in which it is not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from schemas.errors import PacaloomError, UserError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class PromptTooLongError(UserError):
    """A prompt that the model's positions cannot hold."""


class UnsupportedModelError(UserError):
    """A model of a kind that cannot be asked here."""


class BrokenModelError(PacaloomError):
    """A model whose outputs are not numbers."""


def check_lengths(model: "PreTrainedModel", lengths: Sequence[int]) -> None:
    """Refuse prompts that, with their answers, have more tokens than the model has positions.

    Raises:
        PromptTooLongError: Names the longest.
    """
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    longest = max(lengths, default=0)
    if limit is not None and longest > limit:
        raise PromptTooLongError(
            f"The longest prompt with its answer has {longest} tokens, the model holds {limit}: "
            "use fewer worked examples (--shots) or shorter texts."
        )


def broken_model() -> BrokenModelError:
    """Say that a model gives no numbers."""
    return BrokenModelError(
        "The model gives a log-probability that is not finite; its weights are damaged or overflow "
        "in this dtype. Score in float32 or train again."
    )
