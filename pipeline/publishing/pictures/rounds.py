"""What each round of generation brought: the share of drafts admitted, and the running total."""

from collections.abc import Sequence
from itertools import accumulate

from pipeline.publishing.card.speaker import percent
from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.canvas import HUES, MARGIN, WIDTH, Canvas, lighten
from pipeline.publishing.pictures.panel import Panel
from pipeline.publishing.pictures.style import Drawing, Style
from schemas.manifest import RoundYield

_TOP = 160
_HEIGHT = 200
_MOST_BARS = 120


def draw_rounds(edition: Edition, style: Style) -> Drawing | None:
    """Draw share and total over the rounds; None for fewer than two, which show no course."""
    rounds = edition.statistics.rounds
    if len(rounds) < 2 or not any(one.drafts for one in rounds):
        return None
    say = style.speaker.say
    title = say("Rounds and their yield", "라운드와 채택률")
    joined = _join(rounds)
    size = -(-len(rounds) // _MOST_BARS)
    each = say(f"each bar is {size} rounds", f"막대 하나는 라운드 {size}개") if size > 1 else ""
    canvas = Canvas(
        _TOP + 2 * _HEIGHT + 210,
        style.labels,
        title,
        say(
            f"what {len(rounds):,} rounds of prompts brought{each and ', ' + each}",
            f"프롬프트 {len(rounds):,}라운드의 결과{each and '. ' + each}",
        ),
    )
    left, width = MARGIN + 80, WIDTH - 2 * MARGIN - 80
    share = Panel(canvas, left, _TOP + 20, width, _HEIGHT)
    share.head(say("share of the drafts that was admitted", "초안 가운데 채택한 비율"))
    for tenth in (0.5, 1.0):
        share.level(tenth, f"{tenth:.0%}")
    share.bars([one.admitted / one.drafts if one.drafts else 0 for one in joined], HUES[2], 1)
    total = Panel(canvas, left, _TOP + _HEIGHT + 120, width, _HEIGHT)
    total.head(say("admitted so far", "채택한 초안의 누계"))
    _draw_total(total, joined)
    total.ticks_below(_ticks(len(rounds)))
    canvas.text(left + width / 2, total.bottom + 72, say("round", "라운드"), 22, align="center")
    drafts, admitted = sum(one.drafts for one in rounds), sum(one.admitted for one in rounds)
    alt = say(
        f"{admitted:,} of {drafts:,} drafts admitted in {len(rounds):,} rounds; first round "
        f"{percent(rounds[0].admitted, rounds[0].drafts)}, last "
        f"{percent(rounds[-1].admitted, rounds[-1].drafts)}",
        f"라운드 {len(rounds):,}번에 초안 {drafts:,}건 중 {admitted:,}건 채택. 첫 라운드 "
        f"{percent(rounds[0].admitted, rounds[0].drafts)}, 마지막 라운드 "
        f"{percent(rounds[-1].admitted, rounds[-1].drafts)}",
    )
    return Drawing(canvas, title, alt)


def _join(rounds: Sequence[RoundYield]) -> list[RoundYield]:
    """Add neighbouring rounds up until there is a bar for each."""
    size = -(-len(rounds) // _MOST_BARS)
    groups = [rounds[start : start + size] for start in range(0, len(rounds), size)]
    return [
        RoundYield(
            drafts=sum(one.drafts for one in group), admitted=sum(one.admitted for one in group)
        )
        for group in groups
    ]


def _draw_total(panel: Panel, rounds: Sequence[RoundYield]) -> None:
    totals = [0, *accumulate(one.admitted for one in rounds)]
    most = max(1, totals[-1])
    panel.level(1, f"{most:,}")
    step = panel.width / len(rounds)
    points = [
        (panel.left + place * step, panel.bottom - total / most * panel.height)
        for place, total in enumerate(totals)
    ]
    corner = (panel.left + panel.width, panel.bottom)
    panel.canvas.area([*points, corner, (panel.left, panel.bottom)], lighten(HUES[2], 0.75))
    panel.canvas.line(points, HUES[2], 4)
    panel.canvas.line([(panel.left, panel.bottom), corner], "#57606a")


def _ticks(rounds: int) -> list[tuple[float, str]]:
    """Number about ten rounds, each in the middle of its bar."""
    step = max(1, round(rounds / 10))
    return [((number - 0.5) / rounds, f"{number:,}") for number in range(1, rounds + 1, step)]
