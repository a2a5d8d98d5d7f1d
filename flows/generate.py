"""The Prefect flow ``generate``: see ``flows/compositions.py`` for its steps."""

from typing import Any

from prefect import flow

from flows.compositions import generate as compose
from flows.parameters import GenerateParams
from flows.prefect_engine import PrefectEngine
from flows.settings import read_settings

DEFAULTS = GenerateParams()


@flow(name="generate", persist_result=False)
def generate(params: GenerateParams = DEFAULTS) -> dict[str, Any]:
    """Have a teacher write drafts from seed tasks."""
    return compose(params, read_settings(), PrefectEngine()).model_dump(mode="json")
