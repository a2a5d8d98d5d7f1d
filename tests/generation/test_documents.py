"""Files of documents: what is read, and how each fault is named by file, line and field."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from pipeline.generation.documents import DocumentFileError, load_documents

EN = {
    "id": "en-1",
    "title": "Why does bread go stale?",
    "body": "Even in a bag it turns hard.",
    "answer": "The starch crystallises again and gives off its water.",
    "language": "en",
    "licence": "CC-BY-SA-4.0",
}
KO = {
    "id": "ko-1",
    "title": "빵은 왜 굳나요?",
    "body": "봉지에 넣어 두어도 딱딱해져요.",
    "answer": "전분이 다시 결정으로 굳으면서 물을 내놓기 때문입니다.",
    "language": "ko",
    "licence": "CC-BY-SA-4.0",
}


def write_rows(folder: Path, *rows: object) -> Path:
    path = folder / "documents.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def without(row: dict[str, str], *keys: str) -> dict[str, str]:
    return {key: value for key, value in row.items() if key not in keys}


def test_documents_come_in_file_order_with_all_their_fields(tmp_path: Path) -> None:
    documents = load_documents(write_rows(tmp_path, KO, "", EN))

    assert [document.model_dump() for document in documents] == [KO, EN]


def test_body_may_be_absent_or_null(tmp_path: Path) -> None:
    path = write_rows(tmp_path, without(EN, "body"), {**KO, "body": None})

    assert [document.body for document in load_documents(path)] == ["", ""]


def test_american_spelling_numeric_ids_and_further_columns_are_read(tmp_path: Path) -> None:
    row = {**without(EN, "licence"), "license": "MIT", "id": 17, "score": 3, "tags": ["bread"]}

    [document] = load_documents(write_rows(tmp_path, row))

    assert (document.id, document.licence) == ("17", "MIT")


def test_decomposed_hangul_is_composed(tmp_path: Path) -> None:
    row = {**KO, "title": unicodedata.normalize("NFD", KO["title"])}

    [document] = load_documents(write_rows(tmp_path, row))

    assert document.title == KO["title"]


@pytest.mark.parametrize(
    ("title", "answer", "language"),
    [
        pytest.param(EN["title"], EN["answer"], "en", id="English"),
        pytest.param(KO["title"], KO["answer"], "ko", id="Korean"),
        pytest.param(
            "pandas groupby 질문",
            "이렇게 하면 됩니다.\ndf.groupby('city')['sales'].sum().reset_index()",
            "ko",
            id="Korean around code",
        ),
        pytest.param(
            "What does 안녕 mean?",
            "It is an informal greeting among friends, for both hello and goodbye.",
            "en",
            id="English about Korean",
        ),
        pytest.param(unicodedata.normalize("NFD", "빵"), "굳는다", "ko", id="decomposed jamo"),
        pytest.param("2 + 2?", "4", "en", id="no letters"),
    ],
)
def test_language_is_read_from_the_script_when_it_is_not_named(
    tmp_path: Path, title: str, answer: str, language: str
) -> None:
    row = {"id": "d", "title": title, "answer": answer, "licence": "CC0-1.0"}

    [document] = load_documents(write_rows(tmp_path, row))

    assert document.language == language


def test_named_language_wins_over_the_script(tmp_path: Path) -> None:
    [document] = load_documents(write_rows(tmp_path, {**EN, "language": "ko"}))

    assert document.language == "ko"


def test_koalpaca_rows_are_read_where_each_names_its_licence(tmp_path: Path) -> None:
    row = {"instruction": KO["title"], "output": KO["answer"], "url": "u", "licence": "CC-BY-4.0"}

    [document] = load_documents(write_rows(tmp_path, row))
    [again] = load_documents(write_rows(tmp_path, {**row, "url": "v"}))

    assert (document.title, document.answer) == (KO["title"], KO["answer"])
    assert (document.body, document.language, document.licence) == ("", "ko", "CC-BY-4.0")
    assert document.id == again.id


@pytest.mark.parametrize(
    ("row", "words"),
    [
        pytest.param(without(EN, "licence"), ["licence", "Field required", "shared"], id="licence"),
        pytest.param({**KO, "licence": " "}, ["licence", "shared"], id="blank licence"),
        pytest.param({**KO, "licence": None}, ["licence", "shared"], id="null licence"),
        pytest.param({"instruction": "질문", "output": "답"}, ["licence"], id="KoAlpaca's licence"),
        pytest.param(without(KO, "answer"), ["answer", "Field required"], id="answer missing"),
        pytest.param({**KO, "answer": "\n"}, ["answer", "at least 1"], id="blank answer"),
        pytest.param(without(EN, "title"), ["title", "Field required"], id="title missing"),
        pytest.param({**EN, "title": ""}, ["title", "at least 1"], id="empty title"),
        pytest.param(without(EN, "id"), ["id", "Field required"], id="id missing"),
        pytest.param({**EN, "language": "fr"}, ["language", "'en' or 'ko'"], id="third language"),
        pytest.param({**EN, "answer": ["a"]}, ["answer", "string"], id="answer no string"),
        pytest.param('{"id": "x", ', ["line", "not JSON"], id="cut line"),
        pytest.param("[1]", ["line", "JSON object"], id="no object"),
        pytest.param('{"a":' + "[" * 100_000, ["line", "not JSON"], id="nested without end"),
        pytest.param(KO, ["id", "'ko-1'", "line 1 already"], id="id twice"),
        pytest.param(
            '{"id": "s", "title": "\\ud800"}', ["line", "Invalid JSON"], id="lone surrogate"
        ),
    ],
)
def test_fault_is_named_by_file_line_and_field(tmp_path: Path, row: Any, words: list[str]) -> None:
    path = write_rows(tmp_path, KO, "", row)

    with pytest.raises(DocumentFileError) as caught:
        load_documents(path)

    message = str(caught.value)
    assert message.startswith(f"{path}:3: {words[0]}:")
    assert "\n" not in message
    assert all(word in message for word in words)


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_empty_file_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "documents.jsonl"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(DocumentFileError, match="found none"):
        load_documents(path)


def test_missing_file_folder_and_other_encoding_are_errors(tmp_path: Path) -> None:
    euc_kr = tmp_path / "old.jsonl"
    euc_kr.write_bytes('{"title": "빵"}'.encode("euc-kr"))

    for path, words in (
        (tmp_path / "none.jsonl", "no such"),
        (tmp_path, "read"),
        (euc_kr, "UTF-8"),
    ):
        with pytest.raises(DocumentFileError, match=words):
            load_documents(path)


def test_text_may_hold_unicode_line_separators(tmp_path: Path) -> None:
    [document] = load_documents(write_rows(tmp_path, {**EN, "answer": "One.\u2028Two.\x85Three."}))

    assert document.answer == "One.\u2028Two.\x85Three."
