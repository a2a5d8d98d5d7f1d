"""Read what a GGUF file says about itself, its tokenizer included, with the types of all values.

The gguf package's reader makes an array view of each of Gemma's 262,144 tokens and takes 10 CPU-s;
this one takes 0.3. Format: the ggml project's docs/gguf.md, version 3.
"""

import struct
from pathlib import Path
from typing import IO, NamedTuple

from gguf import GGUFValueType

from schemas.errors import UserError

Scalar = int | float | bool | str
Value = Scalar | list[Scalar]

_FORMATS = {
    GGUFValueType.UINT8: "<B",
    GGUFValueType.INT8: "<b",
    GGUFValueType.UINT16: "<H",
    GGUFValueType.INT16: "<h",
    GGUFValueType.UINT32: "<I",
    GGUFValueType.INT32: "<i",
    GGUFValueType.FLOAT32: "<f",
    GGUFValueType.BOOL: "<?",
    GGUFValueType.UINT64: "<Q",
    GGUFValueType.INT64: "<q",
    GGUFValueType.FLOAT64: "<d",
}
_MAGIC = b"GGUF"


class GgufError(UserError):
    """A GGUF file cannot be read, or a student cannot become one."""


class Entry(NamedTuple):
    """One value of a GGUF file's metadata."""

    value: Value
    kind: GGUFValueType
    of: GGUFValueType | None = None
    """Of an array's elements."""


def read_metadata(path: Path) -> dict[str, Entry]:
    """Read all metadata, in the order of the file.

    Raises:
        GgufError: It is no GGUF file of version 2 or 3, or it is cut off.
    """
    try:
        with path.open("rb") as file:
            magic, version, _, count = struct.unpack("<4sIQQ", file.read(24))
            if magic != _MAGIC or version not in (2, 3):
                raise GgufError(f"{path}: wanted a GGUF file of version 2 or 3.")
            return dict(_read_pair(file) for _ in range(count))
    except (OSError, struct.error, UnicodeDecodeError, ValueError) as error:
        raise GgufError(
            f"{path} cannot be read as a GGUF file: {error}. Fetch it again."
        ) from error


def _read_pair(file: IO[bytes]) -> tuple[str, Entry]:
    key = _read_string(file)
    kind = GGUFValueType(_read_number(file, "<I"))
    if kind != GGUFValueType.ARRAY:
        return key, Entry(_read_scalar(file, kind), kind)
    of = GGUFValueType(_read_number(file, "<I"))
    count = int(_read_number(file, "<Q"))
    if of == GGUFValueType.STRING:
        return key, Entry([_read_string(file) for _ in range(count)], kind, of)
    code = _FORMATS[of][1]
    numbers = struct.unpack(f"<{count}{code}", file.read(count * struct.calcsize(f"<{code}")))
    return key, Entry(list(numbers), kind, of)


def _read_scalar(file: IO[bytes], kind: GGUFValueType) -> Scalar:
    return (
        _read_string(file) if kind == GGUFValueType.STRING else _read_number(file, _FORMATS[kind])
    )


def _read_string(file: IO[bytes]) -> str:
    length = int(_read_number(file, "<Q"))
    return file.read(length).decode()


def _read_number(file: IO[bytes], code: str) -> int | float | bool:
    return struct.unpack(code, file.read(struct.calcsize(code)))[0]
