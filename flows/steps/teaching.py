"""Open the teacher of a run: the embedded engine, a live endpoint, or its Batch API."""

from contextlib import ExitStack

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

OPENAI_URL = "https://api.openai.com/v1"

_MOST_SLOTS = 8
"""Requests that the embedded engine answers at once; the others queue. More slots bring no more
tokens a second on a CPU, and each takes memory for its context."""

_PROMPT_TOKENS = 512
_EXAMPLE_TOKENS = 720
"""Room in the embedded engine's context for a prompt and each of its examples: three long Korean
ones take 2,000 tokens."""


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
    # openai takes a second to import; a run answered by its journal need not pay it.
    from pipeline.generation.batch.teacher import BatchTeacher
    from pipeline.generation.teacher.client import Teacher

    engine.say(f"Teacher: {teacher.model} ({teacher.address})")
    if teacher.embedded is not None:
        address = _start_embedded(teacher.embedded, params, settings, engine, engines)
        key = ""
    else:
        address = settings.base_url or OPENAI_URL
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        if params.transport == "batch":
            return BatchTeacher(address, teacher.model, key, journal=journal)
        if journal.read_batches():
            engine.say(
                "Batches of an earlier run are still under way, and their prompts would be paid "
                "for twice: with --transport batch their answers are used."
            )
    return Teacher(
        address,
        teacher.model,
        key,
        concurrency=params.concurrency,
        requests_per_minute=params.requests_per_minute,
        tokens_per_minute=params.tokens_per_minute,
    )


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
