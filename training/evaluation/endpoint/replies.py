"""Read what endpoints answer: texts, and log-probabilities in the two shapes there are."""

import math
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from schemas.storage import describe_validation_error
from training.evaluation.endpoint.exchange import EndpointError

Model = TypeVar("Model", bound=BaseModel)

_LEAST = -1e30
"""llama.cpp writes the lowest float where a probability is too small for one."""


class Usage(BaseModel):
    """What was counted, in tokens."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class EchoedLogprobs(BaseModel):
    """OpenAI's shape of completions: prompt and completion, token by token."""

    tokens: list[str]
    token_logprobs: list[float | None]
    """The first token has none."""


class EchoedChoice(BaseModel):
    """A prompt that came back."""

    logprobs: EchoedLogprobs


class Echoed(BaseModel):
    """The reply to a prompt that should come back."""

    choices: list[EchoedChoice]
    usage: Usage


class LikelyToken(BaseModel):
    """A token, and how likely it was."""

    id: int
    logprob: float


class WrittenToken(LikelyToken):
    """A token that was chosen, how likely it was before, and which were the likeliest then."""

    top_logprobs: list[LikelyToken] = []


class WrittenLogprobs(BaseModel):
    """llama.cpp's shape of completions."""

    content: list[WrittenToken]


class ForcedChoice(BaseModel):
    """An answer that was forced."""

    logprobs: WrittenLogprobs


class Forced(BaseModel):
    """The reply to a forced answer."""

    choices: list[ForcedChoice]


class TextChoice(BaseModel):
    """An answer."""

    text: str
    finish_reason: str | None = None


class Texts(BaseModel):
    """The reply to a prompt."""

    choices: list[TextChoice]


class Token(BaseModel):
    """A token of the endpoint's."""

    id: int
    piece: str | list[int]
    """Its text; bytes where these alone are none."""


class Tokens(BaseModel):
    """The reply of llama.cpp's ``/tokenize``."""

    tokens: list[Token]


class Properties(BaseModel):
    """The part of llama.cpp's ``/props`` that is used."""

    total_slots: int = 1


def read_reply(body: bytes, model: type[Model], where: str) -> Model:
    """Read a reply.

    Raises:
        EndpointError: It is something else.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise EndpointError(
            f"{where} gives a reply of another form: {describe_validation_error(error)}. Is it the "
            "address of an OpenAI-compatible server?"
        ) from error


def add_up(log_probs: list[float | None], answer: str, where: str) -> float:
    """Sum an answer's log-probabilities.

    Raises:
        EndpointError: One is missing, or no number that a sum could be made with.
    """
    known = [value for value in log_probs if value is not None]
    is_whole = len(known) == len(log_probs) > 0
    if not is_whole or not all(math.isfinite(one) and _LEAST < one <= 1e-3 for one in known):
        raise EndpointError(
            f"{where} gives no log-probability for every token of {answer!r} (found "
            f"{log_probs[:8]}), and one that is guessed is worth nothing. Score the model's folder "
            "in place of the endpoint."
        )
    return math.fsum(known)
