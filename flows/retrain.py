"""The Prefect flow ``retrain``: see ``flows/compositions.py`` for its steps."""

from typing import Any

from prefect import flow

from flows.compositions import retrain as compose
from flows.parameters import RetrainParams
from flows.prefect_engine import PrefectEngine
from flows.settings import read_settings

DEFAULTS = RetrainParams()


@flow(name="retrain", persist_result=False)
def retrain(params: RetrainParams = DEFAULTS) -> dict[str, Any]:
    """Generate, curate, publish, finetune, evaluate and judge."""
    return compose(params, read_settings(), PrefectEngine()).model_dump(mode="json")
