"""How similar records are to the most similar other one."""

from pydantic import JsonValue

from pipeline.publishing.card.speaker import Speaker
from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.canvas import LANGUAGE_HUES, MARGIN, WIDTH, Canvas
from pipeline.publishing.pictures.panel import Panel
from pipeline.publishing.pictures.style import Drawing, Style
from pipeline.publishing.statistics.figures import Similarity
from schemas.records import Language

_TOP = 150
_HEIGHT = 260
_GAP = 60


def draw_similarity(edition: Edition, style: Style) -> Drawing | None:
    """Draw a histogram a language; None where nobody compared the records."""
    found: dict[Language, Similarity] = {
        language: figures.similarity
        for language, figures in edition.statistics.languages.items()
        if figures.similarity is not None and figures.similarity.looked_at
    }
    if not found:
        return None
    say = style.speaker.say
    title = say("Similarity to the nearest neighbour", "가장 비슷한 레코드와의 유사도")
    canvas = Canvas(
        _TOP + _HEIGHT + 120,
        style.labels,
        title,
        say(
            "0: nothing in common, 1: the same; dashed: above it a record is dropped as a repeat",
            "0은 겹치는 것이 없음, 1은 같음. 점선을 넘은 초안은 반복으로 보고 버립니다",
        ),
    )
    width = (WIDTH - 2 * MARGIN - _GAP * (len(found) - 1)) / len(found)
    for place, (language, own) in enumerate(found.items()):
        panel = Panel(canvas, MARGIN + place * (width + _GAP), _TOP + 30, width, _HEIGHT)
        compared = say(f"n = {own.looked_at:,}", f"{own.looked_at:,}건")
        panel.head(style.speaker.language_name(language), compared)
        counts = own.histogram.counts
        panel.bars(counts, LANGUAGE_HUES[language], max(1, *counts) * 1.15)
        panel.ticks_below([(tenth / 5, f"{tenth / 5:.1f}") for tenth in range(6)])
        threshold = find_threshold(edition.manifest.curation, language)
        if threshold is not None:
            panel.mark(threshold, f"{threshold:g}")
    return Drawing(canvas, title, _describe(found, style.speaker))


def find_threshold(curation: dict[str, JsonValue], language: Language) -> float | None:
    """Find the similarity above which the version's records count as repeats, if it says."""
    novelty = curation.get("novelty")
    if not isinstance(novelty, dict):
        return None
    threshold = novelty.get("korean_threshold" if language == "ko" else "threshold")
    return float(threshold) if isinstance(threshold, int | float) else None


def _describe(found: dict[Language, Similarity], speaker: Speaker) -> str:
    return "; ".join(
        speaker.say(
            f"{speaker.language_name(language)}: median {own.median:.2f}, 95 in 100 records are "
            f"at or below {own.p95:.2f} ({own.looked_at:,} compared)",
            f"{speaker.language_name(language)}: 중앙값 {own.median:.2f}, 100건 중 95건이 "
            f"{own.p95:.2f} 이하({own.looked_at:,}건 비교)",
        )
        for language, own in found.items()
    )
