"""Questions with accepted answers from a file of the user's: what KoAlpaca v1.1 was made from.

Read from JSON lines: our own form has id, title, body, answer, language and licence; the columns
of KoAlpaca v1.1 (instruction, output, url) are read too where each row also names its licence,
which the published file does not. Further columns are not read. Cost grows with the file.
"""

import json
import re
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import UserError
from schemas.frozen import Frozen
from schemas.identity import short_id
from schemas.records import Language, NonEmptyText, Text
from schemas.storage import describe_validation_error

# Share of Hangul among the letters from which a text is Korean: a Korean answer that is mostly
# code still has a fifth, an English one about a few Korean words less than a twentieth.
_LEAST_HANGUL = 0.1
_HANGUL = re.compile(r"[가-힣ㄱ-ㆎ\u1100-\u11ff]")


class Document(Frozen):
    """A question that people asked and its accepted answer, as a source for a record."""

    id: str = Field(min_length=1)
    """Unique within its file."""
    title: NonEmptyText
    body: Text = ""
    """What the asker wrote below the title."""
    answer: NonEmptyText
    language: Language
    licence: str = Field(min_length=1)
    """Under which the text may be used; kept in each record made from it."""


class DocumentFileError(UserError):
    """A file of documents is missing, empty, or one of its lines is broken."""


_Licence = Annotated[NonEmptyText, Field(validation_alias=AliasChoices("licence", "license"))]


class _OwnRow(BaseModel):
    """A line of our own form; numbers do as ids, because many sites number their questions."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: NonEmptyText
    title: NonEmptyText
    body: Text | None = None
    answer: NonEmptyText
    language: Language | None = None
    licence: _Licence

    def to_document(self) -> Document:
        body = self.body or ""
        language = self.language or _read_language(self.title, body, self.answer)
        return Document(
            id=self.id,
            title=self.title,
            body=body,
            answer=self.answer,
            language=language,
            licence=self.licence,
        )


class _KoAlpacaRow(BaseModel):
    """A line in KoAlpaca v1.1's columns; ``url`` is not read."""

    instruction: NonEmptyText
    output: NonEmptyText
    licence: _Licence

    def to_document(self) -> Document:
        return Document(
            id=f"koalpaca-{short_id(self.instruction, self.output)}",
            title=self.instruction,
            answer=self.output,
            language=_read_language(self.instruction, self.output),
            licence=self.licence,
        )


class _Place(NamedTuple):
    """A line of a file, as errors name it."""

    path: Path
    number: int

    def __str__(self) -> str:
        return f"{self.path}:{self.number}"


def load_documents(path: Path) -> list[Document]:
    """Read a JSONL file of documents, in file order.

    Raises:
        DocumentFileError: Names file, line and field of the first fault.
    """
    documents: list[Document] = []
    first_line: dict[str, int] = {}
    for number, line in enumerate(_read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        place = _Place(path, number)
        document = _read_document(place, line)
        if document.id in first_line:
            raise DocumentFileError(
                f"{place}: id: {document.id!r} stands on line {first_line[document.id]} already. "
                "Remove one of the two lines or give it an id of its own."
            )
        first_line[document.id] = number
        documents.append(document)
    if not documents:
        raise DocumentFileError(f"{path}: wanted documents, one JSON object a line; found none.")
    return documents


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DocumentFileError(
            f"{path}: no such file of documents. Give the path of a JSONL file."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentFileError(f"{path}: cannot be read as UTF-8 text: {error}") from error


def _read_document(place: _Place, line: str) -> Document:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DocumentFileError(f"{place}: line: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise DocumentFileError(f"{place}: line: wanted a JSON object.")
    is_koalpaca = "instruction" in value and "title" not in value
    row = _KoAlpacaRow if is_koalpaca else _OwnRow
    try:
        return row.model_validate_json(line).to_document()
    except ValidationError as error:
        raise DocumentFileError(f"{place}: {_describe(error)}") from error


def _describe(error: ValidationError) -> str:
    fault = describe_validation_error(error)
    if not fault.startswith("licence:"):
        return fault
    return (
        f'{fault}. Write the terms of the text, such as "CC-BY-SA-4.0", into "licence": records '
        "made from it can be shared under these alone."
    )


def _read_language(*texts: str) -> Language:
    letters = sum(character.isalpha() for text in texts for character in text)
    hangul = sum(len(_HANGUL.findall(text)) for text in texts)
    return "ko" if hangul and hangul >= _LEAST_HANGUL * letters else "en"
