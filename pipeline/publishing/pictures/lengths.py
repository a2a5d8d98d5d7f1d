"""How long instructions, inputs and outputs are, by language."""

from math import log

from pipeline.publishing.card.speaker import Speaker
from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.canvas import LANGUAGE_HUES, MARGIN, WIDTH, Canvas
from pipeline.publishing.pictures.panel import Panel
from pipeline.publishing.pictures.style import Drawing, Style
from pipeline.publishing.statistics.figures import Histogram, LanguageFigures, Lengths
from pipeline.publishing.statistics.measuring import COLUMNS, Column
from schemas.records import Language

_TOP = 150
_HEIGHT = 190
_ROW = _HEIGHT + 130
_GAP = 40


def draw_lengths(edition: Edition, style: Style) -> Drawing | None:
    """Draw a histogram for each column and language; None where nobody measured lengths."""
    languages: dict[Language, LanguageFigures] = {
        language: figures
        for language, figures in edition.statistics.languages.items()
        if figures.lengths
    }
    if not languages:
        return None
    title = style.speaker.say("Lengths", "길이")
    canvas = Canvas(
        _TOP + _ROW * len(languages) - 20,
        style.labels,
        title,
        style.speaker.say(
            "in characters, on a logarithmic scale; dashed: the median",
            "글자 수, 로그 눈금. 점선은 중앙값",
        ),
    )
    columns: list[Column] = [
        name for name in COLUMNS if any(name in one.lengths for one in languages.values())
    ]
    width = (WIDTH - 2 * MARGIN - (len(columns) - 1) * _GAP) / len(columns)
    for row, (language, figures) in enumerate(languages.items()):
        for place, column in enumerate(columns):
            lengths = figures.lengths.get(column)
            if lengths is not None:
                left, top = MARGIN + place * (width + _GAP), _TOP + row * _ROW + 40
                panel = Panel(canvas, left, top, width, _HEIGHT)
                name = style.speaker.language_name(language)
                panel.head(
                    f"{name} · {_name_column(column, style.speaker)}",
                    style.speaker.say(f"n = {lengths.filled:,}", f"{lengths.filled:,}건"),
                )
                _draw_bars(panel, lengths, LANGUAGE_HUES[language])
    return Drawing(canvas, title, _describe(languages, style.speaker))


def _name_column(column: str, speaker: Speaker) -> str:
    """Name a column of the records."""
    korean = {"instruction": "지시문", "input": "입력", "output": "출력"}
    return speaker.say(column, korean[column])


def _draw_bars(panel: Panel, lengths: Lengths, hue: str) -> None:
    shown = _trim(lengths.histogram)
    panel.bars(shown.counts, hue, max(shown.counts) * 1.15)
    panel.ticks_below(_ticks(shown))
    panel.mark(_place(shown, lengths.median), f"{lengths.median:,}")


def _trim(histogram: Histogram) -> Histogram:
    """Leave out empty bins at both ends."""
    filled = [place for place, number in enumerate(histogram.counts) if number]
    first, last = filled[0], filled[-1]
    return Histogram(
        edges=histogram.edges[first : last + 2], counts=histogram.counts[first : last + 1]
    )


def _place(histogram: Histogram, value: float) -> float:
    """Find a value's share of the axis, on which each factor takes the same room."""
    low, high = (log(max(edge, 0.5)) for edge in (histogram.edges[0], histogram.edges[-1]))
    return min(1.0, max(0.0, (log(max(value, 0.5)) - low) / (high - low)))


def _ticks(histogram: Histogram) -> list[tuple[float, str]]:
    low, high = histogram.edges[0], histogram.edges[-1]
    rounded = [step * 10**power for power in range(8) for step in (1, 3)]
    within = [number for number in rounded if low <= number <= high]
    if len(within) < 2:
        within = [round(low), round(high)]
    return [(_place(histogram, number), f"{number:,}") for number in within]


def _describe(languages: dict[Language, LanguageFigures], speaker: Speaker) -> str:
    say = speaker.say
    return "; ".join(
        say(
            f"{speaker.language_name(language)} {column}: median {own.median:,} characters, "
            f"from {own.shortest:,} to {own.longest:,}",
            f"{speaker.language_name(language)} {_name_column(column, speaker)}: 중앙값 "
            f"{own.median:,}자, 최소 {own.shortest:,}자, 최대 {own.longest:,}자",
        )
        for language, figures in languages.items()
        for column, own in figures.lengths.items()
    )
