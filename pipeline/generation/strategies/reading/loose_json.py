r"""Find records and fields in text that is meant to be JSON, however broken.

Strict parsing first is of no use: what it accepts, this accepts too, with the same values. The
scan looks for known keys and reads the value behind each, so that fences, text around, trailing
commas, missing braces, raw line breaks, quotes that were not escaped, single or curly quotes,
full-width colons and a cut end cost nothing but what is really missing. One pass, linear in the
text (white space is matched possessively, or a long run of it would be scanned once for each of
its places); no recursion, no exceptions.
"""

import re
from json import JSONDecoder
from typing import NamedTuple

from pipeline.generation.strategies.reading.drafting import Pieces

_OPEN = "[\"'\u201c]"
_CLOSE = "[\"'\u201d]"
_COLON = r"\s*+[:\uff1a]\s*+"
_COMMA = r"[,\uff0c]"
_PARTS = "instruction|input|output|지시|입력|출력"
_PART = {"지시": "instruction", "입력": "input", "출력": "output"}

# A quote ends its string only before a comma and the next key, a closing bracket, a fence or the
# end of the text; any other was meant as part of the text.
_NEXT_KEY = rf"{_OPEN}[^\"'\u201c\u201d\\\n]{{1,40}}{_CLOSE}{_COLON}"
_STRING_END = re.compile(
    rf"\s*+(?:{_COMMA}\s*+(?:{_NEXT_KEY}|[}}\]]|```|\Z)|[}}\]]|```|\Z)"
)  # fmt: skip
_BARE_END = re.compile(rf"{_COMMA}\s*+(?:{_NEXT_KEY}|\}})|\}}|\Z")
_QUOTE_OR_ESCAPE = {
    '"': re.compile(r'\\.|"', re.DOTALL),
    "'": re.compile(r"\\.|'", re.DOTALL),
    "\u201c": re.compile("\\\\.|\u201d", re.DOTALL),
}

_DECODER = JSONDecoder(strict=False)
# Characters of a value that is no string. Without a bound, lists that are never closed would be
# read to the end of the text once for each key within them.
_LONGEST_BARE = 1_000

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {
    "'": "'",
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "\\": "\\",
    "/": "/",
}


class Field(NamedTuple):
    """A key that was looked for and the value behind it."""

    key: str
    text: str
    end: int
    """Place behind the value."""
    is_cut: bool
    """The text ended inside the value."""


def compile_key(names: str) -> re.Pattern[str]:
    """Make the pattern of a quoted key with its colon; ``names`` is a regular expression."""
    return re.compile(rf"{_OPEN}({names}){_CLOSE}{_COLON}", re.IGNORECASE)


_PART_KEY = compile_key(_PARTS)


def find_fields(text: str, key: re.Pattern[str]) -> list[Field]:
    """Read the value behind each key, in order; keys inside a value that was read do not count."""
    fields: list[Field] = []
    found = key.search(text)
    while found:
        fields.append(_read_value(text, found[1], found.end()))
        found = key.search(text, fields[-1].end)
    return fields


def find_records(text: str) -> list[Pieces]:
    """Collect the records in order; what has no instruction is none."""
    return [pieces for pieces, names in _find_objects(text) if "instruction" in names]


def find_instances(text: str) -> list[Pieces]:
    """Collect pairs of input and output in order, whichever comes first; no instruction is read."""
    objects = _find_objects(text)
    return [pieces._replace(instruction="") for pieces, names in objects if names - {"instruction"}]


def _find_objects(text: str) -> list[tuple[Pieces, set[str]]]:
    """Group the fields: an object begins when a key comes that the last one has already."""
    objects: list[dict[str, Field]] = []
    for field in find_fields(text, _PART_KEY):
        name = _PART.get(field.key, field.key.lower())
        if not objects or name in objects[-1]:
            objects.append({})
        objects[-1][name] = field
    last = len(objects) - 1
    return [
        (_to_pieces(fields, text if index == last else "}"), set(fields))
        for index, fields in enumerate(objects)
    ]


def _to_pieces(fields: dict[str, Field], text: str) -> Pieces:
    """Make the record; ``text`` tells whether the last one's object was closed."""
    is_cut = any(field.is_cut for field in fields.values())
    if "output" not in fields:
        is_cut = is_cut or "}" not in text[max(field.end for field in fields.values()) - 1 :]
    found = {name: field.text for name, field in fields.items()}
    return Pieces(
        found.get("instruction", ""), found.get("input", ""), found.get("output", ""), is_cut
    )


def _read_value(text: str, key: str, start: int) -> Field:
    tokens = _QUOTE_OR_ESCAPE.get(text[start : start + 1])
    if tokens is None:
        return _read_bare(text, key, start)
    position = start + 1
    for token in tokens.finditer(text, position):
        if token[0][0] != "\\" and _STRING_END.match(text, token.end()):
            value = _unescape(text[position : token.start()])
            return Field(key, value, token.end(), is_cut=False)
    return Field(key, _unescape(text[position:]), len(text), is_cut=True)


def _read_bare(text: str, key: str, start: int) -> Field:
    """Read a value that is no string: null is nothing, all else stays as it was written."""
    try:
        _, length = _DECODER.raw_decode(text[start : start + _LONGEST_BARE])
        end = start + length
    except (ValueError, RecursionError):
        found = _BARE_END.search(text, start)
        end = found.start() if found else len(text)
    raw = text[start:end].strip()
    return Field(key, "" if raw == "null" else raw, end, is_cut=end == len(text))


def _unescape(raw: str) -> str:
    return _ESCAPE.sub(_replace_escape, raw)


def _replace_escape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "u" and len(code) == 5:
        return chr(int(code[1:], 16))
    # An unknown escape such as \\( is LaTeX or a path that was not escaped: it stays.
    return _ESCAPED.get(code, match[0])
