"""What a teacher is asked and what it answers."""

from typing import Any, Literal, NamedTuple

from pydantic import Field

from schemas.frozen import Frozen
from schemas.identity import short_id
from schemas.records import Language, TaskType


class Message(Frozen):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class Decoding(Frozen):
    """How the teacher draws its answer; part of the completion's key."""

    temperature: float = Field(default=0.9, ge=0, le=2)
    """0 is greedy. Higher gives more varied and more broken records."""
    top_p: float = Field(default=0.95, gt=0, le=1)
    """Nucleus: share of probability mass that is drawn from."""
    max_tokens: int = Field(default=700, ge=16, le=32768)
    """Tokens after which an answer is cut; a cut answer keeps its complete records."""
    stop: tuple[str, ...] = ()
    """Strings that end the answer."""


class Prompt(Frozen):
    """One question to a teacher, with all that its answer depends on."""

    messages: tuple[Message, ...] = ()
    raw: str = ""
    """Text to be continued as it stands, through ``/completions``; then ``messages`` is empty."""
    decoding: Decoding
    strategy: str
    language: Language
    task_type: TaskType = "unspecified"
    seed_ids: tuple[str, ...] = ()
    """Seed tasks in the lineage of its examples, sorted."""
    response_schema: dict[str, Any] | None = None
    """JSON Schema that the answer must follow; None asks for free text."""
    sample_index: int = 0
    """Tells apart deliberate repetitions of the same question; also the request's ``seed``."""

    def key(self, model: str) -> str:
        """Name of the answer in the journal: hash of model and everything that decides it."""
        return short_id(
            model,
            [message.model_dump() for message in self.messages],
            self.raw,
            self.decoding.model_dump(),
            self.response_schema,
            self.sample_index,
        )


class Usage(Frozen):
    """Tokens of one request as the endpoint counted them."""

    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )


class Completion(Frozen):
    """What the teacher answered; the only thing in the pipeline that cannot be computed again."""

    id: str
    """``Prompt.key`` of the question."""
    model: str
    text: str
    finish_reason: str
    """``stop``, ``length`` (cut at ``max_tokens``), ``content_filter`` …, as the endpoint says."""
    usage: Usage = Usage()
    latency_s: float = Field(default=0.0, ge=0)
    attempts: int = Field(default=1, ge=1)
    """Requests sent until the answer came."""


class Exchange(NamedTuple):
    """One question and its answer."""

    prompt: Prompt
    completion: Completion
