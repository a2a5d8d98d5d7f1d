"""JSON lines, and JSON lists with one element a line, written and read as streams."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from pydantic_core import to_json

from pipeline.publishing.exports.contract import ExportError

# JSON leaves these as they are (U+0085, U+2028, U+2029 in UTF-8), but str.splitlines() ends a line
# at each, and readers that use it would cut a record in two. Controls are escaped by JSON itself.
_LINE_ENDS = re.compile(b"\xc2\x85|\xe2\x80[\xa8\xa9]")

Object = Mapping[str, object]


def write_json_lines(path: Path, objects: Iterable[Object]) -> None:
    """Write one object a line, in UTF-8, Hangul as it is."""
    with path.open("wb") as file:
        file.writelines(encode(one) + b"\n" for one in objects)


def write_json_list(path: Path, objects: Iterable[Object]) -> None:
    """Write a list with one element a line; there is at least one."""
    with path.open("wb") as file:
        before = b"[\n"
        for one in objects:
            file.write(before + encode(one))
            before = b",\n"
        file.write(b"\n]\n")


def encode(one: object) -> bytes:
    """Encode as JSON on one line, by any reader's notion of a line."""
    # Four times as fast as the standard library's.
    text = to_json(one)
    return _LINE_ENDS.sub(lambda found: f"\\u{ord(found.group().decode()):04x}".encode(), text)


def read_json_lines(path: Path) -> Iterator[dict[str, object]]:
    """Read one object a line.

    Raises:
        ExportError: Names file and line of what is no object.
    """
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            yield _decode(line, path, number)


def read_json_list(path: Path) -> Iterator[dict[str, object]]:
    """Read a list that :func:`write_json_list` wrote, as a stream.

    Raises:
        ExportError: Names file and line of what is no object.
    """
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            stripped = line.strip()
            if stripped not in ("[", "]"):
                yield _decode(stripped.removesuffix(","), path, number)


def _decode(line: str, path: Path, number: int) -> dict[str, object]:
    try:
        value: object = json.loads(line)
    except ValueError as error:
        raise ExportError(f"{path}:{number}: wanted a JSON object, {error}.") from error
    if not isinstance(value, dict):
        raise ExportError(f"{path}:{number}: wanted a JSON object, found {line[:40]!r}.")
    return cast("dict[str, object]", value)
