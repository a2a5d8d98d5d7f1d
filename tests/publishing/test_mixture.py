"""Weights are kept without taking anything twice, and columns are found or asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.publishing.mixture import (
    Amount,
    MixtureError,
    choose_counts,
    choose_licence,
    draw,
    map_columns,
)
from schemas.lineage import is_held_out
from schemas.records import Draft, Provenance

ORIGIN = Provenance(strategy="import", teacher="f", completion_id="f:1")


def make_drafts(count: int) -> list[Draft]:
    return [
        Draft(instruction=f"과제 {n}", output="답", language="ko", provenance=ORIGIN)
        for n in range(count)
    ]


def test_weights_are_kept_by_cutting_the_larger_part() -> None:
    # 100 of the scarce one are a quarter, so that 300 of the other are three quarters.
    assert choose_counts([Amount(5000, 3, None), Amount(100, 1, None)]) == [300, 100]


def test_weights_count_relative_to_each_other() -> None:
    assert choose_counts([Amount(50, 0.7, None), Amount(50, 0.1, None)]) == [50, 7]


def test_cap_is_a_limit_of_its_part() -> None:
    assert choose_counts([Amount(5000, 1, 40), Amount(100, 1, None)]) == [40, 40]
    assert choose_counts([Amount(5000, None, 40), Amount(100, None, None)]) == [40, 100]


def test_weights_for_some_parts_only_are_refused() -> None:
    with pytest.raises(MixtureError, match="1 of 2 parts have a weight: give one to all or"):
        choose_counts([Amount(5, 1, None), Amount(5, None, None)])


amounts = st.lists(
    st.builds(
        Amount,
        available=st.integers(1, 10_000),
        weight=st.floats(0.01, 100, allow_nan=False),
        cap=st.none() | st.integers(1, 10_000),
    ),
    min_size=1,
    max_size=6,
)


@given(amounts)
def test_scarcest_part_comes_whole_and_the_shares_are_the_weights(parts: list[Amount]) -> None:
    counts = choose_counts(parts)

    limits = [min(one.available, one.cap or one.available) for one in parts]
    assert all(count <= limit for count, limit in zip(counts, limits, strict=True))
    assert any(count == limit for count, limit in zip(counts, limits, strict=True))
    units = [(count, one.weight or 0) for count, one in zip(counts, parts, strict=True)]
    # Rounding down costs each part less than one record.
    assert max(count / weight for count, weight in units) <= min(
        (count + 1) / weight for count, weight in units
    )


def test_draw_keeps_the_order_and_a_smaller_one_is_part_of_a_larger() -> None:
    drafts = make_drafts(200)

    some, more = draw(drafts, 20), draw(drafts, 60)

    assert len(some) == 20
    assert [one for one in drafts if one in more] == more
    assert {one.id for one in some} <= {one.id for one in more}
    assert draw(drafts, 200) == drafts


def test_draw_does_not_prefer_what_is_held_out_when_a_version_is_split() -> None:
    # 400 of 4,000 in expectation 10 % of them, standard deviation 6; five of them on each side.
    drawn = draw(make_drafts(4000), 400)

    assert 10 <= sum(is_held_out(draft.id) for draft in drawn) <= 70


@pytest.mark.parametrize(
    ("found", "mapped"),
    [
        pytest.param(
            ["instruction", "input", "output"],
            {"instruction": "instruction", "input": "input", "output": "output"},
            id="ours",
        ),
        pytest.param(
            ["id", "Question", "Answer"],
            {"instruction": "Question", "output": "Answer"},
            id="question and answer",
        ),
        pytest.param(["질문", "답변"], {"instruction": "질문", "output": "답변"}, id="Korean"),
    ],
)
def test_common_names_are_guessed(found: list[str], mapped: dict[str, str]) -> None:
    assert map_columns("f", found, {}) == mapped


def test_named_columns_take_the_place_of_guesses() -> None:
    mapped = map_columns("f", ["prompt", "title", "answer"], {"instruction": "title"})

    assert mapped == {"instruction": "title", "output": "answer"}


@pytest.mark.parametrize(
    ("given_columns", "told"),
    [
        pytest.param({}, "none is called so. It has q, 설명:", id="no guess"),
        pytest.param({"output": "b"}, "no column 'b'. It has q, 설명.", id="named"),
        pytest.param({"answer": "q"}, "'answer' is no column of ours", id="not ours"),
    ],
)
def test_missing_column_is_named_with_what_there_is(
    given_columns: dict[str, str], told: str
) -> None:
    with pytest.raises(MixtureError, match=told.replace(".", r"\.")):
        map_columns("f", ["q", "설명"], {"instruction": "q"} | given_columns)


@pytest.mark.parametrize(
    ("asked", "parts", "licence", "is_warned"),
    [
        pytest.param(None, {"a": "mit", "b": "mit"}, "mit", False, id="one for all"),
        pytest.param(None, {"a": "mit", "b": "cc-by-nc-4.0"}, "other", True, id="different"),
        pytest.param(None, {"a": ""}, "other", True, id="unknown"),
        pytest.param("mit", {"a": "mit", "b": ""}, "mit", True, id="asked for"),
        pytest.param("mit", {"a": "mit"}, "mit", False, id="asked for and right"),
    ],
)
def test_licences_that_differ_are_named(
    asked: str | None, parts: dict[str, str], licence: str, is_warned: bool
) -> None:
    choice = choose_licence(asked, parts)

    assert choice.licence == licence
    assert bool(choice.warning) == is_warned
    assert (
        not is_warned
        or "cc-by-nc-4.0" not in parts.values()
        or "b is cc-by-nc-4.0" in (choice.warning)
    )
