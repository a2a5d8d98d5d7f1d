"""Prepare a run without running it: what ``finetune --plan`` and ``--preview`` show."""

from typing import NamedTuple

from flows.engine import Engine
from flows.parameters import FinetuneParams
from flows.settings import Settings
from flows.steps.finetuning import TrainingRequest, find_request
from training.finetuning.memory.fitting import read_available_mb
from training.finetuning.preparation import Preparation, prepare
from training.finetuning.recipe import Settings as TrainingSettings
from training.finetuning.recipe import read_hardware, resolve


class PlannedRun(NamedTuple):
    """A run as it would be."""

    request: TrainingRequest
    settings: TrainingSettings
    ready: Preparation
    available_mb: float
    """Of memory, or of the GPU's."""


def plan_run(params: FinetuneParams, settings: Settings, engine: Engine) -> PlannedRun:
    """Prove all rows and plan the memory of a run.

    Raises:
        UserError: What would stop the run before its first step.
    """
    request = find_request(params, settings, engine)
    decided = resolve(request.recipe, read_hardware())
    ready = prepare(
        request.dataset, request.student.path, request.recipe, decided, request.protected
    )
    return PlannedRun(request, decided, ready, read_available_mb(decided.device))
