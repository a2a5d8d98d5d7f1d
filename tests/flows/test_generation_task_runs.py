"""How many Prefect tasks a generation run is: its server lags after a thousand or two."""

import pytest

from flows.steps.generation_run import find_step_seconds


@pytest.mark.parametrize(
    ("hours", "most"), [(1, 61), (8, 180), (24 * 14, 400)], ids=["hour", "night", "fortnight"]
)
def test_a_long_run_is_few_hundred_tasks(hours: float, most: int) -> None:
    elapsed_s, count = 0.0, 0
    while elapsed_s < hours * 3600:
        elapsed_s += find_step_seconds(elapsed_s)
        count += 1

    assert count <= most
