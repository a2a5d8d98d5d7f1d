"""Any JSON lines of Alpaca's columns can be curated; other files are named."""

import json
from pathlib import Path

import pytest

from pipeline.curation.importing import ImportedFileError, read_drafts
from schemas.storage import RecordFileError


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def test_rows_become_drafts_in_order_with_their_line(tmp_path: Path) -> None:
    path = write(
        tmp_path / "r.jsonl",
        {"instruction": "Name a fruit.", "input": None, "output": "Pear", "score": 3},
        {"instruction": "과일을 말해 줘.", "output": "배"},
        {"instruction": "Translate: 배", "output": "pear", "language": "en"},
    )

    drafts = read_drafts(path)

    assert [(d.instruction, d.input, d.output, d.language) for d in drafts] == [
        ("Name a fruit.", "", "Pear", "en"),
        ("과일을 말해 줘.", "", "배", "ko"),
        ("Translate: 배", "", "pear", "en"),
    ]
    assert [d.provenance.completion_id for d in drafts] == ["r.jsonl:1", "r.jsonl:2", "r.jsonl:3"]
    assert {d.provenance.strategy for d in drafts} == {"import"}


def test_row_with_missing_fields_stays_for_curation_to_reject(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", {"instruction": "Name a fruit."}, {"output": "배"})

    assert [(d.instruction, d.output) for d in read_drafts(path)] == [
        ("Name a fruit.", ""),
        ("", "배"),
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"instruction": 3, "output": "x"}, r"r\.jsonl:1: instruction: .*string"),
        ({"instruction": "a", "output": "b", "language": "fr"}, r"r\.jsonl:1: language"),
        (["a"], r"r\.jsonl:1: "),
    ],
)
def test_field_of_the_wrong_kind_is_named_by_line(tmp_path: Path, row: object, words: str) -> None:
    with pytest.raises(RecordFileError, match=words):
        read_drafts(write(tmp_path / "r.jsonl", row))


def test_file_without_records_or_of_other_columns_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportedFileError, match="holds no record"):
        read_drafts(write(tmp_path / "r.jsonl"))
    with pytest.raises(ImportedFileError, match="Rename the columns"):
        read_drafts(write(tmp_path / "q.jsonl", {"question": "무엇?", "answer": "배"}))
