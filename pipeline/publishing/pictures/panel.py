"""A part of the sheet with a baseline and ticks, in which values stand for places."""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.publishing.pictures.canvas import FAINT, GREY, INK, SMALL, Canvas

_TICK = 8


class Panel(NamedTuple):
    """A rectangle of the sheet, in pixels."""

    canvas: Canvas
    left: float
    top: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        """Where the baseline lies."""
        return self.top + self.height

    def head(self, words: str, note: str = "") -> None:
        """Write a heading over the panel and a note at its right end."""
        self.canvas.text(self.left, self.top - 18, words, SMALL, colour=INK, bold=True)
        right = self.left + self.width
        self.canvas.text(right, self.top - 18, note, SMALL, colour=GREY, align="right")

    def bars(self, heights: Sequence[float], colour: str, most: float) -> None:
        """Stand bars of equal width side by side; ``most`` would be as high as the panel."""
        step = self.width / len(heights)
        gap = min(3.0, step / 5)
        for place, value in enumerate(heights):
            if value:
                # One count among thousands still is one that people should see.
                tall = max(3.0, value / most * self.height)
                x = self.left + place * step + gap / 2
                self.canvas.rectangle(x, self.bottom - tall, step - gap, tall, colour)
        self.canvas.line([(self.left, self.bottom), (self.left + self.width, self.bottom)], GREY)

    def ticks_below(self, ticks: Sequence[tuple[float, str]]) -> None:
        """Label the baseline at shares of its width, leaving out what would run into another."""
        free = -1e9
        for share, words in ticks:
            x = self.left + share * self.width
            half = self.canvas.width_of(words, SMALL) / 2
            if x - half < free:
                continue
            free = x + half + 14
            self.canvas.line([(x, self.bottom), (x, self.bottom + _TICK)], GREY)
            self.canvas.text(x, self.bottom + _TICK + 24, words, SMALL, colour=GREY, align="center")

    def level(self, share: float, words: str) -> None:
        """Draw a faint line across at a share of the height, labelled at the left."""
        y = self.bottom - share * self.height
        self.canvas.line([(self.left, y), (self.left + self.width, y)], FAINT)
        self.canvas.text(self.left - 12, y, words, SMALL, colour=GREY, align="right", middle=True)

    def mark(self, share: float, words: str) -> None:
        """Draw a dashed line at a share of the width, with a word at its upper end."""
        x = self.left + share * self.width
        self.canvas.line([(x, self.top), (x, self.bottom)], INK, dashed=True)
        fits = x + 10 + self.canvas.width_of(words, SMALL) < self.left + self.width
        beside = x + 10 if fits else x - 10
        self.canvas.text(beside, self.top + 20, words, SMALL, align="left" if fits else "right")
