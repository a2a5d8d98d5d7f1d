"""The Prefect flow ``curate``: see ``flows/compositions.py`` for its steps."""

from typing import Any

from prefect import flow

from flows.compositions import curate as compose
from flows.parameters import CurateParams
from flows.prefect_engine import PrefectEngine
from flows.settings import read_settings

DEFAULTS = CurateParams()


@flow(name="curate", persist_result=False)
def curate(params: CurateParams = DEFAULTS) -> dict[str, Any]:
    """Sort drafts into kept records and rejections, and publish a dataset version."""
    return compose(params, read_settings(), PrefectEngine()).model_dump(mode="json")
