"""Relatives are on one side, and a record stays on its side."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pipeline.publishing.splits import Splits, split_records
from schemas.lineage import is_held_out
from schemas.records import InstructionRecord, Provenance

IMPORT = Provenance(strategy="import", teacher="t", completion_id="f:1")
HELD_OUT = [key for key in (f"en-{n:03}" for n in range(400)) if is_held_out(key)]
OTHERS = [key for key in (f"en-{n:03}" for n in range(400)) if not is_held_out(key)]


def make_record(text: str, *seed_ids: str, derived_from: str = "") -> InstructionRecord:
    origin = IMPORT.model_copy(update={"seed_ids": seed_ids, "derived_from": derived_from})
    return InstructionRecord(instruction=text, output="x", language="ko", provenance=origin)


def make_records(texts: list[str]) -> list[InstructionRecord]:
    return [make_record(text) for text in texts]


def find_side(splits: Splits, record: InstructionRecord) -> str:
    return "validation" if record in splits.validation else "train"


families = st.lists(
    st.tuples(
        st.lists(st.sampled_from([f"en-{n:03}" for n in range(60)]), max_size=3, unique=True),
        st.sampled_from(["", "", "doc-1", "doc-2", "doc-3"]),
    ),
    max_size=40,
)


def make_families(drawn: list[tuple[list[str], str]]) -> list[InstructionRecord]:
    return [
        make_record(f"문제 {number}", *sorted(seeds), derived_from=parent)
        for number, (seeds, parent) in enumerate(drawn)
    ]


def all_keys(records: list[InstructionRecord]) -> set[str]:
    origins = [(record.id, record.provenance) for record in records]
    return {key for id_, one in origins for key in (id_, *one.seed_ids, one.derived_from) if key}


@given(families)
def test_every_record_is_on_one_side_and_in_order(drawn: list[tuple[list[str], str]]) -> None:
    records = make_families(drawn)

    splits = split_records(records)

    held_out = {record.id for record in splits.validation}
    assert splits.validation == [record for record in records if record.id in held_out]
    assert splits.train == [record for record in records if record.id not in held_out]
    assert len(records) < 2 or (splits.train and splits.validation)


@given(families)
def test_split_by_lineage_shares_no_seed_task_document_or_record(
    drawn: list[tuple[list[str], str]],
) -> None:
    splits = split_records(make_families(drawn))

    if splits.by == "lineage":
        assert not all_keys(splits.train) & all_keys(splits.validation)


@given(families, st.randoms(use_true_random=False))
def test_sides_do_not_depend_on_the_order(
    drawn: list[tuple[list[str], str]], shuffler: Random
) -> None:
    records = make_families(drawn)
    shuffled = list(records)
    shuffler.shuffle(shuffled)

    first, second = split_records(records), split_records(shuffled)

    assert {one.id for one in first.validation} == {one.id for one in second.validation}


def test_record_of_a_held_out_seed_task_is_validation_data() -> None:
    held_out = make_record("a", HELD_OUT[0])
    mixed = make_record("b", HELD_OUT[1], OTHERS[0])
    other = make_record("c", OTHERS[1])

    splits = split_records([held_out, mixed, other])

    assert splits.validation == [held_out]
    assert splits.by == "lineage"


def test_translation_is_where_its_original_is() -> None:
    originals = [make_record(f"task {n}") for n in range(200)]
    translations = [
        make_record(f"과제 {n}", derived_from=original.id) for n, original in enumerate(originals)
    ]

    splits = split_records([*originals, *translations])

    sides = [find_side(splits, original) for original in originals]
    assert sides == [find_side(splits, translation) for translation in translations]
    assert set(sides) == {"train", "validation"}


def test_edited_record_stays_on_its_side_with_its_relatives() -> None:
    # A reader's change gives it another id, and names the old one in derived_from.
    relatives = [make_record(f"task {n}", HELD_OUT[0]) for n in range(3)]
    others = [make_record(f"other {n}", OTHERS[0]) for n in range(3)]
    edited = [
        make_record(f"better {n}", HELD_OUT[0], derived_from=one.id)
        for n, one in enumerate(relatives[:2])
    ]

    splits = split_records([*edited, relatives[2], *others])

    assert splits.validation == [*edited, relatives[2]]


def test_growth_moves_no_record_to_the_other_side() -> None:
    records = [make_record(f"task {n}", f"en-{n % 300:03}") for n in range(2000)]

    early, late = split_records(records[:500]), split_records(records)

    assert {one.id for one in early.validation} <= {one.id for one in late.validation}
    assert {one.id for one in early.train} <= {one.id for one in late.train}


@given(families, families)
def test_growth_never_moves_training_data_to_validation(
    early: list[tuple[list[str], str]], late: list[tuple[list[str], str]]
) -> None:
    # Two families that no draw moves keep both sides from being empty.
    anchors = [make_record("train", OTHERS[-1]), make_record("validation", HELD_OUT[-1])]
    everything = make_families([*early, *late])
    first = split_records([*anchors, *everything[: len(early)]])
    second = split_records([*anchors, *everything])

    assert not {one.id for one in first.train} & {one.id for one in second.validation}


def test_a_tenth_is_held_out() -> None:
    # Binomial(4000, 0.1): mean 400, standard deviation 19; five of them on each side.
    splits = split_records(make_records([f"task {number}" for number in range(4000)]))

    assert 305 <= len(splits.validation) <= 495


def test_whole_families_are_moved_where_none_is_held_out() -> None:
    # 10 families of 10: one of them is a tenth.
    records = [make_record(f"task {n}", OTHERS[n % 10]) for n in range(100)]

    splits = split_records(records)

    assert splits.by == "lineage"
    assert len(splits.validation) == 10
    assert len({record.provenance.seed_ids for record in splits.validation}) == 1


def test_most_stay_for_training_where_all_are_held_out() -> None:
    records = [make_record(f"task {n}", HELD_OUT[n % 10]) for n in range(100)]

    splits = split_records(records)

    assert len(splits.validation) == 10


def test_the_small_one_of_two_families_is_held_out() -> None:
    records = [make_record(f"task {n}", OTHERS[0]) for n in range(20)]
    records += [make_record(f"other {n}", OTHERS[1]) for n in range(5)]

    splits = split_records(records)

    assert splits.validation == records[20:]


def test_one_family_is_split_record_by_record() -> None:
    records = [make_record(f"task {n}", OTHERS[0], OTHERS[n % 5]) for n in range(4000)]

    splits = split_records(records)

    assert splits.by == "record"
    assert 305 <= len(splits.validation) <= 495


def test_a_single_record_is_for_training() -> None:
    assert split_records(make_records(["하나"])) == Splits(make_records(["하나"]), [])


def test_the_same_record_twice_is_not_on_both_sides() -> None:
    splits = split_records(make_records(["하나", "하나"]))

    assert len(splits.train) == 2


def test_nothing_is_split_into_nothing() -> None:
    assert split_records([]) == Splits([], [])


def test_a_chain_of_20_000_is_one_family() -> None:
    # Each is made from the one before it: the deepest that union-find can be asked for.
    records = [make_record("task 0")]
    for number in range(1, 20_000):
        records.append(make_record(f"task {number}", derived_from=records[-1].id))

    assert split_records(records).by == "record"
