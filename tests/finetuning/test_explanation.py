from typing import Any

import pytest

from schemas.manifest import Method
from training.finetuning.explanation import explain
from training.finetuning.methods import METHODS
from training.finetuning.recipe import Hardware, Recipe, resolve

FAST_CPU = Hardware("cpu", computes_bf16=True, threads=8)


def explained(**changes: Any) -> dict[str, tuple[str, str, str]]:
    recipe = Recipe(**changes)
    rows = explain(recipe, resolve(recipe, FAST_CPU), set(changes))
    assert len({row.name for row in rows}) == len(rows)
    return {row.name: (row.value, row.chosen_by, row.origin) for row in rows}


@pytest.mark.parametrize("method", METHODS)
def test_every_setting_of_every_method_says_where_it_comes_from(method: Method) -> None:
    rows = explained(method=method)

    assert set(METHODS[method].model_fields) < set(rows)
    assert all(origin.strip() for _, _, origin in rows.values())


def test_the_method_chooses_what_the_user_leaves_open() -> None:
    value, chosen_by, origin = explained(method="full")["learning_rate"]

    assert (value, chosen_by) == ("2e-05", "method")
    assert "Alpaca" in origin


def test_a_value_of_the_user_is_shown_as_such_beside_the_origin_of_the_default() -> None:
    rows = explained(method="lora", r=64)

    assert rows["r"][:2] == ("64", "you")
    assert "figure 4" in rows["r"][2]
    assert rows["alpha"][:2] == ("32", "method")


def test_the_machine_decides_number_format_and_threads() -> None:
    rows = explained()

    assert rows["precision"][:2] == ("bf16", "machine")
    assert rows["threads"][:2] == ("8", "machine")


def test_settings_of_other_methods_are_not_shown() -> None:
    assert "r" not in explained(method="full")
    assert "virtual_tokens" not in explained(method="qlora")
