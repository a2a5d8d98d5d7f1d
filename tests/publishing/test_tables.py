"""What is written to a table is read back, and what is none of ours is named."""

import gc
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.publishing.tables import (
    RECORD_COLUMNS,
    TableError,
    read_assessments,
    read_ids,
    read_neighbours,
    read_rejections,
    read_split,
    write_assessments,
    write_neighbours,
    write_records,
    write_rejections,
)
from schemas.judgements import Assessment, Grade, Judgement
from schemas.records import Draft, InstructionRecord, Neighbour, Provenance, Rejection

# Lone surrogates have no bytes in any table; curation replaces them before.
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ids = st.lists(words, max_size=3).map(tuple)
origins = st.builds(
    Provenance,
    strategy=words,
    teacher=words,
    completion_id=words,
    position=st.integers(0, 2**31 - 1),
    seed_ids=ids,
    earlier_completion_ids=ids,
    derived_from=words,
    source_licence=words,
    edited=st.booleans(),
)
records = st.builds(
    InstructionRecord,
    instruction=words.map(lambda text: "과" + text),
    input=words,
    output=words.map(lambda text: "답" + text),
    language=st.sampled_from(["en", "ko"]),
    provenance=origins,
)
rejections = st.builds(
    Rejection,
    draft=st.builds(
        Draft,
        instruction=words,
        input=words,
        output=words,
        language=st.sampled_from(["en", "ko"]),
        provenance=origins,
        defect=st.sampled_from([None, "truncated"]),
    ),
    stage=st.just("rules"),
    reason=st.just("refusal"),
    detail=words,
    score=st.none() | st.floats(0, 1),
    collides_with=st.none() | words,
    also=st.sampled_from([(), ("nonsense", "placeholder")]),
)


@settings(max_examples=30)
@given(st.lists(records, max_size=5))
def test_records_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, made: list[InstructionRecord]
) -> None:
    table = tmp_path_factory.mktemp("t") / "이름.parquet"

    write_records(table, made)

    assert read_split(table) == made
    assert read_ids(table) == [record.id for record in made]


@settings(max_examples=30)
@given(st.lists(rejections, max_size=5))
def test_rejections_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, made: list[Rejection]
) -> None:
    folder = tmp_path_factory.mktemp("t")

    write_rejections(folder / "rejected.parquet", made)

    assert read_rejections(folder) == made


def test_assessments_and_neighbours_are_read_back(tmp_path: Path) -> None:
    grade = Grade(3, "괜찮다")
    assessments = {
        "b": Assessment(Judgement(grade, Grade(5, ""), grade), None),
        "a": Assessment(None, 0.5),
        "c": Assessment(),
    }
    nearest = {"b": Neighbour("a", 0.25), "a": Neighbour("en-001", 1.0)}

    write_assessments(tmp_path, assessments)
    write_neighbours(tmp_path, nearest)

    assert read_assessments(tmp_path) == assessments
    assert read_neighbours(tmp_path) == nearest


def test_record_of_a_megabyte_is_read_back(tmp_path: Path) -> None:
    origin = Provenance(strategy="s", teacher="t", completion_id="c")
    record = InstructionRecord(
        instruction="가" * 10**6, output="나" * 10**6, language="ko", provenance=origin
    )

    write_records(tmp_path / "t.parquet", [record])

    assert read_split(tmp_path / "t.parquet") == [record]


def test_reading_leaves_no_thread_behind_that_could_abort_our_end(tmp_path: Path) -> None:
    write_records(tmp_path / "t.parquet", [])
    code = (
        "import os, sys; from pathlib import Path; from pipeline.publishing import tables\n"
        "before = set(os.listdir('/proc/self/task'))\n"
        "print(tables.read_ids(Path(sys.argv[1])))\n"
        "print(set(os.listdir('/proc/self/task')) - before)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "t.parquet")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.splitlines() == ["[]", "set()"]


def test_columns_of_another_program_are_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "text": ["b"]}), str(tmp_path / "t.parquet"))

    with pytest.raises(TableError, match="lacks the columns completion_id, derived_from"):
        read_split(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        pytest.param("language", "fr", "language: Input should be 'en' or 'ko'", id="language"),
        pytest.param("instruction", " ", "instruction: Value should have at least 1", id="empty"),
        pytest.param("seed_ids", None, "seed_ids: Input should be a valid tuple", id="no list"),
    ],
)
def test_row_that_is_none_of_ours_is_named(
    tmp_path: Path, column: str, value: object, told: str
) -> None:
    row = {
        "id": "a", "instruction": "x", "input": "", "output": "y", "language": "en",
        "task_type": "code", "strategy": "s", "teacher": "t", "completion_id": "c", "position": 0,
        "earlier_completion_ids": [], "seed_ids": ["s"], "derived_from": "", "source_licence": "",
        "edited": False,
    } | {column: value}  # fmt: skip
    table = pa.Table.from_pylist([row], schema=RECORD_COLUMNS)
    pq.write_table(table, str(tmp_path / "t.parquet"))

    with pytest.raises(TableError, match=told):
        read_split(tmp_path / "t.parquet")
    assert gc.isenabled()
