"""Files of saved indexes: arrays, texts and a header that says what they are an index of.

A file is written whole or not at all, and read whole or not at all: a checksum over its content
tells a damaged or truncated one. Nothing in it is executed when it is read. An index is derived
from records, so a file that is of no use is never an error of the user's: it is built again.
"""

import io
import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import PacaloomError
from schemas.storage import atomic_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAGIC = b"pacaloom-index/1\n"
_CHECKSUM_BYTES = 32


class IndexFileError(PacaloomError):
    """The file is no index, is damaged, or is the index of something else; build it again."""


def write_index(
    path: Path, header: Mapping[str, str], arrays: Mapping[str, "NDArray[np.generic]"]
) -> None:
    """Write arrays of numbers or bytes with a header that names what they are.

    Raises:
        StorageError: The file cannot be written; an earlier one stays.
    """
    import numpy as np

    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    body = json.dumps(dict(header), sort_keys=True).encode() + b"\n" + buffer.getvalue()
    checksum = blake2b(body, digest_size=_CHECKSUM_BYTES).digest()
    with atomic_path(path) as temporary:
        temporary.write_bytes(_MAGIC + checksum + body)


def read_index(path: Path, header: Mapping[str, str]) -> dict[str, "NDArray[np.generic]"]:
    """Read the arrays of a file with just this header.

    Raises:
        IndexFileError: The file is missing, damaged, of another format or another header.
    """
    import numpy as np

    try:
        content = path.read_bytes()
    except OSError as error:
        raise IndexFileError(f"{path}: {error.strerror}.") from error
    start = len(_MAGIC) + _CHECKSUM_BYTES
    body = content[start:]
    if not content.startswith(_MAGIC):
        raise IndexFileError(f"{path} is no index of this version of Pacaloom.")
    if blake2b(body, digest_size=_CHECKSUM_BYTES).digest() != content[len(_MAGIC) : start]:
        raise IndexFileError(f"{path} is damaged or truncated: its checksum does not hold.")
    head, _, packed = body.partition(b"\n")
    found = json.loads(head)
    if found != dict(header):
        raise IndexFileError(f"{path} is an index of {found}, wanted {dict(header)}.")
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return dict(arrays)


def pack_texts(texts: Sequence[str]) -> "NDArray[np.uint8]":
    """Make one array of texts that may hold any character: their lengths, then all of them."""
    import numpy as np

    lengths = np.array([len(texts), *map(len, texts)], np.int64).tobytes()
    return np.frombuffer(lengths + "".join(texts).encode("utf-8", "surrogatepass"), np.uint8)


def unpack_texts(packed: "NDArray[np.generic]") -> list[str]:
    """Get back what :func:`pack_texts` made an array of."""
    import numpy as np

    content = packed.tobytes()
    head = 8 * (int.from_bytes(content[:8], "little") + 1)
    ends = np.cumsum(np.frombuffer(content[8:head], np.int64)).tolist()
    joined = content[head:].decode("utf-8", "surrogatepass")
    return [joined[start:end] for start, end in zip([0, *ends], ends, strict=False)]
