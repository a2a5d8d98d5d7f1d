"""Which steps each flow runs, in which order: written once, run by any engine.

Every composition can be killed and run again: generation continues from its journal, a dataset
version is named by its content, finetuning continues from its checkpoints, evaluation from its
scored cells.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flows.artifacts import show_card, show_funnel, show_training
from flows.engine import Engine
from flows.evaluation_artifacts import show_evaluation
from flows.index_page import write_index
from flows.outcomes import (
    CurateOutcome,
    EvaluateOutcome,
    FinetuneOutcome,
    GenerateOutcome,
    RetrainOutcome,
)
from flows.parameters import (
    CurateParams,
    EvaluateParams,
    FinetuneParams,
    GenerateParams,
    RetrainParams,
    part_of,
)
from flows.preflight import check_retrain
from flows.settings import Settings
from flows.steering import steer
from flows.steps.curation import curate_and_publish
from flows.steps.evaluation import evaluate_and_judge, promote_if_fit
from flows.steps.finetuning import finetune_student
from flows.steps.generation import generate_drafts
from pipeline.curation.config import CurationConfig
from training.evaluation.config import EvaluationConfig
from training.finetuning.recipe import Recipe


def generate(params: GenerateParams, settings: Settings, engine: Engine) -> GenerateOutcome:
    """Have a teacher write drafts until each quota is filled."""
    return generate_drafts(params, settings, engine)


def curate(params: CurateParams, settings: Settings, engine: Engine) -> CurateOutcome:
    """Sort drafts into kept records and rejections, and publish them."""
    outcome = engine.run("curate and publish", lambda: curate_and_publish(params, settings, engine))
    write_index(settings)
    show_funnel(engine, params.name, outcome)
    show_card(engine, params.name, outcome.dataset)
    return outcome


def finetune(params: FinetuneParams, settings: Settings, engine: Engine) -> FinetuneOutcome:
    """Tune a student on a dataset version."""
    outcome = engine.run(
        f"finetune {params.method}", lambda: finetune_student(params, settings, engine)
    )
    write_index(settings)
    show_training(engine, outcome)
    return outcome


def evaluate(params: EvaluateParams, settings: Settings, engine: Engine) -> EvaluateOutcome:
    """Compare models on identical items and shots, and judge the first."""
    outcome = engine.run("evaluate", lambda: evaluate_and_judge(params, settings, engine))
    write_index(settings)
    show_evaluation(engine, outcome)
    return outcome


def retrain(params: RetrainParams, settings: Settings, engine: Engine) -> RetrainOutcome:
    """Run the whole loop, and let the verdict decide about the champion."""
    seconds: dict[str, float] = {}
    with _timed("prepare", seconds):
        check_retrain(params, settings, engine)
    steering = steer(params, settings)
    if steering is not None:
        engine.say(steering.reason)
        change = {"quota": steering.quota, "emphasis": steering.emphasis}
        params = params.model_copy(update=change)
    with _timed("generate", seconds):
        generated = generate_drafts(part_of(params, GenerateParams), settings, engine)
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
            ),
            settings,
            engine,
        )
    champion = engine.run(
        "promote", lambda: promote_if_fit(tuned.model, evaluated, settings, datetime.now(UTC))
    )
    write_index(settings)
    return RetrainOutcome.model_validate(
        dict(generated)
        | dict(curated)
        | dict(tuned)
        | dict(evaluated)
        | {"champion": champion, "seconds": seconds}
    )


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
