"""How varied the records are: what they ask for, and how near the nearest other one is."""

from pipeline.publishing.card.page import Page
from pipeline.publishing.card.speaker import percent
from pipeline.publishing.statistics.figures import Diversity
from schemas.markdown import code, table
from schemas.records import Language

_PHRASES = 8


def write_diversity(page: Page) -> str:
    """Tell what instructions ask for, by verb and noun."""
    found: dict[Language, Diversity] = {
        language: figures.diversity
        for language, figures in page.edition.statistics.languages.items()
        if figures.diversity is not None
    }
    parts: list[str] = []
    for language, diversity in found.items():
        parts.append(_describe(page, language, diversity))
        parts.append(page.picture("phrases-ko" if language == "ko" else "phrases-en"))
        parts.append(_phrases(page, diversity))
    return page.section("Diversity", "다양성", *parts)


def write_similarity(page: Page) -> str:
    """Tell how similar records are to the most similar other one, and how many were compared."""
    rows: list[list[str]] = []
    for language, figures in page.edition.statistics.languages.items():
        own = figures.similarity
        if own is not None and own.looked_at:
            rows.append(
                [
                    page.speaker.language_name(language),
                    page.say(
                        f"{own.looked_at:,} of {figures.records:,}",
                        f"{figures.records:,}건 중 {own.looked_at:,}건",
                    ),
                    f"{own.median:.2f}",
                    f"{own.p95:.2f}",
                ]
            )
    if not rows:
        return ""
    header = [
        page.say("language", "언어"),
        page.say("records compared", "비교한 레코드"),
        page.say("median", "중앙값"),
        page.say("95th percentile", "상위 5%"),
    ]
    return page.section(
        "Similarity to the nearest neighbour",
        "가장 비슷한 레코드와의 유사도",
        page.say(
            "Each record's similarity to the most similar other record or seed task, by the "
            "measure of the novelty stage: 0 shares nothing, 1 is the same.",
            "레코드마다 가장 비슷한 다른 레코드나 시드 과제를 찾아 참신성 단계와 같은 방법으로 잰 "
            "값입니다. 0은 겹치는 것이 없고 1은 같습니다.",
        ),
        page.picture("similarity"),
        table(header, rows, right=3),
    )


def _describe(page: Page, language: Language, diversity: Diversity) -> str:
    name = page.speaker.language_name(language)
    parsed = percent(diversity.parsed, diversity.looked_at)
    kinds = sum(bool(phrase.noun) for phrase in diversity.phrases)
    reader = "형태소 분석기가" if language == "ko" else "품사 분석기가"
    units, unit = ("morphemes", "형태소") if language == "ko" else ("words", "낱말")
    return page.say(
        f"**{name}.** A tagger read {diversity.looked_at:,} instructions and found in {parsed} "
        f"what is asked for: {kinds:,} different pairs of verb and noun. Of all {units} "
        f"{diversity.distinct_1:.0%} are different ones, of pairs of neighbouring {units} "
        f"{diversity.distinct_2:.0%} (distinct-1 and distinct-2; they fall as a dataset grows).",
        f"**{name}.** {reader} 지시문 {diversity.looked_at:,}건을 읽었고 그중 {parsed}에서 "
        f"무엇을 시키는지 찾았습니다. 명사와 서술어의 짝은 모두 {kinds:,}가지입니다. 서로 다른 "
        f"{unit}의 비율(distinct-1)은 {diversity.distinct_1:.0%}, 서로 다른 이웃 {unit} 짝의 "
        f"비율(distinct-2)은 {diversity.distinct_2:.0%}입니다. 두 값은 데이터셋이 커질수록 "
        "낮아집니다.",
    )


def _phrases(page: Page, diversity: Diversity) -> str:
    pairs = [phrase for phrase in diversity.phrases if phrase.noun][:_PHRASES]
    if not pairs:
        return ""
    rows = [
        [
            code(phrase.verb),
            code(phrase.noun),
            f"{phrase.count:,}",
            percent(phrase.count, diversity.looked_at),
        ]
        for phrase in pairs
    ]
    header = [
        page.say("verb", "서술어"),
        page.say("noun", "명사"),
        page.say("instructions", "지시문(건)"),
        page.say("share", "비율"),
    ]
    return table(header, rows, right=2)
