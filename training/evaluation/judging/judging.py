"""Let a teacher compare written answers of challenger and baseline, each pair in both orders.

Judges favour a place as well: one that prefers whatever stands first would make a winner of any
model. So each pair is judged in both orders, and won only where both verdicts agree (Zheng et al.
2023, arXiv:2306.05685, section 3.4). Equal answers are a tie that nobody is asked about.

This module knows no network: who asks is handed in.

Cost: two questions a pair that differs, and one more for each that is answered without a verdict.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from schemas.errors import PacaloomError
from schemas.evaluation import JudgedPairs
from schemas.exchange import Prompt
from schemas.records import Language
from training.evaluation.judging.length_control import Outcome, control_length
from training.evaluation.judging.prompts import (
    ATTEMPTS,
    ORDERS,
    Order,
    Pair,
    render_comparison,
)
from training.evaluation.judging.verdicts import Winner, read_winner

Ask = Callable[[Sequence[Prompt]], Sequence[str]]
"""Answers questions in their order; an empty text where there is no answer."""

_MOST_UNREADABLE = 0.2


class NoJudgeError(PacaloomError):
    """A model that gives no verdicts."""


class Question(NamedTuple):
    """What both models were asked."""

    text: str
    """Instruction and input, as a person would read them."""
    language: Language


class _Asked(NamedTuple):
    """One pair in one order."""

    pair: int
    order: Order


def judge_pairs(
    questions: Sequence[Question],
    theirs: Sequence[str],
    mine: Sequence[str],
    ask: Ask,
    judge: str,
    seed: int,
) -> list[JudgedPairs]:
    """Compare answers pair by pair.

    Args:
        questions: What was asked.
        theirs: The baseline's answers, in the same order.
        mine: The challenger's.
        ask: Asks the judge.
        judge: Its name, for the report.
        seed: Of the bootstrap.

    Returns:
        One a language, in the order in which languages come up first.

    Raises:
        NoJudgeError: Of more than a fifth of its answers no verdict could be read, asked again too.
    """
    pairs = [
        Pair(question.text, question.language, one, other)
        for question, one, other in zip(questions, theirs, mine, strict=True)
    ]
    winners = _ask_both_orders(pairs, ask, judge)
    languages: list[Language] = list(dict.fromkeys(pair.language for pair in pairs))
    return [
        _sum_up(
            [(pair, winners[n]) for n, pair in enumerate(pairs) if pair.language == language],
            language,
            judge,
            seed,
        )
        for language in languages
    ]


def _ask_both_orders(
    pairs: Sequence[Pair], ask: Ask, judge: str
) -> list[tuple[Winner | None, ...]]:
    """Return for each pair both verdicts; for equal answers twice a tie."""
    waiting = [
        _Asked(number, order)
        for number, pair in enumerate(pairs)
        if pair.theirs.strip() != pair.mine.strip()
        for order in ORDERS
    ]
    total = len(waiting)
    read: dict[_Asked, Winner | None] = {}
    last = ""
    for attempt in range(ATTEMPTS):
        prompts = [render_comparison(pairs[one.pair], one.order, attempt) for one in waiting]
        for one, answer in zip(waiting, ask(prompts) if prompts else [], strict=True):
            read[one] = read_winner(answer)
            last = answer if read[one] is None else last
        waiting = [one for one in waiting if read[one] is None]
    if len(waiting) > _MOST_UNREADABLE * total:
        raise NoJudgeError(
            f"{judge} gave no verdict in {len(waiting)} of {total} comparisons, asked twice; it "
            f"last wrote {' '.join(last.split())[:80]!r}. Choose a larger judge model."
        )
    return [
        tuple(read.get(_Asked(number, order), "tie") for order in ORDERS)
        for number in range(len(pairs))
    ]


def _sum_up(
    judged: Sequence[tuple[Pair, tuple[Winner | None, ...]]],
    language: Language,
    judge: str,
    seed: int,
) -> JudgedPairs:
    scores = [_score(winners) for _, winners in judged]
    outcomes = [
        Outcome(score, len(pair.mine) - len(pair.theirs))
        for score, (pair, _) in zip(scores, judged, strict=True)
    ]
    controlled = control_length(outcomes, seed)
    return JudgedPairs(
        judge=judge,
        language=language,
        wins=scores.count(1.0),
        ties=scores.count(0.5),
        losses=scores.count(0.0),
        win_rate=sum(scores) / len(scores),
        length_controlled=controlled.rate,
        low=controlled.low,
        high=controlled.high,
    )


def _score(winners: tuple[Winner | None, ...]) -> float:
    """Count a win for the challenger where both orders name it; a missing verdict names nobody."""
    if winners == ("B", "A"):
        return 1.0
    return 0.0 if winners == ("A", "B") else 0.5
