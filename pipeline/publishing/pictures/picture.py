"""What a card needs to know about a picture beside it."""

from typing import Literal, NamedTuple

Subject = Literal["funnel", "lengths", "phrases-en", "phrases-ko", "similarity", "rounds"]


class Picture(NamedTuple):
    """A picture that was written into a version's folder."""

    subject: Subject
    path: str
    """Relative to the card."""
    title: str
    alt: str
    """What it shows, with the figures, for those who cannot see it. Plain text, in part by a
    teacher: whoever shows it escapes it."""


class Gallery(NamedTuple):
    """All pictures of a version, and what is to be said about those that are missing."""

    pictures: tuple[Picture, ...]
    notices: tuple[str, ...]
    """In the card's language, one line each."""
