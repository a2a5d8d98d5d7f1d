"""All pictures that there are, in the order of the card."""

from typing import NamedTuple

from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.funnel import draw_funnel
from pipeline.publishing.pictures.lengths import draw_lengths
from pipeline.publishing.pictures.picture import Subject
from pipeline.publishing.pictures.rounds import draw_rounds
from pipeline.publishing.pictures.similarity import draw_similarity
from pipeline.publishing.pictures.style import Drawing, Style
from pipeline.publishing.pictures.sunburst import draw_phrases


class Drawn(NamedTuple):
    """A picture and what it is about."""

    subject: Subject
    drawing: Drawing


def draw_all(edition: Edition, style: Style) -> list[Drawn]:
    """Draw those whose figures are there."""
    attempts: tuple[tuple[Subject, Drawing | None], ...] = (
        ("funnel", draw_funnel(edition, style)),
        ("lengths", draw_lengths(edition, style)),
        ("phrases-en", draw_phrases(edition, "en", style)),
        ("phrases-ko", draw_phrases(edition, "ko", style)),
        ("similarity", draw_similarity(edition, style)),
        ("rounds", draw_rounds(edition, style)),
    )
    return [Drawn(subject, drawing) for subject, drawing in attempts if drawing is not None]
