"""The generation step: seed tasks and a teacher in, every draft and its description out."""

from contextlib import suppress

from flows.cost_artifact import show_cost, sum_up
from flows.drafts import write_drafts, write_drafts_manifest
from flows.engine import Engine
from flows.outcomes import GenerateOutcome
from flows.parameters import GenerateParams
from flows.paths import drafts_path, journal_path
from flows.resources import find_file, find_teacher_price, hash_files
from flows.settings import Settings
from flows.steps.generation_run import Plan, make_plan, open_admission, open_run, run_in_steps
from flows.steps.spending import (
    ask_to_spend,
    exceeds_limit,
    make_pilot,
    may_need_approval,
    tell_unknown_price,
)
from pipeline.generation.budget.caps import CapTooSmallError
from pipeline.generation.config import Price
from pipeline.generation.dispatch import Endpoint
from pipeline.generation.journal.journal import Journal
from pipeline.generation.rounds import Generation, GenerationResult
from schemas.manifest import DraftsManifest, GenerationRun, RoundYield
from schemas.records import Draft


class _TeacherNeededError(Exception):
    """The journal has no answer to a prompt."""


def generate_drafts(params: GenerateParams, settings: Settings, engine: Engine) -> GenerateOutcome:
    """Generate until the quotas are filled, and write every draft with a description beside them.

    Only drafts that pass the per-record stages of ``params.curation`` count for a quota.

    Raises:
        NotApprovedError: The run may cost more than the policy allows, and nobody said yes.
    """
    plan = make_plan(params, settings, engine.run_id)
    price = find_teacher_price(
        plan.teacher,
        own=params.price,
        is_batch=params.transport == "batch",
        is_needed=params.max_usd is not None,
    )
    tell_unknown_price(params, plan.teacher, price, engine)
    path = drafts_path(settings.outputs, params.name)
    asked = 0
    if price is not None and may_need_approval(params, price):
        asked = _ask_before_spending(plan, params, price, settings, engine)
    kept_count = sum(run.generated for run in plan.earlier)
    with (
        write_drafts(path, keep_count=kept_count) as keep,
        open_run(plan, params, price, settings, engine, keep) as (generation, budget),
    ):
        result = run_in_steps(generation, engine, "generate")
    engine.say(f"Generated {result.draft_count} drafts. {result.account}")
    manifest = _describe(params, plan, result, engine.run_id)
    write_drafts_manifest(manifest, settings.outputs)
    show_cost(engine, params.name, sum_up(params, plan.teacher.model, result, budget.spent))
    return GenerateOutcome(
        drafts=path,
        generated=manifest.generated,
        admitted=manifest.admitted,
        teacher=f"{plan.teacher.model} ({plan.teacher.address})",
        teacher_requests=asked + result.teacher_requests,
        usd=budget.spent.usd if price else None,
        stopped_because=result.stopped_because,
    )


def _ask_before_spending(
    plan: Plan, params: GenerateParams, price: Price, settings: Settings, engine: Engine
) -> int:
    """Run the pilot, and ask where the rest may cost too much; return the requests it sent.

    The pilot leaves nothing but answers in the journal: a run that is suspended here begins anew
    and finds them there, and one that was paid for in full asks nobody.
    """
    pilot = None
    if (pilot_params := make_pilot(params)) is not None:
        with suppress(CapTooSmallError):
            pilot = _run_pilot(plan, pilot_params, price, settings, engine)
    sent = pilot.teacher_requests if pilot else 0
    if pilot is not None and not exceeds_limit(params, price, pilot):
        return sent
    if not _is_in_journal(plan, params, settings):
        ask_to_spend(params, plan.teacher, price, pilot, engine)
    return sent


def _run_pilot(
    plan: Plan, params: GenerateParams, price: Price, settings: Settings, engine: Engine
) -> GenerationResult:
    config = plan.task.config.model_copy(update={"pilot_only": True})
    plan = plan._replace(task=plan.task._replace(config=config))
    with open_run(plan, params, price, settings, engine, _drop) as (generation, _):
        return run_in_steps(generation, engine, "pilot")


def _is_in_journal(plan: Plan, params: GenerateParams, settings: Settings) -> bool:
    """Whether the whole run can do without its teacher."""

    def refuse() -> Endpoint:
        raise _TeacherNeededError

    with Journal(journal_path(settings.outputs, params.name)) as journal:
        admission = open_admission(plan, params, settings)
        with Generation(plan.task, journal, refuse, admission.admit, _drop) as generation:
            try:
                while generation.advance() is not None:
                    pass
            except _TeacherNeededError:
                return False
    return True


def _drop(draft: Draft) -> None:
    """Write nothing: it is drafted anew from the journal."""


def _describe(
    params: GenerateParams,
    plan: Plan,
    result: GenerationResult,
    run_id: str,
) -> DraftsManifest:
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
    return DraftsManifest(
        name=params.name,
        runs=(*plan.earlier, run),
        seed_paths=tuple(str(find_file(file).resolve()) for file in params.seeds),
        document_paths=tuple(str(find_file(file).resolve()) for file in params.documents),
        latest_run_id=run_id,
    )
