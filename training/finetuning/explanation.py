"""Say of every hyperparameter which value it has, who chose it, and where it comes from."""

from collections.abc import Set as AbstractSet
from typing import Literal, NamedTuple

from pydantic.fields import FieldInfo

from training.finetuning.methods import Origin
from training.finetuning.recipe import OF_METHODS, Recipe, Settings

ChosenBy = Literal["you", "method", "default", "machine"]

_OF_MACHINE = {
    "precision": "bf16 takes 0.6 of fp32's time where the processor computes in it, else fp32",
    "device": "a GPU where torch finds one",
    "threads": "all processor cores; 1 repeats a run bit by bit",
}


class ExplainedSetting(NamedTuple):
    """One hyperparameter."""

    name: str
    value: str
    chosen_by: ChosenBy
    origin: str
    """Paper and table, measurement or practice; of a value of yours, where the default is from."""


def explain(recipe: Recipe, settings: Settings, named: AbstractSet[str]) -> list[ExplainedSetting]:
    """Explain a recipe as it was decided, in the order of its fields.

    Args:
        recipe: What was asked for.
        settings: What was decided on.
        named: Fields that the user gave a value.
    """
    rows: list[ExplainedSetting] = []
    for name, field in Recipe.model_fields.items():
        if name in OF_METHODS:
            continue
        if name in _OF_MACHINE:
            value, by, origin = getattr(settings, name), "machine", _OF_MACHINE[name]
        else:
            value, by, origin = getattr(recipe, name), "default", _origin(field)
        rows.append(ExplainedSetting(name, _show(value), "you" if name in named else by, origin))
        if name == "method":
            rows += _explain_method(settings, named)
    return rows


def _explain_method(settings: Settings, named: AbstractSet[str]) -> list[ExplainedSetting]:
    return [
        ExplainedSetting(
            name,
            _show(getattr(settings.method, name)),
            "you" if name in named else "method",
            _origin(field),
        )
        for name, field in type(settings.method).model_fields.items()
    ]


def _origin(field: FieldInfo) -> str:
    return next(mark.text for mark in field.metadata if isinstance(mark, Origin))


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "open" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
