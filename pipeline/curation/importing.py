"""Read records that others made: any JSON lines of instruction, input, output, language.

Each row becomes one draft, however poor its text; curation decides. Other columns are ignored.
"""

import re
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from schemas.errors import UserError
from schemas.records import Draft, Language, Provenance
from schemas.storage import read_jsonl

_HANGUL = re.compile(r"[가-힣]")


class ImportedFileError(UserError):
    """The file holds no records, or records of another kind."""


def _none_is_empty(value: object) -> object:
    return "" if value is None else value


OptionalText = Annotated[str, BeforeValidator(_none_is_empty)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")

    instruction: OptionalText = ""
    input: OptionalText = ""
    output: OptionalText = ""
    language: Language | None = None


def read_drafts(path: Path) -> list[Draft]:
    """Read drafts in file order; a row without a language is Korean when it has a Hangul syllable.

    Raises:
        RecordFileError: The file cannot be read, or a line is no object of texts.
        ImportedFileError: The file has no rows, or none with an instruction.
    """
    rows = list(read_jsonl(path, _Row))
    if not rows:
        raise ImportedFileError(f"{path} holds no record; wanted one JSON object a line.")
    if not any("instruction" in row.model_fields_set for row in rows):
        raise ImportedFileError(
            f"{path}: wanted lines with instruction, output and perhaps input and language, "
            f"found none with an instruction among {len(rows)}. Rename the columns."
        )
    return [
        Draft(
            instruction=row.instruction,
            input=row.input,
            output=row.output,
            language=row.language or _guess_language(row),
            provenance=Provenance(
                strategy="import", teacher=path.name, completion_id=f"{path.name}:{number}"
            ),
        )
        for number, row in enumerate(rows, start=1)
    ]


def _guess_language(row: _Row) -> Language:
    return "ko" if _HANGUL.search(row.instruction + row.output) else "en"
