"""The evaluation step: models in, matrix and verdict out; and the registry of champions."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flows.answerers import Model, find_model, open_answerer
from flows.approval import Question, approve
from flows.cycles import find_steering, read_cycles
from flows.engine import Engine
from flows.evaluation_data import find_held_out, find_training_data
from flows.milestones import ChampionReplaced
from flows.outcomes import EvaluateOutcome
from flows.overlaps import find_overlaps, leave_out
from flows.parameters import EvaluateParams, part_of
from flows.registry import open_registry
from flows.settings import Settings
from flows.steps.pairwise import open_judging
from schemas.errors import UserError
from schemas.evaluation import EvaluationReport
from schemas.manifest import TrainingManifest
from schemas.markdown import plain
from schemas.storage import read_manifest
from training.evaluation.config import EvaluationConfig
from training.evaluation.reading import read_report
from training.evaluation.registered import Judgement
from training.evaluation.tasks.loading import load_tasks

if TYPE_CHECKING:
    from training.evaluation.report import EvaluationRequest


class ContestError(UserError):
    """The models that were named cannot be compared."""


class Contest(NamedTuple):
    """Who is compared with whom."""

    models: dict[str, Model]
    """Name in the matrix -> folder or endpoint; the challenger last."""
    baseline: str

    @property
    def challenger(self) -> Model:
        """The first model that the user named."""
        return next(reversed(self.models.values()))


def evaluate_and_judge(
    params: EvaluateParams, settings: Settings, engine: Engine
) -> EvaluateOutcome:
    """Score the models on identical items and shots, and judge the challenger."""
    # torch takes seconds to import, which no other verb need pay.
    from training.evaluation.report import evaluate

    contest = find_contest(params, settings, engine)
    request = _prepare(params, contest, settings, engine)
    with engine.progress("evaluate") as progress:
        folder = evaluate(request, settings.outputs / "evaluations", progress, engine.say)
    report = read_report(folder)
    if report.template_note:
        engine.say(report.template_note)
    _tell_verdict(report, engine)
    _register(contest, folder, report, settings, datetime.now(UTC))
    verdict = report.verdict
    return EvaluateOutcome(
        evaluation=folder,
        matrix=report.matrix,
        verdict=verdict.verdict if verdict else None,
        reasons=verdict.reasons if verdict else (report.no_verdict,),
        challenger=report.challenger,
        baseline=report.baseline,
    )


def _prepare(
    params: EvaluateParams, contest: Contest, settings: Settings, engine: Engine
) -> "EvaluationRequest":
    """Open models, tasks and data; the first thing that cannot be used is an error."""
    from training.evaluation.report import Contestant, EvaluationRequest

    tasks = load_tasks(params.task)
    manifest = _read_training_manifest(contest.challenger)
    dataset = find_training_data(manifest, settings)
    overlaps = find_overlaps(tasks, dataset, params.overlap) if dataset else []
    for overlap in overlaps:
        fate = "left out for all models" if overlap.excluded else "scored all the same"
        engine.say(
            f"{len(overlap.items)} items of {overlap.task} stand in the training data: {fate}"
        )
    tasks = leave_out(tasks, overlaps)
    judging = open_judging(params.judge_model, tasks, settings, engine)
    needs_log_probs = any(task.is_choice for task in tasks)
    contestants = {
        name: Contestant(
            open_answerer(model, settings, params.precision, needs_log_probs=needs_log_probs),
            model if isinstance(model, Path) else None,
        )
        for name, model in contest.models.items()
    }
    return EvaluationRequest(
        contestants=contestants,
        baseline=contest.baseline,
        tasks=tasks,
        config=part_of(params, EvaluationConfig),
        seed=params.random_seed,
        records=find_held_out(dataset, params.held_out),
        overlaps=overlaps,
        judging=judging,
        cycles=read_cycles(manifest.name, settings, manifest.version) if manifest else (),
        version=manifest.version if manifest else "",
        steered=find_steering(manifest.dataset, settings) if manifest else {},
    )


def promote_if_fit(
    params: EvaluateParams, outcome: EvaluateOutcome, settings: Settings, engine: Engine
) -> str | None:
    """Promote the challenger when the gate says so and nobody objects; return the champion.

    Raises:
        NotApprovedError: A person has to be asked, and nobody can be.
    """
    folder = find_model(params.model[0], settings, engine)
    manifest = _read_training_manifest(folder)
    if manifest is None:
        return None
    registry = open_registry(settings)
    before = registry.champion(manifest.name)
    held_by = f"{before.name}/{before.version}" if before else None
    if outcome.verdict != "promote" or outcome.challenger == held_by:
        return held_by
    question = Question(
        key=f"champion-{manifest.version}",
        title=f"Make {outcome.challenger} the champion in place of {held_by or outcome.baseline}?",
        grounds="\n".join(f"- {plain(reason)}" for reason in outcome.reasons),
    )
    if not approve(engine, params.approval, question):
        engine.say(f"{outcome.challenger} was not approved; the champion is {held_by or 'none'}")
        return held_by
    registry.promote(manifest.name, manifest.version, datetime.now(UTC))
    engine.reach(ChampionReplaced(name=manifest.name, champion=outcome.challenger, before=held_by))
    return outcome.challenger


def _tell_verdict(report: EvaluationReport, engine: Engine) -> None:
    if report.verdict is None:
        engine.say(f"No verdict: {report.no_verdict}")
    else:
        reasons = "; ".join(report.verdict.reasons)
        engine.say(f"Verdict on {report.challenger}: {report.verdict.verdict}. {reasons}")


def _register(
    contest: Contest, folder: Path, report: EvaluationReport, settings: Settings, at: datetime
) -> None:
    """Write the verdict down, unless the challenger is no tuned student of ours."""
    manifest = _read_training_manifest(contest.challenger)
    if manifest is None or report.verdict is None or not isinstance(contest.challenger, Path):
        return
    open_registry(settings).register(
        manifest.name,
        manifest.version,
        contest.challenger,
        manifest.dataset,
        at,
        Judgement(report.verdict, folder, report.items_hash),
    )


def find_contest(params: EvaluateParams, settings: Settings, engine: Engine) -> Contest:
    """Find the models: base model first, then the champion of the challenger's name, if any.

    The baseline is the one that was named, else the champion, else the base model.

    Raises:
        ContestError: The challenger is a base model and no baseline was named.
    """
    found = [find_model(name, settings, engine) for name in params.model]
    challenger = found[0]
    manifest = _read_training_manifest(challenger)
    models: dict[str, Model] = {}
    if params.baseline is not None:
        model = find_model(params.baseline, settings, engine)
        baseline = _display_name(model, params.baseline)
        models[baseline] = model
    elif manifest is not None:
        baseline = manifest.student
        models[baseline] = Path(manifest.student_path)
        champion = open_registry(settings).champion(manifest.name)
        if champion is not None and champion.path != challenger:
            baseline = f"{champion.name}/{champion.version}"
            models[baseline] = champion.path
    else:
        raise ContestError(
            f"{challenger} is a base model, so there is nothing it was tuned from: name what to "
            "compare it with, for example --baseline smollm2-135m."
        )
    for model, reference in reversed([*zip(found, params.model, strict=True)]):
        name = _display_name(model, reference)
        if models.setdefault(name, model) != model:
            raise ContestError(f"Two models are called {name!r}: {models[name]} and {model}.")
    if len(models) == 1:
        raise ContestError(
            f"Wanted a model and another to compare it with, found {baseline} twice: name another "
            "with --baseline."
        )
    return Contest(models, baseline)


def _display_name(model: Model, reference: str) -> str:
    manifest = _read_training_manifest(model)
    return f"{manifest.name}/{manifest.version}" if manifest else reference


def _read_training_manifest(model: Model) -> TrainingManifest | None:
    if not isinstance(model, Path) or not (model / "manifest.json").is_file():
        return None
    return read_manifest(model, TrainingManifest, "a tuned student")
