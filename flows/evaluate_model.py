"""The Prefect flow ``evaluate-model``: see ``flows/compositions.py`` for its steps."""

from typing import Any

from prefect import flow

from flows.compositions import evaluate as compose
from flows.parameters import EvaluateParams
from flows.prefect_engine import PrefectEngine
from flows.settings import read_settings


@flow(name="evaluate-model", persist_result=False)
def evaluate_model(params: EvaluateParams) -> dict[str, Any]:
    """Compare models under zero-, one- and few-shot prompts, and judge."""
    return compose(params, read_settings(), PrefectEngine()).model_dump(mode="json")
