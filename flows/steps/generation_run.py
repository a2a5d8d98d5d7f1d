"""A generation run while it is under way: planned, opened, and taken step by step."""

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

from flows.drafts import (
    find_own_run,
    read_drafts,
    read_drafts_manifest,
)
from flows.engine import Engine
from flows.milestones import BudgetMostlyUsed
from flows.parameters import GenerateParams, part_of
from flows.paths import drafts_path, journal_path
from flows.resources import (
    TeacherChoice,
    choose_teacher,
    load_document_files,
    load_seeds,
)
from flows.settings import Settings
from flows.steps.teaching import open_teacher
from pipeline.curation.funnel import Admission
from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import Cap, Caps
from pipeline.generation.budget.forecast import compare, describe
from pipeline.generation.config import GenerationConfig, Price
from pipeline.generation.journal.commits import GroupCommits, RunLedger
from pipeline.generation.journal.journal import Journal
from pipeline.generation.rounds import Generation, GenerationResult, Task
from schemas.errors import UserError
from schemas.identity import digest
from schemas.manifest import GenerationRun
from schemas.records import Draft

_STEP_SECONDS = 60.0
_STEP_SHARE = 0.02
"""Rounds are grouped into steps, a Prefect task each, of a minute or, once the run has taken longer
than 50 of them, a 50th of the run: about 160 in a night and 350 in two weeks."""

_BATCH_ROUND = 50_000
"""Conversations of a round that travels as a batch: a batch takes hours whatever it holds."""


class DocumentsMissingError(UserError):
    """A strategy works from documents and there are none."""


class Plan(NamedTuple):
    """What a run is about, known before anything is opened."""

    task: Task
    teacher: TeacherChoice
    earlier: tuple[GenerationRun, ...]
    """What a run that grows drafts adds to."""

    @property
    def id(self) -> str:
        """Names the run in the journal's ledger: restarts share it, epochs do not."""
        return f"{self.teacher.model}/{self.task.config.random_seed}"


def make_plan(params: GenerateParams, settings: Settings, run_id: str) -> Plan:
    seeds = load_seeds(params.seeds)
    documents = load_document_files(params.documents)
    if "koalpaca_documents" in params.mix and not documents:
        raise DocumentsMissingError(
            "The strategy koalpaca_documents makes records from documents, and none are given: add "
            "--documents FILE.jsonl of questions with accepted answers (docs/strategies.md)."
        )
    teacher = choose_teacher(params.model, settings)
    earlier = _read_earlier(params, settings, run_id)
    config = part_of(params, GenerationConfig)
    if params.transport == "batch" and config.prompts_per_round is None:
        config = config.model_copy(update={"prompts_per_round": _BATCH_ROUND})
    if earlier:
        # Other prompts in each epoch; the first one's are those of a run that never grows.
        seed = int(digest(params.random_seed, len(earlier))[:8], 16)
        config = config.model_copy(update={"random_seed": seed})
    return Plan(Task(config, teacher.model, seeds, documents), teacher, earlier)


def _read_earlier(
    params: GenerateParams, settings: Settings, run_id: str
) -> tuple[GenerationRun, ...]:
    """Find the runs to add to.

    A pilot is no run yet, and is gone on with; so is a run that was restarted.
    """
    manifest = read_drafts_manifest(params.name, settings.outputs) if params.grow else None
    runs = manifest.runs if manifest else ()
    own = find_own_run(params.name, settings.outputs, run_id)
    return runs[:-1] if own or (runs and runs[-1].stopped_because == "pilot-done") else runs


@contextmanager
def open_run(
    plan: Plan,
    params: GenerateParams,
    price: Price | None,
    settings: Settings,
    engine: Engine,
    keep: Callable[[Draft], None],
) -> Generator[tuple[Generation, Budget]]:
    admission = open_admission(plan, params, settings)
    # The embedded engine, when one is started, has to outlive the run that asks it.
    with ExitStack() as engines, Journal(journal_path(settings.outputs, params.name)) as journal:
        commits = GroupCommits(journal)
        budget = _make_budget(params, plan, price, journal, commits, engine)
        with (
            engine.progress("generate") as progress,
            Generation(
                plan.task,
                journal,
                lambda: open_teacher(plan.teacher, params, journal, settings, engine, engines),
                admission.admit,
                keep,
                budget=budget,
                price=price,
                commits=commits,
                progress=progress,
            ) as generation,
        ):
            yield generation, budget


def open_admission(plan: Plan, params: GenerateParams, settings: Settings) -> Admission:
    """Make the judge of drafts, who knows those of earlier runs."""
    admission = Admission(plan.task.seeds, params.curation)
    earlier_count = sum(run.generated for run in plan.earlier)
    if earlier_count:
        for draft in read_drafts(drafts_path(settings.outputs, params.name), earlier_count):
            admission.admit(draft)
    return admission


def _make_budget(
    params: GenerateParams,
    plan: Plan,
    price: Price | None,
    journal: Journal,
    commits: GroupCommits,
    engine: Engine,
) -> Budget:
    def tell(cap: Cap, used: float, limit: float) -> None:
        unit = cap.removeprefix("max-")
        engine.reach(BudgetMostlyUsed(name=params.name, cap=unit, used=used, limit=limit))

    caps = Caps(params.max_requests, params.max_tokens, params.max_usd, params.max_minutes)
    spent = journal.read_spending(plan.id)
    return Budget(caps, price, ledger=RunLedger(commits, plan.id), spent=spent, tell=tell)


def run_in_steps(generation: Generation, engine: Engine, label: str) -> GenerationResult:
    started = time.monotonic()
    step = 0
    is_foretold = False
    while (result := generation.result).stopped_because == "running":
        if result.forecast is not None and not is_foretold:
            is_foretold = True
            for line in describe(result.forecast):
                engine.say(line)
        step += 1
        seconds = find_step_seconds(time.monotonic() - started)
        engine.run(f"{label}, part {step}", partial(_advance, generation, seconds))
    if result.forecast is not None and result.stopped_because != "pilot-done":
        for line in compare(result.forecast, result.totals):
            engine.say(line)
    return result


def find_step_seconds(elapsed_s: float) -> float:
    """Return how long the next step of a run is to take, that has taken so long."""
    return max(_STEP_SECONDS, _STEP_SHARE * elapsed_s)


def _advance(generation: Generation, seconds: float) -> int:
    """Run rounds for about so long, or until the pilot is done; return the drafts so far."""
    started = time.monotonic()
    was_foretold = generation.result.forecast is not None
    while time.monotonic() - started < seconds and generation.advance() is not None:
        if not was_foretold and generation.result.forecast is not None:
            break
    return generation.result.draft_count
