"""Make drafts of records that others made, in files of instruction, input, output and language.

Each row becomes one draft, however poor its text; curation decides. Other columns are ignored.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from pipeline.curation.imported_rows import ImportedFileError, Row, read_rows
from schemas.records import LANGUAGES, Draft, Language, Provenance

_HANGUL = re.compile(r"[가-힣ㄱ-ㆎᄀ-ᇿ]")
_TEXTS = ("instruction", "input", "output")
_SHOWN_COLUMNS = 8
_SHOWN_CHARACTERS = 40


def read_drafts(path: Path) -> list[Draft]:
    """Read drafts in file order; a row without a language is Korean when it has a Hangul letter.

    A row whose instruction, input or output is no text becomes a draft that curation rejects.

    Raises:
        ImportedFileError: The file cannot be read, is of another kind, has no rows or none with
            an instruction; or a row is no object or names another language.
    """
    # No table can hold the bytes of a file name that is no UTF-8.
    file = path.name.encode(errors="surrogateescape").decode(errors="replace")
    drafts: list[Draft] = []
    columns: dict[str, None] = {}
    for row in read_rows(path):
        columns |= dict.fromkeys(row.fields)
        drafts.append(make_draft(row, file))
    if not drafts:
        raise ImportedFileError(
            f"{path}: wanted one JSON object a line, or a list of them, found none. "
            "Put at least one record into it."
        )
    if "instruction" not in columns:
        raise ImportedFileError(
            f"{path}: wanted records with instruction, output and perhaps input and language, "
            f"found {_name_columns(columns)} among {len(drafts)}. Rename the columns."
        )
    return drafts


def make_draft(row: Row, file: str) -> Draft:
    """Make the draft of one row of a file; its origin is ``FILE:NUMBER``.

    Raises:
        ImportedFileError: It names a language that is none of ours.
    """
    provenance = Provenance(strategy="import", teacher=file, completion_id=f"{file}:{row.number}")
    texts = {name: _as_text(row.fields.get(name)) for name in _TEXTS}
    found = {name: text for name, text in texts.items() if text is not None}
    language = _read_language(row) or _guess_language(found)
    if len(found) < len(_TEXTS):
        whole = json.dumps(row.fields, ensure_ascii=False)
        return Draft(output=whole, language=language, provenance=provenance, defect="wrong-type")
    return Draft(
        instruction=found["instruction"],
        input=found["input"],
        output=found["output"],
        language=language,
        provenance=provenance,
    )


def _as_text(value: object) -> str | None:
    """Take a text, nothing for null, and None for what is no text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else None


def _read_language(row: Row) -> Language | None:
    language = row.fields.get("language")
    if language is None or language == "":
        return None
    if language not in LANGUAGES:
        found = language if isinstance(language, str) else "something that is no text"
        raise ImportedFileError(
            f"{row.where}: language: wanted 'en' or 'ko', found {found[:_SHOWN_CHARACTERS]!r}. "
            "Change it, or leave the column out: then a record with Hangul is Korean."
        )
    return language


def _guess_language(texts: Mapping[str, str]) -> Language:
    judged = texts.get("instruction", "") + texts.get("output", "")
    return "ko" if _HANGUL.search(judged) else "en"


def _name_columns(columns: Mapping[str, None]) -> str:
    if not columns:
        return "no column"
    names = [name[:_SHOWN_CHARACTERS] for name in list(columns)[:_SHOWN_COLUMNS]]
    return f"only {', '.join(names)}" + (" …" if len(columns) > _SHOWN_COLUMNS else "")
