"""What every Prefect flow does: check its parameters, step in for missed runs, run under watch."""

from collections.abc import Callable
from typing import Any, TypeVar

from prefect import State
from prefect.exceptions import TerminationSignal
from prefect.states import Cancelled
from pydantic import BaseModel, ValidationError

from flows.deployed.cancelling import is_being_cancelled
from flows.deployed.expired_questions import tell_of_expired_questions
from flows.deployed.missed_runs import stand_for_missed_runs
from flows.deployed.prefect_engine import PrefectEngine
from flows.engine import Engine
from flows.running import run_composition
from flows.settings import Settings, read_settings
from schemas.errors import UserError
from schemas.frozen import Frozen
from schemas.storage import describe_validation_error

Params = TypeVar("Params", bound=Frozen)
Outcome = TypeVar("Outcome", bound=BaseModel)


class ParametersError(UserError):
    """A flow run was given what its flow cannot take."""


def run_flow(
    flow: str,
    compose: Callable[[Params, Settings, Engine], Outcome],
    model: type[Params],
    params: Params,
) -> dict[str, Any] | State[Any]:
    """Run a composition in a Prefect flow; return what ``cli`` prints, or the state to end in.

    Args:
        flow: Name of the verb: ``generate``, ``curate``, …
        compose: From ``flows/compositions.py``.
        model: Of the parameters.
        params: What the user asked for. Prefect hands on what it was sent and would check it with
            a traceback in the log, so the flows leave that to this function.

    Raises:
        ParametersError: The server's JSON schema could not tell that they are wrong.
    """
    engine = PrefectEngine()
    settings = read_settings()
    if engine.is_deployed:
        tell_of_expired_questions(settings, engine.warn)
    superseded = stand_for_missed_runs()
    if superseded is not None:
        return superseded
    checked = _check(model, params)
    try:
        return run_composition(flow, compose, checked, settings, engine).model_dump(mode="json")
    except TerminationSignal:
        if not is_being_cancelled(engine.run_id):
            raise
        return Cancelled(message="Cancelled; what it has done is kept.")


def _check(model: type[Params], params: Params) -> Params:
    try:
        return model.model_validate(params)
    except ValidationError as error:
        raise ParametersError(
            f"The parameter params does not fit: {describe_validation_error(error)}"
        ) from error
