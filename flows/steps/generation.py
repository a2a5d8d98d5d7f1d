"""The generation step: seed tasks and a teacher in, every draft and its description out."""

import time
from contextlib import ExitStack
from typing import NamedTuple

from flows.drafts import (
    read_drafts,
    read_drafts_manifest,
    write_drafts,
    write_drafts_manifest,
)
from flows.engine import Engine
from flows.outcomes import GenerateOutcome
from flows.parameters import GenerateParams, part_of
from flows.paths import drafts_path, journal_path
from flows.resources import (
    TeacherChoice,
    choose_teacher,
    find_file,
    hash_files,
    load_document_files,
    load_seeds,
)
from flows.settings import Settings
from flows.steps.teaching import OPENAI_URL, open_teacher
from pipeline.curation.funnel import Admission
from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import Caps
from pipeline.generation.budget.forecast import compare, describe
from pipeline.generation.budget.prices import find_price
from pipeline.generation.config import GenerationConfig, Price
from pipeline.generation.journal.commits import GroupCommits, RunLedger
from pipeline.generation.journal.journal import Journal
from pipeline.generation.rounds import Generation, GenerationResult, Task
from schemas.errors import UserError
from schemas.identity import digest
from schemas.manifest import DraftsManifest, GenerationRun, RoundYield

_STEP_SECONDS = 60.0
"""Rounds are grouped into steps of this length: a Prefect task each, a few hundred a night."""

_BATCH_ROUND = 50_000
"""Conversations of a round that travels as a batch: a batch takes hours whatever it holds."""


class DocumentsMissingError(UserError):
    """A strategy works from documents and there are none."""


class _Plan(NamedTuple):
    """What a run is about, known before anything is opened."""

    task: Task
    teacher: TeacherChoice
    earlier: tuple[GenerationRun, ...]
    """What a run that grows drafts adds to."""

    @property
    def id(self) -> str:
        """Names the run in the journal's ledger: restarts share it, epochs do not."""
        return f"{self.teacher.model}/{self.task.config.random_seed}"


def generate_drafts(params: GenerateParams, settings: Settings, engine: Engine) -> GenerateOutcome:
    """Generate until the quotas are filled, and write every draft with a description beside them.

    Only drafts that pass the per-record stages of ``params.curation`` count for a quota.
    """
    plan = _plan(params, settings)
    price = _find_price(params, plan.teacher, settings)
    path = drafts_path(settings.outputs, params.name)
    admission = Admission(plan.task.seeds, params.curation)
    earlier_count = sum(run.generated for run in plan.earlier)
    if earlier_count:
        for draft in read_drafts(path, earlier_count):
            admission.admit(draft)
    # The embedded engine, when one is started, has to outlive the run that asks it.
    with (
        ExitStack() as engines,
        Journal(journal_path(settings.outputs, params.name)) as journal,
        write_drafts(path, keep_count=earlier_count) as keep,
    ):
        commits = GroupCommits(journal)
        with (
            engine.progress("generate") as progress,
            Generation(
                plan.task,
                journal,
                lambda: open_teacher(plan.teacher, params, journal, settings, engine, engines),
                admission.admit,
                keep,
                budget=_make_budget(params, plan, price, journal, commits),
                price=price,
                commits=commits,
                progress=progress,
            ) as generation,
        ):
            result = _run_in_steps(generation, engine)
    engine.say(f"Generated {result.draft_count} drafts. {result.account}")
    return _describe(params, plan, result, settings)


def _plan(params: GenerateParams, settings: Settings) -> _Plan:
    seeds = load_seeds(params.seeds)
    documents = load_document_files(params.documents)
    if "koalpaca_documents" in params.mix and not documents:
        raise DocumentsMissingError(
            "The strategy koalpaca_documents makes records from documents, and none are given: add "
            "--documents FILE.jsonl of questions with accepted answers (docs/strategies.md)."
        )
    teacher = choose_teacher(params.model, settings)
    earlier = _read_earlier(params, settings)
    config = part_of(params, GenerationConfig)
    if params.transport == "batch" and config.prompts_per_round is None:
        config = config.model_copy(update={"prompts_per_round": _BATCH_ROUND})
    if earlier:
        # Other prompts in each epoch; the first one's are those of a run that never grows.
        seed = int(digest(params.random_seed, len(earlier))[:8], 16)
        config = config.model_copy(update={"random_seed": seed})
    return _Plan(Task(config, teacher.model, seeds, documents), teacher, earlier)


def _read_earlier(params: GenerateParams, settings: Settings) -> tuple[GenerationRun, ...]:
    """Find the runs to add to; a pilot is no run yet, and is gone on with."""
    manifest = read_drafts_manifest(params.name, settings.outputs) if params.grow else None
    runs = manifest.runs if manifest else ()
    return runs[:-1] if runs and runs[-1].stopped_because == "pilot-done" else runs


def _make_budget(
    params: GenerateParams,
    plan: _Plan,
    price: Price | None,
    journal: Journal,
    commits: GroupCommits,
) -> Budget:
    caps = Caps(params.max_requests, params.max_tokens, params.max_usd, params.max_minutes)
    spent = journal.read_spending(plan.id)
    return Budget(caps, price, ledger=RunLedger(commits, plan.id), spent=spent)


def _find_price(params: GenerateParams, teacher: TeacherChoice, settings: Settings) -> Price | None:
    if teacher.embedded is not None and params.price is None:
        return Price(input=0.0, output=0.0) if params.max_usd is not None else None
    return find_price(
        teacher.model,
        own=params.price,
        endpoint=settings.base_url or OPENAI_URL,
        is_batch=params.transport == "batch",
        is_needed=params.max_usd is not None,
    )


def _run_in_steps(generation: Generation, engine: Engine) -> GenerationResult:
    step = 0
    is_foretold = False
    while (result := generation.result).stopped_because == "running":
        if result.forecast is not None and not is_foretold:
            is_foretold = True
            for line in describe(result.forecast):
                engine.say(line)
        step += 1
        engine.run(f"generate, part {step}", lambda: _advance(generation))
    if result.forecast is not None and result.stopped_because != "pilot-done":
        for line in compare(result.forecast, result.totals):
            engine.say(line)
    return result


def _advance(generation: Generation) -> int:
    """Run rounds for about a minute, or until the pilot is done; return the drafts so far."""
    started = time.monotonic()
    was_foretold = generation.result.forecast is not None
    while time.monotonic() - started < _STEP_SECONDS and generation.advance() is not None:
        if not was_foretold and generation.result.forecast is not None:
            break
    return generation.result.draft_count


def _describe(
    params: GenerateParams,
    plan: _Plan,
    result: GenerationResult,
    settings: Settings,
) -> GenerateOutcome:
    run = GenerationRun(
        teacher=plan.teacher.model,
        config=plan.task.config.model_dump(mode="json"),
        admission=params.curation.model_dump(mode="json"),
        seeds=hash_files(params.seeds),
        documents=hash_files(params.documents),
        generated=result.draft_count,
        admitted=result.admitted,
        unanswered=result.unanswered,
        prompt_tokens=result.usage.prompt_tokens,
        completion_tokens=result.usage.completion_tokens,
        rounds=tuple(
            RoundYield(drafts=one.draft_count, admitted=one.admitted_count) for one in result.rounds
        ),
        stopped_because=result.stopped_because,
        forecast=result.forecast.model_dump(mode="json") if result.forecast else None,
    )
    manifest = DraftsManifest(
        name=params.name,
        runs=(*plan.earlier, run),
        seed_paths=tuple(str(find_file(file).resolve()) for file in params.seeds),
        document_paths=tuple(str(find_file(file).resolve()) for file in params.documents),
    )
    write_drafts_manifest(manifest, settings.outputs)
    return GenerateOutcome(
        drafts=drafts_path(settings.outputs, params.name),
        generated=manifest.generated,
        admitted=manifest.admitted,
        teacher=f"{plan.teacher.model} ({plan.teacher.address})",
        teacher_requests=result.teacher_requests,
        stopped_because=result.stopped_because,
    )
