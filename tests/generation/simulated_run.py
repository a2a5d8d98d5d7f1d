"""Runs of known statistics, to see how well they can be foretold."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from pipeline.generation.budget.forecast import Observation
from pipeline.generation.config import StrategyName
from schemas.records import Language


class Habit(NamedTuple):
    """How conversations of a strategy in a language go."""

    asked: int
    """Drafts in each."""
    share_kept: float
    tokens: float
    """Mean of an answer."""
    spread: float
    """Standard deviation of the logarithm of its tokens."""
    share_repeated: float = 0.05
    """Requests that are sent once more."""


Habits = Mapping[tuple[Language, StrategyName], Habit]


def draw_habits(
    random: np.random.Generator, strategies: Mapping[StrategyName, float], asked: int
) -> Habits:
    """Draw habits that differ between languages and strategies as those of real teachers do."""
    return {
        (language, strategy): Habit(
            asked,
            random.uniform(0.25, 0.9),
            random.uniform(100, 400) * asked,
            random.uniform(0.2, 0.6),
        )
        for language in ("en", "ko")
        for strategy in strategies
    }


def simulate(
    random: np.random.Generator,
    quota: Mapping[Language, int],
    mix: Mapping[StrategyName, float],
    habits: Habits,
) -> list[Observation]:
    """Hold conversations until each quota is filled, by turns as planning gives them."""
    to_come = {place: _hold(random, *place, habit) for place, habit in habits.items()}
    kept = dict.fromkeys(habits, 0)
    held: list[Observation] = []
    while True:
        missing: dict[Language, int] = {
            language: wanted - sum(n for (of, _), n in kept.items() if of == language)
            for language, wanted in quota.items()
        }
        language: Language = max(missing, key=lambda one: missing[one] / quota[one])
        if missing[language] <= 0:
            return held
        shares = {one: kept[language, one] / weight for one, weight in mix.items()}
        strategy = min(mix, key=shares.__getitem__)
        held.append(next(to_come[language, strategy]))
        kept[language, strategy] += held[-1].admitted


def _hold(
    random: np.random.Generator, language: Language, strategy: StrategyName, habit: Habit
) -> Iterator[Observation]:
    block = 256
    while True:
        tokens = habit.tokens * random.lognormal(-(habit.spread**2) / 2, habit.spread, block)
        columns = zip(
            random.binomial(habit.asked, habit.share_kept, block).tolist(),
            (1 + (random.random(block) < habit.share_repeated)).tolist(),
            random.integers(350, 450, block).tolist(),
            tokens.astype(int).tolist(),
            strict=True,
        )
        for admitted, requests, prompt, completion in columns:
            yield Observation(
                language,
                strategy,
                habit.asked,
                admitted,
                requests,
                prompt,
                completion,
                completion / 50,
            )


def take_pilot(run: list[Observation], records: int) -> list[Observation]:
    """Return the conversations until so many records were kept."""
    kept = 0
    for count, one in enumerate(run, start=1):
        kept += one.admitted
        if kept >= records:
            return run[:count]
    return run
