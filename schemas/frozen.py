"""The base of every model that crosses a file, model or user boundary."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable value whose unknown fields are errors, not noise.

    The text under a field is its description in ``--help``, in Prefect's form and in the exported
    JSON Schema, so each is written once.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )
