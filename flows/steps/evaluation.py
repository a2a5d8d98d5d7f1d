"""The evaluation step: models in, matrix and verdict out; and the registry of champions."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from flows.engine import Engine
from flows.outcomes import EvaluateOutcome
from flows.parameters import EvaluateParams
from flows.resources import find_model_folder
from flows.settings import Settings
from schemas.errors import UserError
from schemas.evaluation import GateVerdict
from schemas.manifest import TrainingManifest
from schemas.storage import read_manifest
from training.evaluation.gate import GateError, judge
from training.evaluation.registry import Registry
from training.finetuning.recipe import read_hardware


class ContestError(UserError):
    """The models that were named cannot be compared."""


class Contest(NamedTuple):
    """Who is compared with whom."""

    models: dict[str, Path]
    """Name in the matrix -> folder; the challenger last."""
    baseline: str


def open_registry(settings: Settings) -> Registry:
    """Open the registry of names, versions and champions."""
    return Registry(settings.outputs / "registry.sqlite")


def evaluate_and_judge(
    params: EvaluateParams, settings: Settings, engine: Engine
) -> EvaluateOutcome:
    """Score the models on identical items and shots, and judge the challenger."""
    # torch takes seconds to import, which no other verb need pay.
    from training.evaluation.report import EvaluationRequest, evaluate, read_report

    contest = find_contest(params, settings, engine)
    bf16 = params.precision == "bf16" or (
        params.precision is None and read_hardware().computes_bf16
    )
    request = EvaluationRequest(
        models=contest.models,
        baseline=contest.baseline,
        tasks=params.task,
        shots=params.shots,
        limit=params.limit,
        seed=params.random_seed,
        precision="bf16" if bf16 else "fp32",
    )
    with engine.progress("evaluate") as progress:
        folder = evaluate(request, settings.outputs / "evaluations", progress)
    report = read_report(folder)
    if report.template_note:
        engine.say(report.template_note)
    try:
        verdict = judge(report, params.gate)
    except GateError as error:
        # The matrix is still what was asked for; only the gate wants other columns.
        engine.say(f"No verdict: {error}")
        return EvaluateOutcome(
            evaluation=folder, matrix=report.matrix, verdict=None, reasons=(str(error),)
        )
    _register(contest, folder, verdict, settings, datetime.now(UTC))
    engine.say(f"Verdict on {verdict.challenger}: {verdict.verdict}. {'; '.join(verdict.reasons)}")
    return EvaluateOutcome(
        evaluation=folder, matrix=report.matrix, verdict=verdict.verdict, reasons=verdict.reasons
    )


def promote_if_fit(
    folder: Path, outcome: EvaluateOutcome, settings: Settings, at: datetime
) -> str | None:
    """Promote a judged model when the gate says so; return the champion of its name, if any."""
    manifest = read_manifest(folder, TrainingManifest, "a tuned student")
    registry = open_registry(settings)
    if outcome.verdict == "promote":
        registry.promote(manifest.name, manifest.version, at)
    champion = registry.champion(manifest.name)
    return f"{champion.name}/{champion.version}" if champion else None


def _register(
    contest: Contest, report: Path, verdict: GateVerdict, settings: Settings, at: datetime
) -> None:
    """Write the verdict down, unless the challenger is a base model."""
    folder = contest.models[verdict.challenger]
    manifest = _read_training_manifest(folder)
    if manifest is not None:
        open_registry(settings).register(
            manifest.name, manifest.version, folder, manifest.dataset, at, verdict, report
        )


def find_contest(params: EvaluateParams, settings: Settings, engine: Engine) -> Contest:
    """Find the models: base model first, then the champion of the challenger's name, if any.

    The baseline is the one that was named, else the champion, else the base model.

    Raises:
        ContestError: The challenger is a base model and no baseline was named.
    """
    folders = [find_model_folder(name, settings, engine) for name in params.model]
    challenger = folders[0]
    manifest = _read_training_manifest(challenger)
    models: dict[str, Path] = {}
    if params.baseline is not None:
        baseline = params.baseline
        models[baseline] = find_model_folder(baseline, settings, engine)
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
    for folder, reference in reversed([*zip(folders, params.model, strict=True)]):
        name = _display_name(folder, reference)
        if models.setdefault(name, folder) != folder:
            raise ContestError(f"Two models are called {name!r}: {models[name]} and {folder}.")
    return Contest(models, baseline)


def _display_name(folder: Path, reference: str) -> str:
    manifest = _read_training_manifest(folder)
    return f"{manifest.name}/{manifest.version}" if manifest else reference


def _read_training_manifest(folder: Path) -> TrainingManifest | None:
    if not (folder / "manifest.json").is_file():
        return None
    return read_manifest(folder, TrainingManifest, "a tuned student")
