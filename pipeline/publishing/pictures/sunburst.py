"""What instructions ask for, in two rings: the commonest verbs and the nouns they go with.

After figure 3 of Self-Instruct (arXiv:2212.10560): the 20 commonest verbs within, the four
commonest direct objects of each without. For Korean the pairs are noun and predicate.
"""

from collections.abc import Sequence
from math import cos, degrees, radians, sin
from typing import Literal, NamedTuple

from pipeline.publishing.card.speaker import Speaker, percent
from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.canvas import (
    GREY,
    HUES,
    LARGE,
    SMALL,
    WIDTH,
    Canvas,
    lighten,
)
from pipeline.publishing.pictures.fonts import Typeface
from pipeline.publishing.pictures.spread import spread
from pipeline.publishing.pictures.style import Drawing, Style
from pipeline.publishing.statistics.figures import Diversity, Phrase
from schemas.records import Language

_VERBS = 20
_NOUNS = 4
_FEWEST = 3
"""Verbs; with fewer there is nothing to see."""
_LETTERS = 14
"""Longest word that is written out."""
_HOLE, _MIDDLE, _RIM, _LABELS = 120.0, 330.0, 440.0, 478.0
"""Radii in pixels: of both rings, and where the nouns begin."""
_CENTRE, _HEIGHT = 800, 1470
_LINE = 28.0
"""Room that a line of small text needs, in pixels."""
_MOST_MOVED = 6.0
"""Degrees between a word and what it names; with more their lines would run across others."""


class Verb(NamedTuple):
    """A part of the inner ring."""

    word: str
    nouns: tuple[Phrase, ...]
    """Its commonest, the commonest first."""

    @property
    def instructions(self) -> int:
        """Instructions that the picture shows of it."""
        return sum(noun.count for noun in self.nouns)


class _Label(NamedTuple):
    words: str
    angle: float
    """In degrees, clockwise from the top."""
    instructions: int
    bold: bool
    """A verb, for want of room in its ring."""


def draw_phrases(edition: Edition, language: Language, style: Style) -> Drawing | None:
    """Draw the sunburst of one language; None where no tagger read it or no font can write it."""
    figures = edition.statistics.languages.get(language)
    diversity = figures.diversity if figures else None
    words = style.hangul if language == "ko" else style.labels
    if diversity is None or words is None:
        return None
    verbs = choose_verbs(diversity, words)
    if len(verbs) < _FEWEST:
        return None
    speaker = style.speaker
    title = _title(language, speaker)
    shown = sum(verb.instructions for verb in verbs)
    labels = style.labels if style.speaker.language == "ko" or language == "en" else words
    canvas = Canvas(
        _HEIGHT,
        labels,
        title,
        speaker.say(
            f"{len(verbs)} commonest verbs and the nouns they go with: "
            f"{percent(shown, diversity.looked_at)} of {diversity.looked_at:,} instructions",
            f"가장 흔한 서술어 {len(verbs)}개와 함께 쓰인 명사. 지시문 {diversity.looked_at:,}건의 "
            f"{percent(shown, diversity.looked_at)}",
        ),
    )
    _draw_rings(canvas, verbs)
    canvas.text(
        WIDTH / 2, _CENTRE - 14, f"{shown:,}", LARGE, bold=True, align="center", middle=True
    )
    unit = speaker.say("instructions", "지시문")
    canvas.text(WIDTH / 2, _CENTRE + 26, unit, SMALL, colour=GREY, align="center", middle=True)
    return Drawing(canvas, title, _describe(verbs, speaker))


def choose_verbs(diversity: Diversity, words: Typeface) -> list[Verb]:
    """Choose the verbs with the most nouns behind them that the font can write."""
    by_verb: dict[str, list[Phrase]] = {}
    for phrase in diversity.phrases:
        if phrase.noun and words.can_draw(phrase.verb + phrase.noun):
            by_verb.setdefault(phrase.verb, []).append(phrase)
    totals = {word: sum(phrase.count for phrase in own) for word, own in by_verb.items()}
    commonest = sorted(by_verb, key=lambda word: (-totals[word], word))[:_VERBS]
    chosen = [
        Verb(
            word,
            tuple(sorted(by_verb[word], key=lambda one: (-one.count, one.noun))[:_NOUNS]),
        )
        for word in commonest
    ]
    return sorted(chosen, key=lambda verb: (-verb.instructions, verb.word))


def _draw_rings(canvas: Canvas, verbs: Sequence[Verb]) -> None:
    unit = 360 / sum(verb.instructions for verb in verbs)
    labels: list[_Label] = []
    at = 0.0
    for place, verb in enumerate(verbs):
        hue = _hue(place, len(verbs))
        end = at + verb.instructions * unit
        canvas.ring((_HOLE, _MIDDLE), (at, end), _CENTRE, lighten(hue, 0.35))
        within = _write_within(canvas, verb.word, at, end)
        if not within:
            labels.append(_Label(verb.word, (at + end) / 2, verb.instructions, bold=True))
        for noun in verb.nouns:
            end = at + noun.count * unit
            canvas.ring((_MIDDLE, _RIM), (at, end), _CENTRE, lighten(hue, 0.68))
            if within:
                labels.append(_Label(noun.noun, (at + end) / 2, noun.count, bold=False))
            at = end
    _write_labels(canvas, labels)


def _hue(place: int, verbs: int) -> str:
    """Go through the colours; the last verb, which meets the first, does not repeat its colour."""
    clash = place == verbs - 1 and place and place % len(HUES) == 0
    return HUES[(place + (1 if clash else 0)) % len(HUES)]


def _write_within(canvas: Canvas, word: str, start: float, end: float) -> bool:
    """Write a verb along its part of the ring; tell whether there was room."""
    words = _shorten(word)
    radius = (_HOLE + _MIDDLE) / 2
    has_length = canvas.width_of(words, SMALL) <= _MIDDLE - _HOLE - 16
    if not has_length or radians(end - start) * radius < _LINE * 0.8:
        return False
    _write_along(canvas, words, (start + end) / 2, radius, "center")
    return True


def _write_labels(canvas: Canvas, labels: Sequence[_Label]) -> None:
    """Write words around the rim, moved apart, with a line to the part that each names."""
    need = degrees(_LINE / _LABELS)
    shown = list(labels)
    while True:
        angles = [label.angle for label in shown]
        places = spread(angles, [need] * len(shown), 360)
        far = [
            label
            for label, place in zip(shown, places, strict=True)
            if abs(place - label.angle) > _MOST_MOVED
        ]
        if not far:
            break
        # Where there is a crowd, its rarest word goes.
        shown.remove(min(far, key=lambda label: (label.bold, label.instructions)))
    for label, place in zip(shown, places, strict=True):
        start, bend = _point(label.angle, _RIM + 3), _point(place, _LABELS - 10)
        canvas.line([start, bend], "#b4b9bf", 1.5)
        _write_along(canvas, _shorten(label.words), place, _LABELS, "start", bold=label.bold)


def _write_along(
    canvas: Canvas,
    words: str,
    angle: float,
    radius: float,
    align: Literal["center", "start"],
    *,
    bold: bool = False,
) -> None:
    """Write along a radius, never upside down."""
    x, y = _point(angle, radius)
    outward = angle < 180
    side: Literal["left", "center", "right"] = "center"
    if align == "start":
        side = "left" if outward else "right"
    turn = 90 - angle if outward else 270 - angle
    canvas.text(x, y, words, SMALL, bold=bold, align=side, middle=True, rotation=turn)


def _point(angle: float, radius: float) -> tuple[float, float]:
    turn = radians(angle)
    return WIDTH / 2 + radius * sin(turn), _CENTRE - radius * cos(turn)


def _shorten(word: str) -> str:
    return word if len(word) <= _LETTERS else word[: _LETTERS - 1] + "…"


def _title(language: Language, speaker: Speaker) -> str:
    if language == "ko":
        return speaker.say("What the Korean instructions ask for", "한국어 지시문이 시키는 일")
    return speaker.say("What the English instructions ask for", "영어 지시문이 시키는 일")


def _describe(verbs: Sequence[Verb], speaker: Speaker) -> str:
    top = "; ".join(
        f"{verb.word} {verb.instructions:,} (" + ", ".join(noun.noun for noun in verb.nouns) + ")"
        for verb in verbs[:8]
    )
    return speaker.say(f"Commonest: {top}", f"가장 흔한 것: {top}")
