"""Foretell a run from its first conversations: requests, tokens, cost, minutes and records.

A run goes on until its quotas of kept records are filled, so what it takes in a language and
strategy is the records still wanted times what one kept record took there: a ratio estimate, sum
of tokens over sum of records. Its error is that of the residuals ``tokens - ratio * records`` of
single conversations (delta method; Cochran, Sampling Techniques, 3rd ed., section 6.4), and a run
of N further conversations after n of the pilot strays by ``s * sqrt(N * N / n + N)``. Intervals
hold 95 % and are log-normal, since nothing here is below 0 and the upper side is the longer one.

What a pilot cannot tell: with a coefficient of variation c of those residuals, 15 % in 90 % of the
runs need n = (1.645 * c / 0.15) ** 2 = 120 c² conversations. One record a conversation, of which
40 % are kept, has c = 1.2: 180 conversations, a 5 % pilot of 1,440 records. With ten records a
conversation c is about 0.5, for tokens vary: 30 conversations, a 5 % pilot of some 4,000 records.

A yield that falls while the pool grows is not extrapolated: between the halves of a pilot the
logarithm of the pool grows by 1.1, from there to the run's middle by 2.7, so that an error of 10 %
in the difference of 100 conversations would become one of 27 %. The run's end is compared with the
forecast instead. Minutes assume that as many requests are under way as may be; where rate limits
or small rounds leave the endpoint idle, they are too few.

Cost: O(observations).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from pipeline.generation.config import Price, StrategyName
from schemas.frozen import Frozen
from schemas.records import Language

_Z = 1.96
_PRIOR = 1.0
"""Conversations of the pilot's average that every language and strategy is credited with, so that
one without a kept record yet has a finite forecast."""
_PRIOR_SPREAD = 4.0
"""Degrees of freedom of the pooled spread that each gets: two conversations say nothing of it."""


class Observation(NamedTuple):
    """What one conversation took and brought."""

    language: Language
    strategy: StrategyName
    drafts: int
    admitted: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float | None = None
    """From its first request to its last answer; None when nobody waited, as for batches."""


_DIGITS = {"US dollars": 2, "minutes": 1}
"""After the point; the others are counted."""


class Range(Frozen):
    """A number and the bounds that should hold it 95 times in 100."""

    low: float = Field(ge=0)
    expected: float = Field(ge=0)
    high: float = Field(ge=0)


class Forecast(Frozen):
    """What a whole run will have taken, its pilot included."""

    pilot_conversations: int
    conversations: Range
    requests: Range
    tokens: Range
    """Of prompts and answers."""
    usd: Range | None
    """None when no price is known."""
    minutes: Range | None
    kept: dict[Language, Range]


class Totals(NamedTuple):
    """What a run took in the end."""

    conversations: int
    requests: int
    tokens: int
    usd: float | None
    minutes: float | None
    kept: Mapping[Language, int]


class _Cell(NamedTuple):
    """One strategy in one language."""

    observations: list[Observation]
    wanted: float
    """Records still to be kept."""


def forecast(
    observations: Sequence[Observation],
    remaining: Mapping[Language, int],
    mix: Mapping[StrategyName, float],
    price: Price | None,
    concurrency: int,
) -> Forecast | None:
    """Foretell the whole run; None when no record was kept yet: there is nothing to go by.

    Args:
        observations: Of every conversation so far, in the order of the folds.
        remaining: Records still to be kept in each language.
        mix: Weights of the strategies that are still asked; shares of kept records.
        price: What a million tokens cost.
        concurrency: Requests under way at once.
    """
    if not any(one.admitted for one in observations):
        return None
    cells = _make_cells(observations, remaining, mix)
    # The first answers of an idle endpoint are not typical: models load, connections are made.
    warm = observations[concurrency:] if len(observations) >= 2 * concurrency else observations
    timed = [one for one in warm if one.seconds is not None]
    minutes = None
    if any(one.admitted for one in timed):
        share = _foretell(_make_cells(timed, remaining, mix), timed, _get_seconds)
        past = sum(_get_seconds(one) for one in observations)
        minutes = _scale(share, past, 1 / 60 / concurrency)

    def foretell(measure: Callable[[Observation], float]) -> Range:
        return _scale(_foretell(cells, observations, measure), sum(map(measure, observations)), 1)

    return Forecast(
        pilot_conversations=len(observations),
        conversations=foretell(lambda _one: 1.0),
        requests=foretell(lambda one: float(one.requests)),
        tokens=foretell(lambda one: float(one.prompt_tokens + one.completion_tokens)),
        usd=foretell(lambda one: _get_cost(one, price)) if price else None,
        minutes=minutes,
        kept={
            language: _foretell_kept(observations, language, wanted)
            for language, wanted in remaining.items()
        },
    )


class Measure(NamedTuple):
    """One thing that a run takes or brings, foretold and found."""

    name: str
    foretold: Range | None
    found: float | None
    """None where it is not known, such as dollars without a price."""
    digits: int
    """To be shown after the point."""


def list_measures(forecast: Forecast | None, actual: Totals) -> list[Measure]:
    """Hold what a run took against its forecast; without one, only what it took."""
    known = _foretold(forecast) if forecast else {}
    found: dict[str, float | None] = {
        "conversations": actual.conversations,
        "requests": actual.requests,
        "tokens": actual.tokens,
        "US dollars": actual.usd,
        "minutes": actual.minutes,
    }
    found |= {_name_kept(language): count for language, count in actual.kept.items()}
    return [
        Measure(name, known.get(name), value, _DIGITS.get(name, 0)) for name, value in found.items()
    ]


def describe(forecast: Forecast) -> list[str]:
    """Tell people, a line for each measure."""
    lines = [f"Forecast from {forecast.pilot_conversations:,} conversations (95 % interval):"]
    for name, foretold in _foretold(forecast).items():
        lines.append(f"{name}: {show_range(foretold, _DIGITS.get(name, 0))}")
    return lines


def compare(forecast: Forecast, actual: Totals) -> list[str]:
    """Tell people how the forecast turned out, a line for each measure."""
    lines = [f"Forecast after {forecast.pilot_conversations:,} conversations against actual:"]
    for name, foretold, found, digits in list_measures(forecast, actual):
        if foretold is not None and found is not None:
            off = f", {foretold.expected / found - 1:+.0%}" if found else ""
            shown = show_range(foretold, digits)
            lines.append(f"{name}: {found:,.{digits}f}, foretold {shown}{off}")
    return lines


def show_range(foretold: Range, digits: int) -> str:
    """Write a number with its interval."""
    return (
        f"{foretold.expected:,.{digits}f} ({foretold.low:,.{digits}f} to "
        f"{foretold.high:,.{digits}f})"
    )


def _make_cells(
    observations: Sequence[Observation],
    remaining: Mapping[Language, int],
    mix: Mapping[StrategyName, float],
) -> list[_Cell]:
    """Split what is wanted over strategies, as planning does: by shares of all kept records."""
    cells: list[_Cell] = []
    for language, wanted in sorted(remaining.items()):
        of_language = [one for one in observations if one.language == language]
        total = wanted + sum(one.admitted for one in of_language)
        shares: list[_Cell] = []
        for name, weight in sorted(mix.items()):
            own = [one for one in of_language if one.strategy == name]
            share = total * weight / sum(mix.values()) - sum(one.admitted for one in own)
            shares.append(_Cell(own, max(0.0, share)))
        scale = wanted / (sum(cell.wanted for cell in shares) or 1.0)
        cells += [cell._replace(wanted=cell.wanted * scale) for cell in shares]
    return cells


def _foretell(
    cells: Sequence[_Cell],
    observations: Sequence[Observation],
    measure: Callable[[Observation], float],
) -> Range:
    """Foretell a measure of all conversations still to come."""
    mean = sum(map(measure, observations)) / len(observations)
    mean_kept = sum(one.admitted for one in observations) / len(observations)
    pooled = _get_pooled_spread(cells, measure)
    expected = variance = 0.0
    for own, wanted in cells:
        count = len(own) + _PRIOR
        taken = (sum(map(measure, own)) + _PRIOR * mean) / count
        kept = (sum(one.admitted for one in own) + _PRIOR * mean_kept) / count
        if not wanted or not kept:
            continue
        ratio = taken / kept
        freedom = max(0, len(own) - 1)
        spread = _get_spread(own, measure, ratio) * freedom + pooled * taken**2 * _PRIOR_SPREAD
        spread /= freedom + _PRIOR_SPREAD
        coming = wanted / kept
        expected += wanted * ratio
        variance += spread * (coming**2 / count + coming)
    deviation = math.sqrt(math.log1p(variance / expected**2)) if expected else 0.0
    freedom = max(1, len(observations) - len(cells))
    width = math.exp(min(deviation * (_Z + (_Z**3 + _Z) / (4 * freedom)), 50.0))
    return Range(low=expected / width, expected=expected, high=expected * width)


def _get_pooled_spread(cells: Sequence[_Cell], measure: Callable[[Observation], float]) -> float:
    """Return the variance of all, each relative to the mean of its language and strategy."""
    squares = freedom = 0.0
    for own, _ in cells:
        taken, kept = sum(map(measure, own)), sum(one.admitted for one in own)
        if len(own) > 1 and taken and kept:
            relative = _get_spread(own, measure, taken / kept) / (taken / len(own)) ** 2
            squares += relative * (len(own) - 1)
            freedom += len(own) - 1
    return squares / freedom if freedom else 1.0


def _get_spread(
    own: Sequence[Observation], measure: Callable[[Observation], float], ratio: float
) -> float:
    """Return the variance of what conversations took beyond what their records explain."""
    squares = sum((measure(one) - ratio * one.admitted) ** 2 for one in own)
    return squares / max(1, len(own) - 1)


def _foretell_kept(observations: Sequence[Observation], language: Language, wanted: int) -> Range:
    """The last conversations may bring more than was missing."""
    kept = [one.admitted for one in observations if one.language == language]
    total = sum(kept) + wanted
    most = max(kept, default=0) if wanted else 0
    return Range(low=total, expected=total + most / 4, high=total + most)


def _scale(coming: Range, past: float, factor: float) -> Range:
    return Range(
        low=(past + coming.low) * factor,
        expected=(past + coming.expected) * factor,
        high=(past + coming.high) * factor,
    )


def _get_seconds(one: Observation) -> float:
    return one.seconds or 0.0


def _get_cost(one: Observation, price: Price) -> float:
    return (one.prompt_tokens * price.input + one.completion_tokens * price.output) / 1e6


def _foretold(forecast: Forecast) -> dict[str, Range]:
    """Name each measure that was foretold, in the order in which people are told."""
    measures = {
        "conversations": forecast.conversations,
        "requests": forecast.requests,
        "tokens": forecast.tokens,
        "US dollars": forecast.usd,
        "minutes": forecast.minutes,
    } | {_name_kept(language): found for language, found in forecast.kept.items()}
    return {name: found for name, found in measures.items() if found is not None}


def _name_kept(language: Language) -> str:
    return f"{language} records kept"
