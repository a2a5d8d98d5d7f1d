"""The funnel: how many drafts each stage left, by language."""

from collections.abc import Sequence

from pipeline.publishing.card.speaker import Speaker, percent
from pipeline.publishing.card.words import STAGE_NAMES
from pipeline.publishing.edition import Edition
from pipeline.publishing.funnel import FunnelStep, count_funnel
from pipeline.publishing.pictures.canvas import (
    GREY,
    LANGUAGE_HUES,
    MARGIN,
    NORMAL,
    SMALL,
    WIDTH,
    Canvas,
    lighten,
)
from pipeline.publishing.pictures.style import Drawing, Style
from schemas.records import LANGUAGES, Language

_TOP = 190
_ROW = 62
_BAR = 40
_RIGHT = 230
"""Room for the numbers behind the bars."""


def draw_funnel(edition: Edition, style: Style) -> Drawing | None:
    """Draw a bar for the drafts and one for each stage that dropped any; None without drafts."""
    generated, kept = edition.manifest.generated, edition.manifest.kept
    if not generated:
        return None
    say = style.speaker.say
    steps = [step for step in count_funnel(edition.kept, edition.rejected) if step.dropped_count]
    start: dict[Language, int] = {
        language: edition.manifest.kept_by_language.get(language, 0)
        + sum(step.dropped[language] for step in steps)
        for language in LANGUAGES
    }
    title = say("From drafts to records", "초안에서 레코드까지")
    canvas = Canvas(
        _TOP + _ROW * (len(steps) + 1) + 30,
        style.labels,
        title,
        say(
            f"{kept:,} of {generated:,} drafts were kept ({percent(kept, generated)})",
            f"초안 {generated:,}건 가운데 {kept:,}건을 남겼습니다({percent(kept, generated)})",
        ),
    )
    _legend(canvas, start, style.speaker)
    names = [
        say("drafts", "초안"),
        *(STAGE_NAMES[step.stage][style.speaker.language] for step in steps),
    ]
    left = MARGIN + 24 + max(canvas.width_of(name) for name in names)
    rows = [start, *(step.remaining for step in steps)]
    lost: list[dict[Language, int]] = [{}, *(step.dropped for step in steps)]
    for place, (name, remaining, dropped) in enumerate(zip(names, rows, lost, strict=True)):
        y = _TOP + place * _ROW
        canvas.text(left - 24, y + _BAR / 2, name, align="right", middle=True)
        _bar(canvas, (left, y), (remaining, dropped), generated)
    return Drawing(canvas, title, _describe(steps, generated, style.speaker))


def _bar(
    canvas: Canvas,
    corner: tuple[float, float],
    counts: tuple[dict[Language, int], dict[Language, int]],
    generated: int,
) -> None:
    """Draw what remains in full colours, and behind it, pale, what the stage dropped."""
    x, y = corner
    scale = (WIDTH - _RIGHT - x) / generated
    for pale, part in enumerate(counts):
        for language in LANGUAGES:
            width = part.get(language, 0) * scale
            if width:
                hue = LANGUAGE_HUES[language]
                canvas.rectangle(x, y, width, _BAR, lighten(hue, 0.72) if pale else hue)
                x += width
    remaining, dropped = (sum(part.values()) for part in counts)
    words = f"{remaining:,}"
    canvas.text(x + 14, y + _BAR / 2, words, NORMAL, bold=True, middle=True)
    if dropped:
        behind = x + 14 + canvas.width_of(words, NORMAL, bold=True) + 14
        canvas.text(behind, y + _BAR / 2, f"-{dropped:,}", SMALL, colour=GREY, middle=True)


def _legend(canvas: Canvas, start: dict[Language, int], speaker: Speaker) -> None:
    x: float = MARGIN
    entries = [
        (LANGUAGE_HUES[language], speaker.language_name(language))
        for language in LANGUAGES
        if start[language]
    ]
    pale = lighten(LANGUAGE_HUES["en"] if start["en"] else LANGUAGE_HUES["ko"], 0.72)
    entries.append((pale, speaker.say("dropped here", "이 단계에서 버림")))
    for hue, words in entries:
        canvas.rectangle(x, 130, 22, 22, hue)
        canvas.text(x + 32, 141, words, SMALL, colour=GREY, middle=True)
        x += 32 + canvas.width_of(words, SMALL) + 36


def _describe(steps: Sequence[FunnelStep], generated: int, speaker: Speaker) -> str:
    rows = [
        speaker.say(
            f"{sum(step.remaining.values()):,} after {STAGE_NAMES[step.stage]['en']}",
            f"{STAGE_NAMES[step.stage]['ko']} 뒤 {sum(step.remaining.values()):,}건",
        )
        for step in steps
    ]
    drafts = speaker.say(f"{generated:,} drafts", f"초안 {generated:,}건")
    return ", ".join([drafts, *rows])
