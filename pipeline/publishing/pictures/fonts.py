"""Choose the fonts of the pictures: matplotlib's own, or one with Hangul that the system has.

A font is judged by the characters it holds, not by its name; the name only orders those that hold
them. Cost: opening one file a font, 0.3 ms each, and only until one fits.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_SAMPLE = "가나다각갂뷁쌍똠힣 Aa0%()…"
"""Common and rare syllables of modern Korean, and what stands beside them in a label."""
_PREFERRED = (
    "notosanskr",
    "notosanscjk",
    "nanumgothic",
    "nanumbarungothic",
    "nanumsquare",
    "malgun",
    "applesdgothicneo",
    "applegothic",
)
"""Starts of file names without dashes, the best first; all are sans serif."""
_UNWANTED = (
    "thin",
    "light",
    "medium",
    "black",
    "heavy",
    "mono",
    "coding",
    "serif",
    "bold",
    "malgunsl",
    "eco",
)
_BOLD = ("bold", "bd")


class Typeface(NamedTuple):
    """Two weights of one design, as font files."""

    regular: str
    bold: str

    def can_draw(self, text: str) -> bool:
        """Tell whether both weights hold every character; others would come out as boxes."""
        return _holds(self.regular, text) and (self.bold == self.regular or _holds(self.bold, text))


def list_system_fonts() -> list[str]:
    """List the font files of this machine, in no order."""
    from matplotlib.font_manager import findSystemFonts

    return findSystemFonts()


def bundled_typeface() -> Typeface:
    """Name the typeface that comes with matplotlib: the same on each machine, without Hangul."""
    import matplotlib as mpl

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    return Typeface(str(folder / "DejaVuSans.ttf"), str(folder / "DejaVuSans-Bold.ttf"))


def find_hangul_typeface(files: Sequence[str]) -> Typeface | None:
    """Find the best of these font files that hold Hangul, in a fixed order; None without any.

    Of a collection the first face is taken: its faces differ in Han characters or in weight, and
    the first one is the regular weight.
    """
    ordered = sorted(files, key=_rank)
    regular = next((file for file in ordered if _holds(file, _SAMPLE)), None)
    if regular is None:
        return None
    bold = next((file for file in ordered if _is_bold_of(file, regular)), regular)
    return Typeface(regular, bold)


def _rank(file: str) -> tuple[int, int, bool, str]:
    name = _fold(file)
    preference = next(
        (place for place, start in enumerate(_PREFERRED) if name.startswith(start)), len(_PREFERRED)
    )
    unwanted = sum(mark in name for mark in _UNWANTED) + name.endswith("bd")
    return preference, unwanted, "regular" not in name, file


def _is_bold_of(file: str, regular: str) -> bool:
    """Tell whether a file is the bold weight of the same family, with the same characters."""
    family = _fold(regular).removesuffix("regular")
    rest = _fold(file).removeprefix(family)
    return _fold(file).startswith(family) and rest in _BOLD and _holds(file, _SAMPLE)


def _fold(file: str) -> str:
    return "".join(letter for letter in Path(file).stem.lower() if letter.isalnum())


def _holds(file: str, text: str) -> bool:
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(file)
    except (OSError, RuntimeError):
        # Missing, damaged, or of a kind that FreeType does not draw.
        return False
    return all(font.get_char_index(ord(letter)) for letter in set(text))
