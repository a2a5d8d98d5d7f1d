"""Which figures of two versions differ by more than chance, and by enough to be told.

Shares are compared by the two-proportion z-test, or Fisher's exact test where fewer than five are
expected; lengths and similarities by the Mann–Whitney test on the bins of their histograms;
repetition by Simpson's index with its sampling variance (Nature 163, 1949). Holm's procedure keeps
the chance of a single false statement at 5 % over all of them. Versions mostly share records, which
the tests take for independent: they say too little rather than too much. A large version makes any
trifle significant, so a change must also be of a size that people would mind.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from pipeline.publishing.statistics.figures import Diversity, LanguageFigures, VersionStatistics
from pipeline.publishing.statistics.significance import (
    adjust_by_holm,
    compare_concentrations,
    compare_histograms,
    compare_shares,
    measure_concentration,
)
from schemas.records import LANGUAGES, Language

Subject = Literal["language", "task-type", "strategy", "length", "repetition", "similarity"]
Movement = Literal["gone", "halved", "fell", "rose", "new"]

LEVEL = 0.05
"""Chance that anything at all is stated of two versions that differ by chance alone."""
LEAST_SHARE = 0.02
"""Change of a share that is told, unless it is halved or gone."""
LEAST_RATIO = 1.1
"""Change of a median that is told, as a factor."""
LEAST_REPETITION = 1.25
"""Change of repetition that is told, as a factor."""
LEAST_SIMILARITY = 0.03
"""Change of the median similarity that is told."""

_GAPS = ("gone", "halved")


class Shift(NamedTuple):
    """A figure that moved."""

    subject: Subject
    """``repetition`` is the chance that two records of a language ask for the same: the opposite
    of diversity."""
    movement: Movement
    language: Language | None
    """Whose records; None for ``language`` itself."""
    name: str
    """The task type, strategy, language or column; empty for repetition and similarity."""
    before: float
    """A share, a chance or a similarity, all fractions; for lengths the median in characters."""
    after: float
    p_value: float
    """That chance alone moves a figure as far, Holm-adjusted over all that were compared."""

    @property
    def is_gap(self) -> bool:
        """Whether the newer version lacks, or half lacks, what the older one had."""
        return self.movement in _GAPS


def find_drift(older: VersionStatistics, newer: VersionStatistics) -> list[Shift]:
    """List what moved, gaps first and then as in the figures, each with its numbers."""
    candidates = [*_compare_languages(older, newer)]
    for language in LANGUAGES:
        before, after = older.languages.get(language), newer.languages.get(language)
        if before is not None and after is not None:
            candidates += _compare_kinds(language, before, after)
            candidates += _compare_lengths(language, before, after)
            candidates += _compare_diversity(language, before.diversity, after.diversity)
            candidates += _compare_similarity(language, before, after)
    adjusted = adjust_by_holm([shift.p_value for shift in candidates])
    moved = [
        shift._replace(p_value=p_value)
        for shift, p_value in zip(candidates, adjusted, strict=True)
        if p_value < LEVEL and _is_worth_telling(shift)
    ]
    return sorted(moved, key=lambda shift: not shift.is_gap)


def _compare_languages(older: VersionStatistics, newer: VersionStatistics) -> Iterator[Shift]:
    before: Counter[str] = Counter({name: one.records for name, one in older.languages.items()})
    after: Counter[str] = Counter({name: one.records for name, one in newer.languages.items()})
    return _compare_counts("language", None, before, after)


def _compare_kinds(
    language: Language, before: LanguageFigures, after: LanguageFigures
) -> Iterator[Shift]:
    yield from _compare_counts("task-type", language, before.task_types, after.task_types)
    yield from _compare_counts("strategy", language, before.strategies, after.strategies)


def _compare_counts(
    subject: Subject, language: Language | None, before: Mapping[str, int], after: Mapping[str, int]
) -> Iterator[Shift]:
    all_before, all_after = sum(before.values()), sum(after.values())
    names = sorted(before.keys() | after.keys())
    if not all_before or not all_after or len(names) < 2:
        return
    if len(names) == 2:
        # The share of the one says all about the other; that which fell may be a gap.
        names = [
            min(
                names,
                key=lambda name: after.get(name, 0) * all_before - before.get(name, 0) * all_after,
            )
        ]
    for name in names:
        old, new = before.get(name, 0), after.get(name, 0)
        p_value = compare_shares(old, all_before, new, all_after)
        old_share, new_share = old / all_before, new / all_after
        movement = _name_movement(old_share, new_share)
        yield Shift(subject, movement, language, name, old_share, new_share, p_value)


def _name_movement(before: float, after: float) -> Movement:
    if not after:
        return "gone"
    if not before:
        return "new"
    if after <= before / 2:
        return "halved"
    return "fell" if after < before else "rose"


def _compare_lengths(
    language: Language, before: LanguageFigures, after: LanguageFigures
) -> Iterator[Shift]:
    for column, old in before.lengths.items():
        new = after.lengths.get(column)
        if new is not None and old.histogram.edges == new.histogram.edges:
            p_value = compare_histograms(old.histogram.counts, new.histogram.counts)
            movement: Movement = "fell" if new.median < old.median else "rose"
            yield Shift("length", movement, language, column, old.median, new.median, p_value)


def _compare_diversity(
    language: Language, before: Diversity | None, after: Diversity | None
) -> Iterator[Shift]:
    if before is None or after is None:
        return
    old = [phrase.count for phrase in before.phrases]
    new = [phrase.count for phrase in after.phrases]
    one, two = measure_concentration(old), measure_concentration(new)
    movement: Movement = "fell" if two < one else "rose"
    yield Shift("repetition", movement, language, "", one, two, compare_concentrations(old, new))


def _compare_similarity(
    language: Language, before: LanguageFigures, after: LanguageFigures
) -> Iterator[Shift]:
    old, new = before.similarity, after.similarity
    if old is None or new is None or old.histogram.edges != new.histogram.edges:
        return
    p_value = compare_histograms(old.histogram.counts, new.histogram.counts)
    movement: Movement = "fell" if new.median < old.median else "rose"
    yield Shift("similarity", movement, language, "", old.median, new.median, p_value)


def _is_worth_telling(shift: Shift) -> bool:
    least, most = sorted((shift.before, shift.after))
    match shift.subject:
        case "length":
            return most >= LEAST_RATIO * least
        case "repetition":
            return most >= LEAST_REPETITION * least
        case "similarity":
            return most - least >= LEAST_SIMILARITY
        case _:
            return shift.is_gap or most - least >= LEAST_SHARE
