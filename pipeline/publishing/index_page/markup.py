"""HTML in which every text is escaped unless it was made here.

Names and reasons were written by people, models and other programs: what would hide, reorder or
end something becomes a replacement sign.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

# Controls but tab and line feed, halves of surrogate pairs, and what reorders text.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_VOID = {"rect", "line", "circle", "path", "input", "meta"}

Attributes = Mapping[str, str | bool | None]


class Html(str):
    """Markup that may stand in a page as it is."""

    __slots__ = ()


def tag(name: str, attributes: Attributes | None = None, *children: str | Html) -> Html:
    """Make an element; plain strings are escaped, attributes of None or False left out."""
    shown = "".join(_attribute(key, value) for key, value in (attributes or {}).items())
    if name in _VOID:
        return Html(f"<{name}{shown}>" if name in ("input", "meta") else f"<{name}{shown}/>")
    return Html(f"<{name}{shown}>{join(children)}</{name}>")


def join(parts: Sequence[str | Html]) -> Html:
    """Put parts one after another."""
    return Html("".join(part if isinstance(part, Html) else show(part) for part in parts))


def show(text: str) -> Html:
    """Escape a text."""
    return Html(escape(_UNSHOWABLE.sub("\ufffd", text)))


def make_anchor(kind: str, reference: str) -> str:
    """Name a place in the page: letters that need no escape anywhere."""
    return quote(f"{kind}-{reference}", safe="-._", errors="replace").replace("%", "~")


def _attribute(name: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{show(value)}"'
