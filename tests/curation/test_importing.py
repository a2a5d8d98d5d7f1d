"""JSON lines and lists of Alpaca's columns can be curated; other files are named."""

import gzip
import json
import unicodedata
from pathlib import Path

import pytest

from pipeline.curation.imported_rows import ImportedFileError
from pipeline.curation.importing import read_drafts
from schemas.records import Draft, Language

EN = {"instruction": "Name a fruit.", "output": "Pear"}
KO = {"instruction": "과일을 말해 줘.", "output": "배"}


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def read_bytes(folder: Path, content: bytes, name: str = "r.jsonl") -> list[Draft]:
    path = folder / name
    path.write_bytes(content)
    return read_drafts(path)


def complaint_about(folder: Path, content: bytes, name: str = "r.jsonl") -> str:
    """Return what is said of a file that cannot be imported: one line that begins with it."""
    with pytest.raises(ImportedFileError) as caught:
        read_bytes(folder, content, name)
    message = str(caught.value)
    assert message.startswith(str(folder / name))
    assert "wanted" in message
    assert "found" in message
    assert "\n" not in message
    return message


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


@pytest.mark.parametrize("indent", [None, 2])
def test_list_of_objects_is_read_as_its_lines_would_be(tmp_path: Path, indent: int | None) -> None:
    content = json.dumps([EN, KO], ensure_ascii=False, indent=indent).encode()

    drafts = read_bytes(tmp_path, b"\n" + content, "alpaca.json")

    assert [(draft.instruction, draft.language) for draft in drafts] == [
        ("Name a fruit.", "en"),
        ("과일을 말해 줘.", "ko"),
    ]
    assert drafts[1].provenance.completion_id == "alpaca.json:2"


def test_row_with_missing_fields_stays_for_curation_to_reject(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", {"instruction": "Name a fruit."}, {"output": "배"})

    assert [(d.instruction, d.output) for d in read_drafts(path)] == [
        ("Name a fruit.", ""),
        ("", "배"),
    ]


@pytest.mark.parametrize("value", [True, ["배"], {"text": "배"}, [], {}])
@pytest.mark.parametrize("field", ["instruction", "input", "output"])
def test_field_that_is_no_text_makes_a_draft_that_holds_the_whole_row(
    tmp_path: Path, field: str, value: object
) -> None:
    row = {**EN, "input": "", field: value}

    draft = read_drafts(write(tmp_path / "r.jsonl", row))[0]

    assert draft.defect == "wrong-type"
    assert json.loads(draft.output) == row


def test_number_is_read_as_it_is_written_and_nan_as_nothing(tmp_path: Path) -> None:
    lines = b'{"instruction": "12.5 * 2?", "input": NaN, "output": 25.00}\n'
    lines += b'{"instruction": 7, "output": ' + b"9" * 5000 + b"}"

    first, second = read_bytes(tmp_path, lines)

    assert (first.input, first.output) == ("", "25.00")
    assert (second.instruction, len(second.output)) == ("7", 5000)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r", "\n \n\t\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_make_no_difference(
    tmp_path: Path, ends: str, mark: str
) -> None:
    rows = [json.dumps(row, ensure_ascii=False) for row in (EN, KO)]

    # With a mark before each, as joined files have.
    drafts = read_bytes(tmp_path, "".join(mark + row + ends for row in rows).encode())

    assert [draft.instruction for draft in drafts] == [EN["instruction"], KO["instruction"]]


def test_line_separators_within_texts_end_no_line(tmp_path: Path) -> None:
    draft = read_drafts(write(tmp_path / "r.jsonl", {**EN, "output": "a\u2028b\u2029c\x85d"}))[0]

    assert draft.output == "a\u2028b\u2029c\x85d"


def test_surrogates_and_control_characters_stay_for_curation_to_reject(tmp_path: Path) -> None:
    lines = b'{"instruction": "a \\ud800 b", "output": "c \x00\x07\t d"}'

    draft = read_bytes(tmp_path, lines)[0]

    assert (draft.instruction, draft.output) == ("a \ud800 b", "c \x00\x07\t d")


@pytest.mark.parametrize("language", [None, ""])
@pytest.mark.parametrize(
    ("text", "guessed"),
    [
        ("Name a fruit.", "en"),
        ("과일을 말해 줘.", "ko"),
        (unicodedata.normalize("NFD", "과일을 말해 줘."), "ko"),
        ("ㅋㅋㅋ", "ko"),
        ("😀", "en"),
    ],
)
def test_language_is_guessed_where_none_is_given(
    tmp_path: Path, language: str | None, text: str, guessed: Language
) -> None:
    row = {"instruction": text, "output": "🎉", "language": language}

    assert read_drafts(write(tmp_path / "r.jsonl", row))[0].language == guessed


@pytest.mark.parametrize("language", ["fr", "KO", "Korean", 3, ["ko"], True])
def test_other_language_is_named_by_line_with_what_is_allowed(
    tmp_path: Path, language: object
) -> None:
    path = write(tmp_path / "r.jsonl", EN, {**EN, "language": language})

    with pytest.raises(ImportedFileError, match=r"r\.jsonl:2: language: wanted 'en' or 'ko', foun"):
        read_drafts(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'["a"]', ": record 1: wanted an object"),
        (b'[{"instruction": "a"}, null]', ": record 2: wanted an object"),
        (
            b'{"instruction": "a"}\nnull',
            ":2: wanted an object with instruction and output, found n",
        ),
        (b'"a"', ":1: wanted an object"),
        (b'{"instruction": "a"}\n{"instruction": "b', ":2: wanted JSON lines"),
        (b'[{"instruction": "a"},\n\n {"instruction": ]', "at line 3, column 18"),
        (b'{\n "instruction": "a"\n}', "jq -c"),
        (b"instruction,output\na,b\n", ":1: wanted JSON lines"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"instruction": "a", "x": ' + b"[" * 9000 + b"]" * 9000 + b"}", ":1: wanted an object"),
        (b"", "at least one record"),
        (b" \r\n\n", "at least one record"),
        (b"[]", "at least one record"),
        (b"{}", "found no column among 1"),
        (b'{"question": "a", "answer": "b"}', "found only question, answer among 1. Rename"),
    ],
)
def test_what_is_no_record_is_named_by_place(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in complaint_about(tmp_path, content)


@pytest.mark.parametrize("depth", range(900, 1000, 7))
def test_nesting_of_any_depth_is_read_or_named(tmp_path: Path, depth: int) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth

    try:
        outcome = str(read_bytes(tmp_path, b'{"instruction": ' + nested + b"}")[0].defect)
    except ImportedFileError as error:
        outcome = str(error)

    assert outcome == "wrong-type" or "nested too deeply" in outcome


@pytest.mark.parametrize(
    ("content", "name", "found", "way_out"),
    [
        (b"PAR1\x15\x04", "r.parquet", "a Parquet table", "to_json("),
        (b"PAR1\x15\x04", "r.jsonl", "a Parquet table", "to_json("),
        (b"a,b\n1,2\n", "r.csv", "a csv table", "to_json("),
        (b"a\tb\n", "r.TSV", "a TSV table", "to_json("),
        (gzip.compress(b"{}"), "r.jsonl.gz", "a gzip file", "gunzip"),
        (b"PK\x03\x04", "r.xlsx", "a ZIP archive or spreadsheet", "Unpack"),
        (json.dumps(EN).encode("utf-16"), "r.jsonl", "UTF-16 text", "iconv -f UTF-16 "),
        (json.dumps(EN).encode("utf-16-le"), "r.jsonl", "NUL bytes", "iconv -f UTF-16LE"),
        (json.dumps(EN).encode("utf-32"), "r.jsonl", "UTF-32 text", "iconv -f UTF-32"),
        (b"{}\n" + "caf\xe9".encode("latin-1"), "r.jsonl", "byte 0xe9 after 3 ch", "iconv"),
        ("배".encode("cp949"), "r.jsonl", "byte 0xb9 after 0 characters", "CP949"),
        (b"[\n" + "배".encode("cp949"), "r.json", "byte 0xb9", "iconv"),
    ],
    ids=range(12),
)
def test_file_of_another_kind_is_named_with_the_way_out(
    tmp_path: Path, content: bytes, name: str, found: str, way_out: str
) -> None:
    message = complaint_about(tmp_path, content, name)

    assert f"found {found}" in message
    assert way_out in message


def test_path_that_is_no_file_is_named(tmp_path: Path) -> None:
    loop = tmp_path / "loop.jsonl"
    loop.symlink_to(loop)

    for path, words in [
        (tmp_path, "found a folder"),
        (tmp_path / "gone.jsonl", "no such file"),
        (loop, "symbolic links"),
        (tmp_path / ("가" * 300), "too long"),
    ]:
        with pytest.raises(ImportedFileError, match=words):
            read_drafts(path)


def test_file_name_that_is_no_utf8_can_be_stored(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.jsonl"
    path.write_text(json.dumps(EN), "utf-8")

    assert read_drafts(path)[0].provenance.completion_id == "caf\ufffd.jsonl:1"
