"""Read the rows of a file that others made: one JSON object a line, or one JSON list of objects.

Lenient in what costs nothing to get right: a byte order mark, any line ends, control characters
and lone surrogates within texts (curation rejects their records), NaN for nothing. A number is
read as it is written, so 1.50 stays so. What cannot be read is named by line, with the way out.
Lines are read one by one; a list has to fit into memory twice.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple, cast

from schemas.errors import UserError


class ImportedFileError(UserError):
    """The file cannot be read, holds no records, or records of another kind."""


class Row(NamedTuple):
    """One object of a file."""

    number: int
    """Its line; in a list its place, from 1."""
    where: str
    """The same with the file, for messages."""
    fields: Mapping[str, object]
    """Values are texts, None, truth values, lists and mappings; numbers came as texts."""


class _OtherKind(NamedTuple):
    """A kind of file that people take for records, known by its first bytes."""

    start: bytes
    name: str
    way_out: str


_WANTED = "wanted JSON lines or a JSON list of objects"
_EXPORT = (
    "Write its rows as JSON lines, with pandas: "
    "to_json(FILE, orient='records', lines=True, force_ascii=False)."
)
_OTHER_KINDS = (
    _OtherKind(b"PAR1", "a Parquet table", _EXPORT),
    _OtherKind(b"ARROW1", "an Arrow table", _EXPORT),
    _OtherKind(b"\xff\xff\xff\xff", "an Arrow table", _EXPORT),
    _OtherKind(b"SQLite format 3", "a database", _EXPORT),
    _OtherKind(b"\x1f\x8b", "a gzip file", "Unpack it with `gunzip --keep`."),
    _OtherKind(b"\x28\xb5\x2f\xfd", "a zstd file", "Unpack it with `zstd -d`."),
    _OtherKind(b"BZh", "a bzip2 file", "Unpack it with `bunzip2 --keep`."),
    _OtherKind(b"\xfd7zXZ", "an xz file", "Unpack it with `unxz --keep`."),
    _OtherKind(b"PK\x03\x04", "a ZIP archive or spreadsheet", f"Unpack it. {_EXPORT}"),
    _OtherKind(b"\xff\xfe\x00\x00", "UTF-32 text", "Convert it with `iconv -f UTF-32 -t UTF-8`."),
    _OtherKind(b"\xff\xfe", "UTF-16 text", "Convert it with `iconv -f UTF-16 -t UTF-8`."),
    _OtherKind(b"\xfe\xff", "UTF-16 text", "Convert it with `iconv -f UTF-16 -t UTF-8`."),
)
_HEAD_BYTES = 16
_UNDECODED = re.compile("[\udc80-\udcff]")


def read_rows(path: Path) -> Iterator[Row]:
    """Read the rows in file order; blank lines are skipped.

    Raises:
        ImportedFileError: Names file, line and what to do with the first thing that does not fit.
    """
    try:
        with path.open("rb") as file:
            _refuse_other_kinds(path, file.peek(_HEAD_BYTES)[:_HEAD_BYTES])
            # Bytes that are no UTF-8 become lone surrogates, so that their line can be named.
            text = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape")
            yield from _read_text(path, text)
    except OSError as error:
        raise ImportedFileError(_describe(path, error)) from error


def _describe(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path}: no such file; {_WANTED}. Mind that the path counts from here: {Path.cwd()}"
    if isinstance(error, IsADirectoryError):
        return f"{path}: {_WANTED}, found a folder. Name a file in it."
    return f"{path}: {_WANTED}, found a file that cannot be read: {error.strerror or error}."


def _refuse_other_kinds(path: Path, head: bytes) -> None:
    for kind in _OTHER_KINDS:
        if head.startswith(kind.start):
            raise ImportedFileError(f"{path}: {_WANTED}, found {kind.name}. {kind.way_out}")
    if b"\0" in head[:2]:
        raise ImportedFileError(
            f"{path}: {_WANTED} in UTF-8, found NUL bytes, as in UTF-16 text. Convert it with "
            "`iconv -f UTF-16LE -t UTF-8`; a file of NUL bytes alone is lost."
        )
    if path.suffix.lower() in (".csv", ".tsv") and not head.lstrip().startswith((b"{", b"[")):
        raise ImportedFileError(f"{path}: {_WANTED}, found a {path.suffix[1:]} table. {_EXPORT}")


def _read_text(path: Path, text: Iterable[str]) -> Iterator[Row]:
    lines = _check_lines(path, text)
    is_first = True
    for number, line in lines:
        if not line.strip():
            continue
        if is_first and line.lstrip().startswith("["):
            # With the blank lines before it, so that errors count lines as editors do.
            whole = "\n" * (number - 1) + line + "".join(rest for _, rest in lines)
            yield from _read_list(path, whole)
            return
        is_first = False
        where = f"{path}:{number}"
        yield Row(number, where, _as_object(where, _parse(where, line)))


def _check_lines(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, start=1):
        undecoded = _UNDECODED.search(line)
        if undecoded is not None:
            raise ImportedFileError(
                f"{path}:{number}: wanted UTF-8 text, found byte 0x{ord(undecoded[0]) - 0xDC00:x} "
                f"after {undecoded.start()} characters. Convert the file with "
                "`iconv -f ENCODING -t UTF-8`, where ENCODING is CP949 or LATIN1 perhaps."
            )
        # Files with byte order marks may have been joined.
        yield number, line.removeprefix("\ufeff")


def _read_list(path: Path, text: str) -> Iterator[Row]:
    found = _parse(f"{path}", text)
    if not isinstance(found, list):
        raise ImportedFileError(f"{path}: {_WANTED}, found {_kind(found)}.")
    for number, value in enumerate(cast(list[object], found), start=1):
        where = f"{path}: record {number}"
        yield Row(number, where, _as_object(where, value))


def _parse(where: str, text: str) -> object:
    """Parse one JSON value; numbers become the text that they are written as."""
    try:
        return json.loads(
            text,
            strict=False,
            parse_int=str,
            parse_float=str,
            parse_constant=_as_nothing,
        )
    except RecursionError as error:
        raise ImportedFileError(
            f"{where}: wanted an object of texts, found lists or objects nested too deeply to be "
            "read. Leave that column out."
        ) from error
    except json.JSONDecodeError as error:
        raise ImportedFileError(f"{where}: {_describe_json_error(text, error)}") from error


def _describe_json_error(text: str, error: json.JSONDecodeError) -> str:
    if text.strip() == "{":
        return (
            "wanted a whole object on one line, found one over several. Write each on one line, "
            "as `jq -c .` does."
        )
    line = f"line {error.lineno}, " if error.lineno > 1 else ""
    problem = f"{error.msg.removesuffix(' at')} at {line}column {error.colno}"
    return (
        f"{_WANTED}, found text that is no JSON ({problem}). Mend or remove it, or "
        "write the file anew with a JSON library."
    )


def _as_nothing(_constant: str) -> None:
    """Read NaN, which some libraries write where there is no value."""


def _as_object(where: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ImportedFileError(
            f"{where}: wanted an object with instruction and output, found {_kind(value)}. "
            "Name the columns, or remove it."
        )
    return cast(dict[str, object], value)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a truth value"
    return "a list" if isinstance(value, list) else "a text or number"
