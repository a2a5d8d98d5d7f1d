"""Draw how a run went: loss, learning rate and gradient norm by step.

The same history gives the same bytes: matplotlib's Agg renderer with its own font, no clock and no
version in the file, and no setting of the user's. Pictures are 1,400 pixels wide, twice what pages
show. Their few words are English on every card; the card says in its language what they show.

The smoothed line is a straight one fitted around each step to a tenth of the run (local regression
after Cleveland 1979, with equal weights): it neither lags behind a falling loss nor hangs on the
last value. Cost: about 0.3 CPU-s; of a long run the lowest and the highest point of each pixel are
drawn, so that no spike is lost.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.manifest import TrainingPoint
from schemas.records import Language

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from numpy.typing import NDArray

CURVES_FILE = "curves.png"

_WIDTH, _HEIGHT, _DPI = 1400, 1040, 100
_PAPER, _INK, _GREY, _FAINT = "#fdfdfb", "#1f2328", "#57606a", "#dcdfe3"
_BLUE, _ORANGE, _GREEN, _PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
"""Of Okabe and Ito's colours, which people with any kind of colour vision tell apart."""
_LIGHT_BLUE = "#8cc3e3"
_NORMAL, _LARGE = 22 * 72 / _DPI, 25 * 72 / _DPI
"""Sizes of text in points: at half the width 22 pixels are the least that people read."""
_MOST_POINTS = 2_400
_COLOURS = 96


class HeldOut(NamedTuple):
    """Loss on the rows that are not trained on, in nats a token."""

    before: float
    after: float


def draw_curves(points: Sequence[TrainingPoint], held_out: HeldOut, path: Path) -> None:
    """Draw a run as a PNG.

    Args:
        points: Its steps in order, at least one.
        held_out: Drawn as marks before the first and after the last step.
        path: Where the PNG goes.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Whatever a matplotlibrc says, and whatever was set before in this process, does not count.
    style: dict[Any, Any] = {**mpl.rcParamsDefault, **_STYLE}
    with mpl.rc_context(style):
        figure = Figure(figsize=(_WIDTH / _DPI, _HEIGHT / _DPI), dpi=_DPI, facecolor=_PAPER)
        canvas = FigureCanvasAgg(figure)
        loss, rate, norm = (
            figure.add_axes((0.085, bottom, 0.835, height))
            for bottom, height in ((0.47, 0.465), (0.26, 0.14), (0.08, 0.11))
        )
        _draw_loss(loss, points, held_out)
        _draw_rate(rate, points)
        _draw_norm(norm, points)
        for axes in (loss, rate, norm):
            _set_steps(axes, points[-1].step, is_lowest=axes is norm)
        canvas.draw()
        _save(canvas, path)


def describe_curves(points: Sequence[TrainingPoint], held_out: HeldOut, language: Language) -> str:
    """Say what the picture shows, for those who cannot see it."""
    smooth = smooth_values([point.loss for point in points])
    steps = points[-1].step
    rate = max(point.learning_rate for point in points)
    steepest = max(points, key=lambda point: point.gradient_norm)
    if language == "ko":
        return (
            f"학습 곡선. {steps:,}스텝 동안 학습 손실(평활)이 {smooth[0]:.3f}에서 "
            f"{smooth[-1]:.3f}로, 검증 손실이 {held_out.before:.3f}에서 {held_out.after:.3f}로 "
            f"변함. 학습률 최대 {rate:.2g}, 기울기 노름 최대 {steepest.gradient_norm:.2f}"
            f"({steepest.step:,}스텝)"
        )
    return (
        f"Curves of the training. Loss from {smooth[0]:.3f} to {smooth[-1]:.3f} (smoothed) in "
        f"{steps:,} steps; held-out loss {held_out.before:.3f} before, {held_out.after:.3f} after; "
        f"learning rate at most {rate:.2g}; gradient norm at most {steepest.gradient_norm:.2f}, at "
        f"step {steepest.step:,}"
    )


def smooth_values(values: Sequence[float]) -> list[float]:
    """Fit a line around each value to a tenth of all, at least to five, and take it there."""
    import numpy as np

    count = len(values)
    width = min(count, max(5, count // 10))
    places = np.arange(count, dtype=np.float64)
    starts = np.clip(np.arange(count) - width // 2, 0, count - width)
    heights = np.asarray(values, dtype=np.float64)
    mean = _sums(heights, starts, width) / width
    # Places within a window lie evenly around its middle: their variance needs no sum.
    middle = starts + (width - 1) / 2
    spread = (width**2 - 1) / 12
    covariance = _sums(heights * places, starts, width) / width - mean * middle
    slope = covariance / spread if spread else np.zeros(count)
    return [float(value) for value in mean + slope * (places - middle)]


def _sums(
    values: "NDArray[np.float64]", starts: "NDArray[np.int64]", width: int
) -> "NDArray[np.float64]":
    """Add up ``width`` values from each start on."""
    import numpy as np

    totals = np.concatenate([[0.0], np.cumsum(values)])
    return totals[starts + width] - totals[starts]


_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": _NORMAL,
    "text.color": _INK,
    "text.parse_math": False,
    "axes.facecolor": _PAPER,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _GREY,
    "axes.labelsize": _NORMAL,
    "axes.titlesize": _LARGE,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.color": _FAINT,
    "grid.linewidth": 1.4,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "xtick.labelsize": _NORMAL,
    "ytick.labelsize": _NORMAL,
    "ytick.left": False,
    "legend.frameon": False,
    "legend.fontsize": _NORMAL,
}


def _draw_loss(axes: "Axes", points: Sequence[TrainingPoint], held_out: HeldOut) -> None:
    losses = [point.loss for point in points]
    last = points[-1].step
    _plot(axes, losses, _LIGHT_BLUE, 1.6, "each step")
    if len(points) > 2:
        _plot(axes, smooth_values(losses), _BLUE, 3.4, "smoothed")
    axes.plot(
        [0, last], list(held_out), color=_ORANGE, linestyle="", marker="D", markersize=11,
        clip_on=False, zorder=5, label="held out, before and after",
    )  # fmt: skip
    for step, value, beside in ((0, held_out.before, (11, 11)), (last, held_out.after, (11, -7))):
        axes.annotate(
            f"{value:.3f}", (step, value), textcoords="offset points", xytext=beside, zorder=6,
            color=_ORANGE, weight="bold", annotation_clip=False,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": _PAPER, "edgecolor": "none"},
        )  # fmt: skip
    axes.set_title("loss, nats a token")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderaxespad=0.1)
    axes.margins(y=0.12)


def _draw_rate(axes: "Axes", points: Sequence[TrainingPoint]) -> None:
    rates = [point.learning_rate for point in points]
    exponent = math.floor(math.log10(max(rates))) if max(rates) > 0 else 0
    _plot(axes, [rate / 10.0**exponent for rate in rates], _GREEN, 2.6)
    _start_at_zero(axes, f"learning rate, in 1e{exponent}")


def _draw_norm(axes: "Axes", points: Sequence[TrainingPoint]) -> None:
    _plot(axes, [point.gradient_norm for point in points], _PURPLE, 2.6)
    _start_at_zero(axes, "gradient norm, before clipping")


def _start_at_zero(axes: "Axes", title: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(title)
    axes.margins(y=0.12)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))


def _plot(
    axes: "Axes", values: Sequence[float], colour: str, width: float, label: str = ""
) -> None:
    """Draw a value a step; a single one as a dot."""
    kept = _thin(values)
    axes.plot(
        [place + 1 for place in kept],
        [values[place] for place in kept],
        color=colour,
        linewidth=width,
        marker="o" if len(values) == 1 else "",
        markersize=11,
        clip_on=len(values) > 1,
        label=label,
    )


def _set_steps(axes: "Axes", last: int, *, is_lowest: bool) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.set_xlim(0, last)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.tick_params(axis="x", labelbottom=is_lowest)
    if is_lowest:
        axes.set_xlabel("step", loc="right", labelpad=2)


def _thin(values: Sequence[float]) -> list[int]:
    """Choose the places that are drawn: of each group that shares a pixel its two extremes."""
    group = math.ceil(2 * len(values) / _MOST_POINTS)
    if group <= 2:
        return list(range(len(values)))
    chosen: set[int] = {len(values) - 1}
    for start in range(0, len(values), group):
        places = range(start, min(start + group, len(values)))
        chosen |= {min(places, key=values.__getitem__), max(places, key=values.__getitem__)}
    return sorted(chosen)


def _save(canvas: "FigureCanvasAgg", path: Path) -> None:
    """Write a PNG that holds nothing but the picture."""
    from PIL import Image

    sheet = Image.frombuffer("RGBA", (_WIDTH, _HEIGHT), canvas.buffer_rgba().tobytes())
    few = sheet.convert("RGB").quantize(_COLOURS, Image.Quantize.MEDIANCUT)
    few.save(path, "PNG", optimize=True)
