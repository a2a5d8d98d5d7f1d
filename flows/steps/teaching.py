"""Open the teacher of a run: the embedded engine, a live endpoint, or its Batch API."""

from contextlib import ExitStack
from contextvars import copy_context
from typing import NamedTuple

from pydantic import SecretStr

from embedded.engine import EngineOptions, start_engine
from embedded.fetch import fetch_model
from embedded.models import EmbeddedModel
from flows.engine import Engine
from flows.parameters import GenerateParams
from flows.resources import TeacherChoice
from flows.settings import Settings
from pipeline.generation.config import StrategyName
from pipeline.generation.dispatch import Endpoint
from pipeline.generation.journal.journal import Journal
from pipeline.generation.strategies.registry import STRATEGIES
from pipeline.generation.teacher.endpoint_list import LIST_NAME, ListedEndpoint
from schemas.errors import UserError

_MOST_SLOTS = 8
"""Requests that the embedded engine answers at once; the others queue. More slots bring no more
tokens a second on a CPU, and each takes memory for its context."""

_PROMPT_TOKENS = 512
_EXAMPLE_TOKENS = 720
"""Room in the embedded engine's context for a prompt and each of its examples: three long Korean
ones take 2,000 tokens."""


class BatchEndpointsError(UserError):
    """The Batch API of several endpoints was asked for."""


def open_teacher(
    teacher: TeacherChoice,
    params: GenerateParams,
    journal: Journal,
    settings: Settings,
    engine: Engine,
    engines: ExitStack,
) -> Endpoint:
    """Open the teacher, at the first prompt that the journal cannot answer.

    An embedded engine that is started here is left to ``engines``: it has to outlive the run.
    """
    engine.say(f"Teacher: {teacher.model} ({teacher.address})")
    if teacher.embedded is not None:
        address = _start_embedded(teacher.embedded, params, settings, engine, engines)
        teacher = teacher._replace(endpoints=(ListedEndpoint(address, SecretStr("")),))
    elif params.transport == "batch":
        return _open_batches(teacher, journal)
    elif journal.read_batches():
        engine.say(
            "Batches of an earlier run are still under way, and their prompts would be paid "
            "for twice: with --transport batch their answers are used."
        )
    pace = Pace(params.concurrency, params.requests_per_minute, params.tokens_per_minute)
    return connect(teacher, pace, engine)


class Pace(NamedTuple):
    """How fast a teacher is asked, at all its endpoints together."""

    concurrency: int
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


def connect(teacher: TeacherChoice, pace: Pace, engine: Engine) -> Endpoint:
    """Connect to a teacher's endpoints; the engine tells of those that fail or come back."""
    # The HTTP client takes a second to import; a run answered by its journal need not pay it.
    from pipeline.generation.teacher.client import Teacher
    from pipeline.generation.teacher.pool import TeacherPool

    if len(teacher.endpoints) == 1:
        only = teacher.endpoints[0]
        key = only.api_key.get_secret_value()
        may_come_back = teacher.embedded is None
        return Teacher(
            only.base_url, teacher.model, key, **pace._asdict(), may_come_back=may_come_back
        )
    # The pool tells from its own thread, where Prefect would not know whose line it is.
    context = copy_context()
    return TeacherPool(
        teacher.endpoints,
        teacher.model,
        tell=lambda line: context.copy().run(engine.say, line),
        **pace._asdict(),
    )


def _open_batches(teacher: TeacherChoice, journal: Journal) -> Endpoint:
    from pipeline.generation.batch.teacher import BatchTeacher

    only, *others = teacher.endpoints
    if others:
        raise BatchEndpointsError(
            f"Batches go through one endpoint, and {LIST_NAME} names {len(teacher.endpoints)}: "
            "name one in OPENAI_BASE_URL, or use transport live."
        )
    key = only.api_key.get_secret_value()
    return BatchTeacher(only.base_url, teacher.model, key, journal=journal)


def _start_embedded(
    model: EmbeddedModel,
    params: GenerateParams,
    settings: Settings,
    engine: Engine,
    engines: ExitStack,
) -> str:
    with engine.progress(f"fetch {model.name}") as progress:
        gguf = fetch_model(model, settings.cache, accepted_terms=settings.terms, progress=progress)
    options = EngineOptions(
        parallel=min(params.concurrency, _MOST_SLOTS),
        context_tokens=max(_context_tokens(params, name) for name in params.mix),
    )
    log = settings.outputs / "logs" / "teacher.log"
    return engines.enter_context(start_engine(gguf, model.name, options, log))


def _context_tokens(params: GenerateParams, name: StrategyName) -> int:
    """Bound the tokens of a prompt and its answer."""
    strategy = STRATEGIES[name]
    examples = strategy.most_examples or params.examples_per_prompt
    answer = (params.decoding or strategy.decoding).max_tokens
    return _PROMPT_TOKENS + _EXAMPLE_TOKENS * examples + answer
