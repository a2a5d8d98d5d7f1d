"""A flow that does not end at once when it is told to, as a training within a step."""

import time
from typing import Any

from prefect import State, flow

from flows.deployed.hooks import tell_crash, tell_failure
from flows.deployed.prefect_running import run_flow
from flows.engine import Engine
from flows.parameters import MaintenanceParams
from flows.settings import Settings
from training.finetuning.interrupts import deferred_interrupt

DEFAULTS = MaintenanceParams()


def finish_the_step(params: MaintenanceParams, _: Settings, engine: Engine) -> MaintenanceParams:
    def step() -> None:
        with deferred_interrupt() as request:
            while not request():
                time.sleep(0.05)
            request.obey()

    engine.run("work", step)
    return params


@flow(name="deferring", on_failure=[tell_failure], on_crashed=[tell_crash])
def deferring(params: MaintenanceParams = DEFAULTS) -> dict[str, Any] | State[Any]:
    return run_flow("maintenance", finish_the_step, MaintenanceParams, params)
