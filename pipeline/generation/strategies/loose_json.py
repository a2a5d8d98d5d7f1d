r"""Find instruction records in text that is meant to be JSON, however broken.

Strict parsing first is of no use: what it accepts, this accepts too, with the same values. The
scan looks for the record's keys and reads the string behind each, so that fences, text around,
trailing commas, missing braces, raw line breaks, quotes that were not escaped and a cut end cost
nothing but what is really missing. One pass, linear in the text; no recursion, no exceptions.
"""

import re
from json import JSONDecoder
from typing import NamedTuple

from pipeline.generation.strategies.drafting import Pieces

_KEY = re.compile(r'"(instruction|input|output|지시|입력|출력)"\s*:\s*', re.IGNORECASE)
_FIELD = {"지시": "instruction", "입력": "input", "출력": "output"}

# A quote ends its string only before a comma and the next key, a closing bracket, a fence or the
# end of the text; any other was meant as part of the text.
_STRING_END = re.compile(r'\s*(?:,\s*"[^"\\\n]{1,40}"\s*:|,?\s*(?:[}\]]|```|\Z))')
_QUOTE_OR_ESCAPE = re.compile(r'\\.|"', re.DOTALL)
_BARE_END = re.compile(r'\s*(?:,\s*"[^"\\\n]{1,40}"\s*:|,?\s*\}|\Z)')

_DECODER = JSONDecoder(strict=False)

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}


class _Value(NamedTuple):
    text: str
    end: int
    is_cut: bool


def find_records(text: str) -> list[Pieces]:
    """Collect the records in order; one begins when a key comes that the last one has already."""
    records: list[Pieces] = []
    fields: dict[str, _Value] = {}
    key = _KEY.search(text)
    while key:
        name = _FIELD.get(key[1], key[1].lower())
        if name in fields:
            records.extend(_to_pieces(fields))
            fields = {}
        value = _read_value(text, key.end())
        fields[name] = value
        key = _KEY.search(text, value.end)
    return records + _to_pieces(fields, text)


def _to_pieces(fields: dict[str, _Value], text: str = "}") -> list[Pieces]:
    """Make the record, if there is one; ``text`` tells whether the last one's object was closed."""
    if "instruction" not in fields:
        return []
    is_cut = any(value.is_cut for value in fields.values())
    if "output" not in fields:
        is_cut = is_cut or "}" not in text[max(value.end for value in fields.values()) - 1 :]
    found = {name: value.text for name, value in fields.items()}
    return [Pieces(found["instruction"], found.get("input", ""), found.get("output", ""), is_cut)]


def _read_value(text: str, start: int) -> _Value:
    if not text.startswith('"', start):
        return _read_bare(text, start)
    position = start + 1
    for token in _QUOTE_OR_ESCAPE.finditer(text, position):
        if token[0] == '"' and _STRING_END.match(text, token.end()):
            return _Value(_unescape(text[position : token.start()]), token.end(), is_cut=False)
    return _Value(_unescape(text[position:]), len(text), is_cut=True)


def _read_bare(text: str, start: int) -> _Value:
    """Read a value that is no string: null is nothing, all else stays as it was written."""
    try:
        _, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        found = _BARE_END.search(text, start)
        end = found.start() if found else len(text)
    raw = text[start:end].strip()
    return _Value("" if raw == "null" else raw, end, is_cut=end == len(text))


def _unescape(raw: str) -> str:
    return _ESCAPE.sub(_replace_escape, raw)


def _replace_escape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "u" and len(code) == 5:
        return chr(int(code[1:], 16))
    # An unknown escape such as \\( is LaTeX or a path that was not escaped: it stays.
    return _ESCAPED.get(code, match[0])
