"""Known Korean tasks, compared by what they are about rather than by their letters.

The similarity of two tasks is the share of their stems, weighted by kind, that the other one has
too, in any order: of the one where it is lower. Tasks that differ for sure keep half of it: other
numbers, names, places or times, an exchanged noun or last verb, a negation, a question against an
order. The same letters, whatever the spacing, score 1.

Measured by ``benchmarks/korean_similarity.py``: where 0.1 % of neighbouring questions of paraKQC
are dropped, it catches 57 % of the paraphrases, at a threshold of 0.45; plain syllable ROUGE-L
28 %. Tried and dropped there: stems without what tells tasks apart catch 64 %, but join requests to
translate into English and into Japanese; dropping each pair that differs by a noun on either side
catches 36 %.

Only texts that share a rare enough unit are compared (prefix filter, as in AllPairs), by postings.
Cost at 0.6: 43,000 real instructions 5 CPU-s; of perturbed ones 50,000 take 7 CPU-s and 100,000
17, about n^1.25. Larger runs grow faster, as the share of a text that is looked up is large.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.index_files import read_index, write_index
from pipeline.curation.novelty import korean_kernel as kernel
from pipeline.curation.novelty.index import Match, Neighbourhood, Standing, Task
from pipeline.curation.novelty.korean_reading import StemReader
from pipeline.curation.novelty.korean_texts import Texts, grown

_HEADER = {"index": "korean stems 1"}


class KoreanIndex:
    """The known Korean tasks, by order of arrival."""

    def __init__(self, threshold: float) -> None:
        """Start with none.

        Args:
            threshold: Similarity that a repeat exceeds, a fraction.
        """
        self._threshold = float(threshold)
        self._reader = StemReader()
        self._texts = Texts()
        self._ids: list[str] = []
        self._twins: dict[bytes, str] = {}
        self._first_of: dict[int, int] = {}
        """By letters the first text that has just these."""
        self._stamp = 0
        self._used = 0
        self._lists = kernel.Lists(
            np.full(1024, -1, np.int32), np.zeros((1024, 2), np.int32), np.zeros(1024)
        )
        self._scratch = kernel.Scratch(
            np.zeros(64, np.int32),
            np.zeros(64),
            np.zeros(64),
            np.zeros(64),
            np.zeros(1024, np.int64),
            np.zeros(1024, np.int64),
            np.zeros(256, np.int64),
        )

    def add(self, tasks: Sequence[Task]) -> None:
        """Make tasks known, however similar they are; the first of a key keeps the place."""
        for task in tasks:
            self._write(task.text)
            self._keep(task)

    def sift(self, tasks: Sequence[Task]) -> list[Standing]:
        """Judge tasks one after the other."""
        if not self._texts.unit_numbers:
            self._texts.learn([self._reader.read(task.text) for task in tasks])
        return [self._judge(task) for task in tasks]

    def survey(self, text: str, count: int = 10) -> Neighbourhood:
        """Compare with all known tasks."""
        self._write(text)
        scores = np.zeros(len(self._ids))
        kernel.compare_all(self._texts.store, self._texts.count, self._scratch, self._stamp, scores)
        best = np.argsort(-scores, kind="stable")[:count].tolist()
        nearest = [Match(self._ids[row], float(scores[row])) for row in best]
        return Neighbourhood(nearest, float(scores.mean()) if len(scores) else 0.0)

    def find_nearest(self, row: int) -> Match | None:
        """Find the most similar other task of a known one, by its place; the first of equals.

        Fast where it is above the threshold of this index: otherwise all are compared.
        """
        texts, scratch = self._texts, self._scratch
        self._stamp += 1
        scratch.seen[row] = self._stamp
        best, score = kernel.search(
            texts.store, row, self._threshold, self._lists, scratch, self._stamp
        )
        same = texts.find_same(row)
        if same >= 0 and (score < 1.0 or same < best):
            best, score = same, 1.0
        if best < 0 and texts.count > 1:
            scores = np.zeros(texts.count)
            kernel.compare_all(texts.store, row, scratch, self._stamp, scores)
            scores[row] = -1.0
            best = int(scores.argmax())
            score = scores[best]
        return Match(self._ids[best], float(score)) if best >= 0 else None

    def save(self, path: Path) -> None:
        """Write all that is known.

        Raises:
            StorageError: The file cannot be written; an earlier one stays.
        """
        arrays = self._texts.export()
        for name, texts in (
            ("ids", self._ids),
            ("units", list(self._texts.unit_numbers)),
            ("names", list(self._texts.names)),
            ("twins", list(self._twins.values())),
        ):
            arrays |= _packed(name, [text.encode("utf-8", "surrogatepass") for text in texts])
        write_index(path, _HEADER, arrays | _packed("keys", list(self._twins)))

    @classmethod
    def load(cls, path: Path, threshold: float) -> Self:
        """Read an index; it may have been saved with another threshold.

        Raises:
            IndexFileError: The file is missing, damaged, or no index of this version.
        """
        arrays = read_index(path, _HEADER)
        index = cls(threshold)
        index._ids = _unpacked_texts("ids", arrays)
        index._twins = dict(
            zip(_unpacked("keys", arrays), _unpacked_texts("twins", arrays), strict=True)
        )
        texts = index._texts
        texts.unit_numbers = {
            unit: row for row, unit in enumerate(_unpacked_texts("units", arrays))
        }
        texts.names = {name: row for row, name in enumerate(_unpacked_texts("names", arrays))}
        texts.restore(arrays)
        index._make_room()
        for row in range(texts.count):
            index._link(row)
        return index

    def _judge(self, task: Task) -> Standing:
        twin = self._twins.get(task.key)
        if twin is not None:
            return Standing("twin", twin, 1.0)
        if task.barred:
            return Standing("barred")
        self._write(task.text)
        row, score = kernel.search(
            self._texts.store,
            self._texts.count,
            self._threshold,
            self._lists,
            self._scratch,
            self._stamp,
        )
        same = self._first_of.get(self._texts.letters(self._texts.count), -1)
        if same >= 0 and self._threshold < 1.0 and (score < 1.0 or same < row):
            row, score = same, 1.0
        if row >= 0:
            return Standing("repeat", self._ids[row], float(score))
        self._keep(task)
        return Standing("new")

    def _write(self, text: str) -> None:
        """Write a text behind the kept ones, and make room for comparing it with them."""
        texts = self._texts
        texts.write(self._reader.read(text))
        self._stamp += 1
        self._make_room()

    def _make_room(self) -> None:
        """Make room for comparing all rows, and for linking the last."""
        texts, lists, scratch = self._texts, self._lists, self._scratch
        units, postings = len(texts.unit_numbers), self._used + texts.unit_count
        if units > len(lists.heads) or postings > len(lists.rests):
            self._lists = kernel.Lists(
                grown(lists.heads, units, -1),
                grown(lists.postings, postings),
                grown(lists.rests, postings),
            )
        if (
            units > len(scratch.marks)
            or texts.count >= len(scratch.seen)
            or texts.longest > len(scratch.units)
        ):
            self._scratch = kernel.Scratch(
                grown(scratch.units, texts.longest),
                grown(scratch.rests, texts.longest),
                grown(scratch.ones, texts.longest),
                grown(scratch.twos, texts.longest),
                grown(scratch.marks, units),
                grown(scratch.others, units),
                grown(scratch.seen, texts.count + 1),
            )

    def _keep(self, task: Task) -> None:
        """Make the text that was written last known."""
        if task.key:
            self._twins.setdefault(task.key, task.id)
        self._ids.append(task.id)
        self._link(self._texts.count)
        self._texts.keep()

    def _link(self, row: int) -> None:
        """Let searches find a row."""
        letters = self._texts.letters(row)
        if letters:
            self._first_of.setdefault(letters, row)
        self._used = kernel.insert(
            self._texts.store, row, self._threshold, self._lists, self._used, self._scratch
        )


def _packed(name: str, parts: Sequence[bytes]) -> dict[str, NDArray[Any]]:
    ends = np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)))
    return {f"{name} bytes": np.frombuffer(b"".join(parts), np.uint8), f"{name} ends": ends}


def _unpacked(name: str, arrays: dict[str, NDArray[Any]]) -> list[bytes]:
    whole = arrays[f"{name} bytes"].tobytes()
    return [whole[start:end] for start, end in pairwise([0, *arrays[f"{name} ends"].tolist()])]


def _unpacked_texts(name: str, arrays: dict[str, NDArray[Any]]) -> list[str]:
    return [part.decode("utf-8", "surrogatepass") for part in _unpacked(name, arrays)]
