"""Which steps each flow runs, in which order: written once, run by any engine.

Every composition can be killed and run again: generation continues from its journal, a dataset
version is named by its content, finetuning continues from its checkpoints, evaluation from its
scored cells.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from flows.artifacts import show_card, show_funnel, show_training
from flows.drafts import find_own_run
from flows.engine import Engine
from flows.evaluation_artifacts import show_evaluation
from flows.index_page import write_index
from flows.milestones import DatasetPublished, DraftsWritten, StudentJudged, StudentTuned
from flows.outcomes import (
    CurateOutcome,
    EvaluateOutcome,
    FinetuneOutcome,
    GenerateOutcome,
    MaintenanceOutcome,
    RetrainOutcome,
)
from flows.parameters import (
    CurateParams,
    EvaluateParams,
    FinetuneParams,
    GenerateParams,
    MaintenanceParams,
    RetrainParams,
    part_of,
)
from flows.preflight import check_retrain
from flows.retention.artifact import show_maintenance
from flows.retention.maintaining import maintain_outputs
from flows.settings import Settings
from flows.steering import steer
from flows.steps.curation import curate_and_publish
from flows.steps.evaluation import evaluate_and_judge, promote_if_fit
from flows.steps.finetuning import finetune_student
from flows.steps.generation import generate_drafts
from pipeline.curation.config import CurationConfig
from pipeline.generation.config import GenerationConfig
from training.evaluation.config import EvaluationConfig
from training.finetuning.recipe import Recipe


def generate(params: GenerateParams, settings: Settings, engine: Engine) -> GenerateOutcome:
    """Have a teacher write drafts until each quota is filled."""
    outcome = engine.insist("generate", lambda: generate_drafts(params, settings, engine))
    engine.reach(
        DraftsWritten(
            name=params.name,
            teacher=outcome.teacher,
            generated=outcome.generated,
            admitted=sum(outcome.admitted.values()),
            requests=outcome.teacher_requests,
            usd=outcome.usd,
            stopped_because=outcome.stopped_because,
        )
    )
    return outcome


def curate(params: CurateParams, settings: Settings, engine: Engine) -> CurateOutcome:
    """Sort drafts into kept records and rejections, and publish them."""
    outcome = engine.insist(
        "curate",
        lambda: engine.run(
            "curate and publish", lambda: curate_and_publish(params, settings, engine)
        ),
    )
    write_index(settings)
    show_funnel(engine, params.name, outcome)
    show_card(engine, params.name, outcome.dataset)
    engine.reach(
        DatasetPublished(
            name=params.name,
            dataset=f"{params.name}/{outcome.dataset.name}",
            kept=outcome.kept,
            rejected=sum(outcome.rejected.values()),
            is_new=outcome.is_new,
        )
    )
    return outcome


def finetune(params: FinetuneParams, settings: Settings, engine: Engine) -> FinetuneOutcome:
    """Tune a student on a dataset version."""
    outcome = engine.run(
        f"finetune {params.method}", lambda: finetune_student(params, settings, engine)
    )
    write_index(settings)
    show_training(engine, outcome)
    engine.reach(
        StudentTuned(
            name=outcome.model.parent.name,
            model=f"{outcome.model.parent.name}/{outcome.model.name}",
            dataset=outcome.tuned_on,
            loss_before=outcome.loss_before,
            loss_after=outcome.loss_after,
        )
    )
    return outcome


def evaluate(params: EvaluateParams, settings: Settings, engine: Engine) -> EvaluateOutcome:
    """Compare models on identical items and shots, judge the first, and promote it if asked."""
    outcome = engine.insist(
        "evaluate",
        lambda: engine.run("evaluate", lambda: evaluate_and_judge(params, settings, engine)),
    )
    write_index(settings)
    show_evaluation(engine, outcome)
    engine.reach(
        StudentJudged(
            name=outcome.challenger.split("/")[0],
            model=outcome.challenger,
            baseline=outcome.baseline,
            verdict=outcome.verdict,
            reasons=outcome.reasons,
            evaluation=str(outcome.evaluation),
        )
    )
    if not params.promote:
        return outcome
    champion = promote_if_fit(params, outcome, settings, engine)
    write_index(settings)
    return outcome.model_copy(update={"champion": champion})


def retrain(params: RetrainParams, settings: Settings, engine: Engine) -> RetrainOutcome:
    """Run the whole loop, and let the verdict decide about the champion."""
    seconds: dict[str, float] = {}
    with _timed("prepare", seconds):
        check_retrain(params, settings, engine)
    params = _steer(params, settings, engine)
    with _timed("generate", seconds):
        generated = generate(part_of(params, GenerateParams), settings, engine)
    curation = _protect_tasks(params)
    with _timed("curate", seconds):
        curated = curate(
            CurateParams(
                **dict(curation),
                name=params.name,
                seeds=params.seeds,
                licence=params.licence,
                card_language=params.card_language,
            ),
            settings,
            engine,
        )
    with _timed("finetune", seconds):
        tuned = finetune(
            FinetuneParams(
                **dict(part_of(params, Recipe)),
                dataset=str(curated.dataset),
                student=params.student,
                name=params.name,
                protect=curation.contamination.sets,
            ),
            settings,
            engine,
        )
    with _timed("evaluate", seconds):
        evaluated = evaluate(
            EvaluateParams(
                **dict(part_of(params, EvaluationConfig)),
                model=(str(tuned.model),),
                random_seed=params.random_seed,
                precision=params.precision,
                promote=True,
                approval=params.approval,
            ),
            settings,
            engine,
        )
    return RetrainOutcome.model_validate(
        dict(generated) | dict(curated) | dict(tuned) | dict(evaluated) | {"seconds": seconds}
    )


def maintain(params: MaintenanceParams, settings: Settings, engine: Engine) -> MaintenanceOutcome:
    """Give back the space of what nothing that stays refers to, or tell what would go."""
    outcome = maintain_outputs(params, settings, engine)
    if outcome.applied:
        write_index(settings)
    show_maintenance(engine, outcome)
    return outcome


def _steer(params: RetrainParams, settings: Settings, engine: Engine) -> RetrainParams:
    """Ask for more of what the last student was weakest in; a restart asks what it asked before."""
    run = find_own_run(params.name, settings.outputs, engine.run_id)
    if run is not None:
        config = GenerationConfig.model_validate(run.config)
        change = {"quota": config.quota, "emphasis": config.emphasis}
        return params.model_copy(update=change)
    steering = steer(params, settings)
    if steering is None:
        return params
    engine.say(steering.reason)
    change = {"quota": steering.quota, "emphasis": steering.emphasis}
    return params.model_copy(update=change)


def _protect_tasks(params: RetrainParams) -> CurationConfig:
    """Protect the tasks that the student will be judged by; ours are protected anyway."""
    contamination = params.curation.contamination
    files = [task for task in params.task if Path(task).suffix]
    sets = tuple(dict.fromkeys([*contamination.sets, *files]))
    protected = contamination.model_copy(update={"sets": sets})
    return params.curation.model_copy(update={"contamination": protected})


@contextmanager
def _timed(stage: str, seconds: dict[str, float]) -> Generator[None]:
    started = time.monotonic()
    yield
    seconds[stage] = round(time.monotonic() - started, 1)
