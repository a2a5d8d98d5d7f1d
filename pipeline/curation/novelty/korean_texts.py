"""Korean instructions as the arrays that their comparison reads."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.novelty import korean_kernel as kernel
from pipeline.curation.novelty.korean_lexicon import SETTINGS
from pipeline.curation.novelty.korean_reading import Kind, Reading, Word

WEIGHTS = {
    Kind.NOUN: 1.0,
    Kind.VERB: 0.6,
    Kind.FUNCTION: 0.1,
    Kind.QUESTION: 0.3,
    Kind.NEGATION: 0.2,
    Kind.NUMBER: 1.0,
    Kind.FOREIGN: 1.0,
}
"""How much of a task a word of each kind decides; see ``benchmarks/korean_similarity.py``."""

_PREFIXES = {
    Kind.FUNCTION: "~",
    Kind.NUMBER: "#",
    Kind.FOREIGN: "@",
}


class Texts:
    """Rows of words and units that grow at the end; the last may be provisional."""

    def __init__(self) -> None:
        """Start with none."""
        self.count = 0
        self.unit_count = 0
        """Units of the row that was written last; after :meth:`restore`, of all rows."""
        self.longest = 0
        """At least the units, and so the words, of each row."""
        self.unit_numbers: dict[str, int] = {}
        self.names: dict[str, int] = {"": 0}
        self._texts = np.zeros((256, 9), np.int32)
        self._words = np.zeros((1024, 6), np.int32)
        self._units = np.zeros(1024, np.int32)
        self._totals = np.zeros(256)
        self._weights = np.array([WEIGHTS[kind] for kind in Kind])

    @property
    def store(self) -> kernel.Store:
        """The arrays, valid until the next row is written."""
        return kernel.Store(self._texts, self._words, self._units, self._weights, self._totals)

    def learn(self, readings: Sequence[Reading]) -> None:
        """Number units by frequency, so that rare is known from the start; of cost only."""
        counts = Counter(
            name
            for reading in readings
            for place in range(len(reading.words))
            for name in _unit_names(reading.words, place)
        )
        for name, _ in counts.most_common():
            self.unit_numbers.setdefault(name, len(self.unit_numbers))

    def write(self, reading: Reading) -> None:
        """Write a text after the last row, in place of a provisional one; :meth:`keep` keeps it."""
        row = self.count
        word = self._texts[row - 1, kernel.LAST_WORD] if row else 0
        unit = self._words[word - 1, kernel.LAST_UNIT] if word else 0
        units = [self._units_of(reading.words, place) for place in range(len(reading.words))]
        self._make_room(row, word + len(units), unit + sum(map(len, units)))
        self._texts[row] = (
            word,
            word + len(units),
            reading.negated,
            self._name(_all_of(reading, Kind.NUMBER)),
            self._name(_all_of(reading, Kind.FOREIGN)),
            self._name(reading.letters),
            self._name(_settings(reading)),
            reading.act,
            reading.questions,
        )
        total = 0.0
        for found, own in zip(reading.words, units, strict=True):
            stem = self._name(found.stem)
            self._words[word] = (
                stem,
                found.kind,
                found.role,
                unit,
                unit + len(own),
                len(found.stem) > 1 and found.kind <= Kind.VERB,
            )
            self._units[unit : unit + len(own)] = own
            total += WEIGHTS[found.kind]
            word, unit = word + 1, unit + len(own)
        self._totals[row] = total
        self.unit_count = sum(map(len, units))
        self.longest = max(self.longest, self.unit_count)

    def letters(self, row: int) -> int:
        """Return what stands for the letters of a row; 0 for none."""
        return int(self._texts[row, kernel.LETTERS])

    def find_same(self, row: int) -> int:
        """Find the first other kept row of the same letters; -1 where there is none."""
        letters = self.letters(row)
        if not letters:
            return -1
        rows = np.flatnonzero(self._texts[: self.count, kernel.LETTERS] == letters)
        return next((int(other) for other in rows if other != row), -1)

    def keep(self) -> None:
        """Keep the row that was written last."""
        self.count += 1

    def export(self) -> dict[str, NDArray[Any]]:
        """Return all that is kept, as arrays."""
        words = int(self._texts[self.count - 1, kernel.LAST_WORD]) if self.count else 0
        units = int(self._words[words - 1, kernel.LAST_UNIT]) if words else 0
        return {
            "texts": self._texts[: self.count],
            "words": self._words[:words],
            "units": self._units[:units],
            "totals": self._totals[: self.count],
        }

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what was exported."""
        self.count = len(arrays["texts"])
        self.unit_count = self.longest = len(arrays["units"])
        self._make_room(self.count, len(arrays["words"]), len(arrays["units"]))
        self._texts[: self.count] = arrays["texts"]
        self._words[: len(arrays["words"])] = arrays["words"]
        self._units[: len(arrays["units"])] = arrays["units"]
        self._totals[: self.count] = arrays["totals"]

    def _units_of(self, words: Sequence[Word], place: int) -> list[int]:
        numbers = self.unit_numbers
        return [numbers.setdefault(name, len(numbers)) for name in _unit_names(words, place)]

    def _name(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names))

    def _make_room(self, texts: int, words: int, units: int) -> None:
        self._texts = grown(self._texts, texts + 1)
        self._totals = grown(self._totals, texts + 1)
        self._words = grown(self._words, words + 1)
        self._units = grown(self._units, units + 1)


def grown(array: NDArray[Any], rows: int, fill: int = 0) -> NDArray[Any]:
    """Return the array, or where it has too few rows a copy with at least twice as many."""
    if rows <= len(array):
        return array
    larger = np.full((max(rows, 2 * len(array)), *array.shape[1:]), fill, array.dtype)
    larger[: len(array)] = array
    return larger


def _all_of(reading: Reading, kind: Kind) -> str:
    return " ".join(sorted(word.stem for word in reading.words if word.kind == kind))


def _settings(reading: Reading) -> str:
    return " ".join(sorted(word.stem for word in reading.words if word.stem in SETTINGS))


def _unit_names(words: Sequence[Word], place: int) -> list[str]:
    word = words[place]
    stem = word.stem
    if word.kind > Kind.VERB:
        names = [_PREFIXES.get(word.kind, "") + stem]
    elif len(stem) > 1:
        names = [stem[at : at + 2] for at in range(len(stem) - 1)]
    else:
        # As it is within a longer word, where the space is left out: 책 제목, 책제목.
        names = [stem]
        if place + 1 < len(words) and words[place + 1].kind <= Kind.VERB:
            names.append(stem + words[place + 1].stem[0])
        if place and words[place - 1].kind <= Kind.VERB:
            names.append(words[place - 1].stem[-1] + stem)
    return names
