"""Splits depend on the record alone."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.publishing.splits import split_records
from schemas.records import InstructionRecord, Provenance

PROVENANCE = Provenance(strategy="import", teacher="t", completion_id="f:1")


def make_records(texts: list[str]) -> list[InstructionRecord]:
    return [
        InstructionRecord(instruction=text, output="x", language="ko", provenance=PROVENANCE)
        for text in texts
    ]


@given(st.lists(st.integers(0, 10_000), unique=True, min_size=2, max_size=60))
def test_every_record_is_on_one_side_and_no_side_is_empty(numbers: list[int]) -> None:
    records = make_records([f"문제 {number}" for number in numbers])

    splits = split_records(records)

    assert sorted(one.id for one in splits.train + splits.validation) == sorted(
        one.id for one in records
    )
    assert splits.train
    assert splits.validation


def test_growth_moves_no_record_to_the_other_side() -> None:
    records = make_records([f"task {number}" for number in range(400)])

    early, late = split_records(records[:200]), split_records(records)

    assert {one.id for one in early.validation} <= {one.id for one in late.validation}
    assert {one.id for one in early.train} <= {one.id for one in late.train}


def test_a_tenth_is_held_out() -> None:
    # Binomial(4000, 0.1): mean 400, standard deviation 19; five of them on each side.
    splits = split_records(make_records([f"task {number}" for number in range(4000)]))

    assert 305 <= len(splits.validation) <= 495


def test_a_single_record_is_for_training() -> None:
    splits = split_records(make_records(["하나"]))

    assert len(splits.train) == 1
    assert splits.validation == []
