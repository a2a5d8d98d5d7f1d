"""The Prefect flow ``finetune``: see ``flows/compositions.py`` for its steps."""

from typing import Any

from prefect import flow

from flows.compositions import finetune as compose
from flows.parameters import FinetuneParams
from flows.prefect_engine import PrefectEngine
from flows.settings import read_settings


@flow(name="finetune", persist_result=False)
def finetune(params: FinetuneParams) -> dict[str, Any]:
    """Tune a student on a dataset version."""
    return compose(params, read_settings(), PrefectEngine()).model_dump(mode="json")
