"""Show text that a machine wrote without letting it speak to the terminal.

Escape sequences move the cursor, rename windows and hide what stands there; bidirectional controls
reorder it. What would do so is shown as a sign of its own, so that nothing vanishes in silence.
"""

import re

# C0 and C1 controls but tab and line feed, and the controls of Unicode's bidirectional algorithm.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_PICTURES = 0x2400  # ␀, ␁ … for 0x00 to 0x1f


def make_visible(text: str) -> str:
    """Replace controls by pictures of them; tabs, line feeds and all letters stay."""
    return _CONTROL.sub(_draw, text)


def escape_json(json_text: str) -> str:
    r"""Write what JSON leaves as it is, but a terminal does not, as ``\uXXXX``; same value."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", json_text)


def _draw(found: re.Match[str]) -> str:
    code = ord(found.group())
    return chr(_PICTURES + code) if code < 0x20 else "\ufffd"
