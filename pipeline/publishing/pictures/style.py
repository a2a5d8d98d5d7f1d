"""What all pictures of a version share: the language of their labels and the fonts."""

from typing import NamedTuple

from pipeline.publishing.card.speaker import Speaker
from pipeline.publishing.pictures.canvas import Canvas
from pipeline.publishing.pictures.fonts import Typeface


class Style(NamedTuple):
    """How pictures are labelled."""

    speaker: Speaker
    """Korean only where ``labels`` has Hangul."""
    labels: Typeface
    hangul: Typeface | None
    """For Korean words; None where the machine has no such font."""


class Drawing(NamedTuple):
    """A picture that is drawn and not yet written."""

    canvas: Canvas
    title: str
    alt: str
