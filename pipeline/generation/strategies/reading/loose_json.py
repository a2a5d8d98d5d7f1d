r"""Find records and fields in text that is meant to be JSON, however broken.

Strict parsing first is of no use: an object of strings that it accepts is read here with the same
values, LaTeX aside, and a value of another kind stays as it was written. The scan looks for known
keys and reads the value behind each, so that fences, text around, comments, trailing commas,
missing braces, raw line breaks, quotes that were not escaped, single or curly quotes, full-width
colons and a cut end cost nothing but what is really missing. One pass, linear in the text (white
space is matched possessively and comments are bounded, or a long run of either would be scanned
once for each of its places); no exceptions.
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
_GAP = r"(?:\s*+(?://[^\n]{0,200}\n|/\*[^*]{0,200}\*/)){0,3}\s*+"
_STRING_END = re.compile(
    rf"{_GAP}(?:{_COMMA}{_GAP}(?:{_NEXT_KEY}|[}}\]]|```|\Z)|[}}\]]|```|\Z)"
)  # fmt: skip
_BARE_END = re.compile(rf"{_COMMA}{_GAP}(?:{_NEXT_KEY}|\}})|\}}|\Z")
_SCALAR = re.compile(r"(?:null|true|false|NaN|-?Infinity|-?\d[\d.eE+-]*+)(?=\s*+(?:[^\w\s]|\Z))")
_BRACKET_OR_STRING = re.compile(r'[\[{\]}]|"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_QUOTE_OR_ESCAPE = {
    '"': re.compile(r'\\.|"', re.DOTALL),
    "'": re.compile(r"\\.|'", re.DOTALL),
    "\u201c": re.compile("\\\\.|\u201d", re.DOTALL),
}

_DECODER = JSONDecoder(strict=False)
_ARRAY_OF_STRINGS = re.compile(r'\[\s*+"')

# Backslashes of formulas that were not doubled; read as escapes they would be tabs and line breaks.
_COMMANDS = (
    r"(?:bar|beta|begin|big|binom|bmod|bot|boxed|forall|frac|nabla|neg?q?|nmid|not(?:in)?|nu|rangle"
    r"|re(?:qual|f)|rho|right(?:arrow)?|tan|tau|text(?:bf|it|rm)?|tfrac|theta|tilde|times|to|top"
    r"|triangle)(?![A-Za-z])"
)
_FORMULA = re.compile(r"\$[^$\n]{1,200}\$|\\[(\[]")
_DOUBLED = re.compile(r"\\\\[A-Za-z]")
_ESCAPE_OR_COMMAND = re.compile(rf"\\({_COMMANDS}|u[0-9a-fA-F]{{4}}|.)", re.DOTALL)
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
    start: int
    """Place of the key."""
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
        value = _read_value(text, found.end())
        fields.append(Field(found[1], value.text, found.start(), value.end, value.is_cut))
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
    """Group the fields: an object begins behind ``} {``, or at a key that the last one has."""
    objects: list[dict[str, Field]] = []
    end = 0
    for field in find_fields(text, _PART_KEY):
        name = _PART.get(field.key, field.key.lower())
        _, _, behind_brace = text[end : field.start].partition("}")
        if not objects or name in objects[-1] or "{" in behind_brace:
            objects.append({})
        objects[-1][name] = field
        end = field.end
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


class _Value(NamedTuple):
    text: str
    end: int
    is_cut: bool


def _read_value(text: str, start: int) -> _Value:
    tokens = _QUOTE_OR_ESCAPE.get(text[start : start + 1])
    if tokens is None:
        return _read_bare(text, start)
    position = start + 1
    for token in tokens.finditer(text, position):
        if token[0][0] != "\\" and _STRING_END.match(text, token.end()):
            value = _unescape(text[position : token.start()])
            return _Value(value, token.end(), is_cut=False)
    return _Value(_unescape(text[position:]), len(text), is_cut=True)


def _read_bare(text: str, start: int) -> _Value:
    """Read a value that is no string: null is nothing, all else stays as it was written."""
    if text.startswith(("[", "{"), start):
        end = _find_closing(text, start)
        return _Value(text[start:end].strip(), end or len(text), is_cut=end is None)
    found = _SCALAR.match(text, start)
    if found:
        end = found.end()
    else:
        found = _BARE_END.search(text, start)
        end = found.start() if found else len(text)
    raw = text[start:end].strip()
    return _Value("" if raw == "null" else raw, end, is_cut=end == len(text))


def _find_closing(text: str, start: int) -> int | None:
    """Find the place behind the bracket that closes the one here; None if the text ends before."""
    depth = 0
    for token in _BRACKET_OR_STRING.finditer(text, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if not depth:
            return token.end()
    return None


def read_strings(text: str) -> list[str]:
    """Read the first array that begins with a string; empty unless it is whole and all strings."""
    found = _ARRAY_OF_STRINGS.search(text)
    if not found:
        return []
    try:
        values, _ = _DECODER.raw_decode(text, found.start())
    except (ValueError, RecursionError):
        return []
    return values if all(isinstance(value, str) for value in values) else []


def _unescape(raw: str) -> str:
    is_latex = _FORMULA.search(raw) and not _DOUBLED.search(raw)
    return (_ESCAPE_OR_COMMAND if is_latex else _ESCAPE).sub(_replace_escape, raw)


def _replace_escape(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 5 and code[0] == "u":
        return chr(int(code[1:], 16))
    # An unknown escape such as \\( is LaTeX or a path that was not escaped: it stays.
    return _ESCAPED.get(code, match[0])
