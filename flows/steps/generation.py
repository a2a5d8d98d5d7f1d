"""The generation step: seed tasks and a teacher in, every draft and its description out."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from embedded.engine import EngineOptions, start_engine
from embedded.fetch import fetch_model
from flows.engine import Engine
from flows.outcomes import GenerateOutcome
from flows.parameters import GenerateParams, part_of
from flows.paths import drafts_manifest_path, drafts_path, journal_path
from flows.resources import TeacherChoice, choose_teacher, find_seed_file, hash_seeds, load_seeds
from flows.settings import Settings
from pipeline.curation.funnel import Admission, CurationConfig
from pipeline.generation.config import GenerationConfig
from pipeline.generation.dispatch import Endpoint
from pipeline.generation.journal import Journal
from pipeline.generation.rounds import Generation, GenerationResult
from schemas.errors import UserError
from schemas.exchange import Usage
from schemas.identity import digest
from schemas.manifest import DraftsManifest
from schemas.records import Draft, Language
from schemas.storage import describe_validation_error, read_jsonl, write_jsonl, write_text

_OPENAI_URL = "https://api.openai.com/v1"

_STEP_SECONDS = 60.0
"""Rounds are grouped into steps of this length: a Prefect task each, a few hundred a night."""


_MOST_SLOTS = 8
"""Requests that the embedded engine answers at once; the others queue. More slots bring no more
tokens a second on a CPU, and each takes memory for its context."""

_PROMPT_TOKENS = 512
_EXAMPLE_TOKENS = 720
"""Room in the embedded engine's context for a prompt and each of its examples: three long Korean
ones take 2,000 tokens."""


class DraftsManifestError(UserError):
    """The description of drafts is damaged."""


def generate_drafts(
    params: GenerateParams, curation: CurationConfig, settings: Settings, engine: Engine
) -> GenerateOutcome:
    """Generate until the quotas are filled, and write every draft with a description beside them.

    Only drafts that pass the per-record stages of ``curation`` count for a quota.
    """
    seeds = load_seeds(params.seeds)
    teacher = choose_teacher(params.model, settings)
    earlier = _read_earlier(params, settings.outputs)
    admission = Admission(seeds, curation)
    for draft in earlier.drafts:
        admission.admit(draft)
    config = part_of(params, GenerationConfig).model_copy(
        update={"random_seed": _seed_of(params, earlier.epoch)}
    )
    # The embedded engine, when one is started, has to outlive the run that asks it.
    with ExitStack() as engines, Journal(journal_path(settings.outputs, params.name)) as journal:
        with (
            engine.progress("generate") as progress,
            Generation(
                seeds,
                config,
                teacher.model,
                lambda: _connect(teacher, params, settings, engine, engines),
                journal,
                admission.admit,
                progress,
            ) as generation,
        ):
            result = _run_in_steps(generation, engine)
        usage = _sum_usage(journal, [*earlier.drafts, *result.drafts])
    engine.say(f"Generated {len(result.drafts)} drafts. {result.account}")
    return _write_drafts(params, teacher, earlier, result, usage, settings.outputs)


def read_drafts_manifest(name: str, outputs: Path) -> DraftsManifest | None:
    """Read what the latest generation run of a name said; None when there was none.

    Raises:
        DraftsManifestError: The file is damaged.
    """
    path = drafts_manifest_path(outputs, name)
    if not path.is_file():
        return None
    try:
        return DraftsManifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DraftsManifestError(
            f"{path} does not describe drafts: {describe_validation_error(error)}. Remove it and "
            f"run `./pacaloom generate --name {name}` again with its flags: the journal answers."
        ) from error


class _Earlier(NamedTuple):
    """What a run that grows a name's drafts starts from."""

    drafts: list[Draft]
    admitted: dict[Language, int]
    epoch: int
    """Runs that grew the drafts before."""


def _read_earlier(params: GenerateParams, outputs: Path) -> _Earlier:
    """Read the drafts to grow; none without ``--grow``, and none before the first run."""
    manifest = read_drafts_manifest(params.name, outputs) if params.grow else None
    if manifest is None:
        return _Earlier([], {}, 0)
    drafts = list(read_jsonl(drafts_path(outputs, params.name), Draft))
    return _Earlier(drafts, manifest.admitted, manifest.epoch + 1)


def _seed_of(params: GenerateParams, epoch: int) -> int:
    """Draw other prompts in each epoch; the first one's are those of a run that never grows."""
    return int(digest(params.random_seed, epoch)[:8], 16) if epoch else params.random_seed


def _run_in_steps(generation: Generation, engine: Engine) -> GenerationResult:
    step = 0
    while generation.result.stopped_because == "running":
        step += 1
        engine.run(f"generate, part {step}", lambda: _advance(generation))
    return generation.result


def _advance(generation: Generation) -> int:
    """Run rounds for about a minute; return the records admitted so far."""
    started = time.monotonic()
    while time.monotonic() - started < _STEP_SECONDS and generation.advance() is not None:
        pass
    return len(generation.result.admitted)


def _connect(
    teacher: TeacherChoice,
    params: GenerateParams,
    settings: Settings,
    engine: Engine,
    engines: ExitStack,
) -> Endpoint:
    """Open the teacher at the first prompt that the journal cannot answer."""
    # openai takes a second to import; a run answered by its journal need not pay it.
    from pipeline.generation.client import Teacher

    engine.say(f"Teacher: {teacher.model} ({teacher.address})")
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    if teacher.embedded is None:
        return Teacher(
            settings.base_url or _OPENAI_URL, teacher.model, key, concurrency=params.concurrency
        )
    with engine.progress(f"fetch {teacher.model}") as progress:
        gguf = fetch_model(
            teacher.embedded, settings.cache, accepted_terms=settings.terms, progress=progress
        )
    options = EngineOptions(
        parallel=min(params.concurrency, _MOST_SLOTS),
        context_tokens=_PROMPT_TOKENS
        + _EXAMPLE_TOKENS * params.examples_per_prompt
        + params.effective_decoding.max_tokens,
    )
    log = settings.outputs / "logs" / "teacher.log"
    address = engines.enter_context(start_engine(gguf, teacher.model, options, log))
    return Teacher(address, teacher.model, concurrency=params.concurrency)


def _sum_usage(journal: Journal, drafts: Sequence[Draft]) -> Usage:
    ids = list(dict.fromkeys(draft.provenance.completion_id for draft in drafts))
    usages = [completion.usage for completion in journal.get_all(ids) if completion is not None]
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
    )


def _write_drafts(
    params: GenerateParams,
    teacher: TeacherChoice,
    earlier: _Earlier,
    result: GenerationResult,
    usage: Usage,
    outputs: Path,
) -> GenerateOutcome:
    admitted = dict(earlier.admitted)
    for record in result.admitted:
        admitted[record.language] = admitted.get(record.language, 0) + 1
    path = drafts_path(outputs, params.name)
    drafts = [*earlier.drafts, *result.drafts]
    write_jsonl(path, drafts)
    manifest = DraftsManifest(
        name=params.name,
        teacher=teacher.model,
        generated=len(drafts),
        epoch=earlier.epoch,
        admitted=admitted,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        seeds=hash_seeds(params.seeds),
        seed_paths=tuple(str(find_seed_file(file).resolve()) for file in params.seeds),
        stopped_because=result.stopped_because,
    )
    write_text(drafts_manifest_path(outputs, params.name), manifest.model_dump_json(indent=2))
    return GenerateOutcome(
        drafts=path,
        generated=len(drafts),
        admitted=admitted,
        teacher=f"{teacher.model} ({teacher.address})",
        teacher_requests=result.teacher_requests,
        stopped_because=result.stopped_because,
    )
