"""A sheet of paper in pixels, drawn by matplotlib's Agg renderer.

Positions and sizes are pixels from the upper left corner, and every property is given, so that
neither a user's matplotlibrc nor matplotlib's global state decides how a picture looks. Pictures
are 1,400 pixels wide, twice what pages show, so text under 22 pixels would be too small there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle, Wedge
from matplotlib.text import Text
from matplotlib.transforms import Affine2D
from PIL import Image

from pipeline.publishing.pictures.fonts import Typeface
from schemas.records import Language

WIDTH = 1400
MARGIN = 50
SMALL, NORMAL, LARGE = 22.0, 25.0, 36.0
"""Sizes of text in pixels."""
PAPER, INK, GREY, FAINT = "#fdfdfb", "#1f2328", "#57606a", "#dcdfe3"
HUES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
"""Okabe and Ito's colours, which people with any kind of colour vision tell apart."""
LANGUAGE_HUES: dict[Language, str] = {"en": "#0072b2", "ko": "#e69f00"}

_DPI = 100
_COLOURS = 28
"""Enough for all hues with their edges; a sunburst with 80 words stays under 80 kB."""


class Canvas:
    """One picture in the making, with its title."""

    def __init__(self, height: int, typeface: Typeface, title: str, subtitle: str) -> None:
        """Take a sheet of this height in pixels and write title and subtitle on it."""
        self.height = height
        self._drawn = 0
        self._figure = Figure(figsize=(WIDTH / _DPI, height / _DPI), dpi=_DPI, facecolor=PAPER)
        self._agg = FigureCanvasAgg(self._figure)
        self._to_pixels = Affine2D().scale(1, -1).translate(0, height)
        self._fonts = {False: typeface.regular, True: typeface.bold}
        self.text(MARGIN, 62, title, LARGE, bold=True)
        self.text(MARGIN, 104, subtitle, SMALL, colour=GREY)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = NORMAL,
        *,
        colour: str = INK,
        bold: bool = False,
        align: Literal["left", "center", "right"] = "left",
        middle: bool = False,
        rotation: float = 0,
    ) -> None:
        """Write one line with its baseline, or its middle, at ``y``; never read as a formula."""
        self._lay(
            Text(
                x,
                y,
                words,
                color=colour,
                fontproperties=self._font(size, bold=bold),
                horizontalalignment=align,
                verticalalignment="center_baseline" if middle else "baseline",
                rotation=rotation,
                rotation_mode="anchor",
                parse_math=False,
                usetex=False,
                transform=self._to_pixels,
            )
        )

    def width_of(self, words: str, size: float = NORMAL, *, bold: bool = False) -> float:
        """Measure a line of text in pixels."""
        font = self._font(size, bold=bold)
        return self._agg.get_renderer().get_text_width_height_descent(words, font, False)[0]

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle from its upper left corner."""
        self._add(Rectangle((x, y), width, height), colour)

    def area(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        """Fill a polygon."""
        self._add(Polygon(points, closed=True), colour)

    def ring(
        self, radii: tuple[float, float], angles: tuple[float, float], y: float, colour: str
    ) -> None:
        """Fill a part of a ring around the middle of the sheet, clockwise from the top.

        Args:
            radii: Inner and outer one.
            angles: Start and end in degrees.
            y: Height of the centre.
            colour: Its colour; parts are set apart by the paper's.
        """
        wedge = Wedge(
            (WIDTH / 2, y), radii[1], angles[0] - 90, angles[1] - 90, width=radii[1] - radii[0]
        )
        self._add(wedge, colour, edge=PAPER)

    def line(
        self,
        points: Sequence[tuple[float, float]],
        colour: str = FAINT,
        width: float = 2,
        *,
        dashed: bool = False,
    ) -> None:
        """Draw a line through points."""
        self._lay(
            Line2D(
                [x for x, _ in points],
                [y for _, y in points],
                color=colour,
                linewidth=width * 72 / _DPI,
                linestyle=(0, (4, 3)) if dashed else "-",
                solid_capstyle="butt",
                solid_joinstyle="round",
                antialiased=True,
                marker="",
                transform=self._to_pixels,
            )
        )

    def save(self, path: Path) -> None:
        """Write a PNG that holds nothing but the picture."""
        self._agg.draw()
        sheet = Image.frombuffer("RGBA", (WIDTH, self.height), self._agg.buffer_rgba().tobytes())
        few = sheet.convert("RGB").quantize(_COLOURS, Image.Quantize.MEDIANCUT)
        few.save(path, "PNG", optimize=True)

    def _add(self, patch: Patch, colour: str, edge: str | None = None) -> None:
        patch.set(
            facecolor=colour,
            edgecolor=edge or "none",
            linewidth=2 if edge else 0,
            hatch=None,
            antialiased=True,
            transform=self._to_pixels,
        )
        self._lay(patch)

    def _lay(self, artist: Artist) -> None:
        """Put it over all that was drawn before, whatever its kind."""
        self._drawn += 1
        artist.set_zorder(self._drawn)
        self._figure.add_artist(artist)

    def _font(self, size: float, *, bold: bool) -> FontProperties:
        return FontProperties(fname=self._fonts[bold], size=size * 72 / _DPI)


def lighten(colour: str, share: float) -> str:
    """Mix a colour with white: 0 leaves it, 1 is white."""
    parts = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in parts)
