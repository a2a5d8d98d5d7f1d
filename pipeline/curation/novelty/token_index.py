"""Known tasks, compared by the ROUGE-L F1 of their tokens.

How repeats are found says :mod:`similarity`, what a token is :mod:`tokens`. All is done by the
batch in compiled loops; what is left to Python are the lower case of a text and its standing.
A saved index holds the words, the tasks as numbers of words, keys and ids; posting lists and hash
tables are made again when it is loaded, 50,000 tasks in 0.1 CPU-s.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.index_files import read_index, write_index
from pipeline.curation.novelty.index import Match, Neighbourhood, Standing, Task
from pipeline.curation.novelty.similarity import Records, SimilarityIndex
from pipeline.curation.novelty.similarity_kernel import NEW, REPEAT, TWIN
from pipeline.curation.novelty.tokens import Rows, key_numbering, token_numbering
from schemas.records import Language

# Bounds the memory that one call takes beside the index: some 10 MB of English.
_TASKS_AT_ONCE = 65_536


class TokenIndex:
    """The known tasks of one language, by order of arrival."""

    def __init__(self, threshold: float, language: Language) -> None:
        """Start with none.

        Args:
            threshold: ROUGE-L F1 that a repeat exceeds.
            language: Decides what a token is, see :mod:`tokens`.
        """
        self._header = {
            "index": "tokens 1",
            "language": language,
            "threshold": repr(float(threshold)),
        }
        self._tokens = token_numbering(language)
        self._keys = key_numbering()
        self._similar = SimilarityIndex(threshold)
        self._ids: list[str] = []

    def add(self, tasks: Sequence[Task]) -> None:
        """Make tasks known, however similar they are; the first of a key keeps the place."""
        self._similar.add(self._tokens.number([task.text for task in tasks]), self._key(tasks))
        self._ids.extend(task.id for task in tasks)

    def sift(self, tasks: Sequence[Task]) -> list[Standing]:
        """Judge tasks one after the other."""
        return [
            standing
            for start in range(0, len(tasks), _TASKS_AT_ONCE)
            for standing in self._sift(tasks[start : start + _TASKS_AT_ONCE])
        ]

    def survey(self, text: str, count: int = 10) -> Neighbourhood:
        """Compare with all known tasks."""
        scores = self._similar.compare_all(self._tokens.number([text]).tokens)
        best = np.argsort(-scores, kind="stable")[:count].tolist()
        nearest = [Match(self._ids[record], float(scores[record])) for record in best]
        return Neighbourhood(nearest, float(scores.mean()) if len(scores) else 0.0)

    def find_nearest(self, row: int) -> Match | None:
        """Find the most similar other task of a known one, by its place; the first of equals."""
        other, score = self._similar.find_nearest(row)
        return Match(self._ids[other], float(score)) if other >= 0 else None

    def save(self, path: Path) -> None:
        """Write all that is known.

        Raises:
            StorageError: The file cannot be written; an earlier one stays.
        """
        words, word_ends = self._tokens.export()
        keys, key_ends = self._keys.export()
        rows, owners = self._similar.export()
        ids = [task_id.encode("utf-8", "surrogatepass") for task_id in self._ids]
        arrays = {
            "words": words,
            "word_ends": word_ends,
            "keys": keys,
            "key_ends": key_ends,
            "owners": owners,
            "tokens": rows.tokens,
            "starts": rows.starts,
            "ids": np.frombuffer(b"".join(ids), np.uint8),
            "id_ends": np.cumsum(np.fromiter(map(len, ids), np.int64, len(ids))),
        }
        write_index(path, self._header, arrays)

    @classmethod
    def load(cls, path: Path, threshold: float, language: Language) -> Self:
        """Read an index that judges every later task as the saved one would.

        Raises:
            IndexFileError: The file is missing, damaged, or of another threshold or language.
        """
        index = cls(threshold, language)
        arrays: dict[str, NDArray[Any]] = read_index(path, index._header)
        index._tokens.restore(arrays["words"], arrays["word_ends"])
        index._keys.restore(arrays["keys"], arrays["key_ends"])
        rows = Rows(arrays["tokens"], arrays["starts"])
        index._similar.restore(Records(rows, arrays["owners"]))
        ids, ends = arrays["ids"].tobytes(), arrays["id_ends"].tolist()
        index._ids = [
            ids[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise([0, *ends])
        ]
        return index

    def _sift(self, tasks: Sequence[Task]) -> list[Standing]:
        rows = self._tokens.number([task.text for task in tasks])
        barred = np.fromiter((task.barred for task in tasks), np.bool_, len(tasks))
        kinds, others, scores = self._similar.sift(rows, self._key(tasks), barred)
        ids = self._ids
        new, barred_one = Standing("new"), Standing("barred")
        standings: list[Standing] = []
        for task, kind, other, score in zip(
            tasks, kinds.tolist(), others.tolist(), scores.tolist(), strict=True
        ):
            if kind == NEW:
                ids.append(task.id)
                standings.append(new)
            elif kind == REPEAT:
                standings.append(Standing("repeat", ids[other], score))
            elif kind == TWIN:
                standings.append(Standing("twin", ids[other], score))
            else:
                standings.append(barred_one)
        return standings

    def _key(self, tasks: Sequence[Task]) -> NDArray[np.int32]:
        rows = self._keys.number_encoded([task.key for task in tasks])
        keys = np.full(len(tasks), -1, np.int32)
        keys[np.diff(rows.starts) > 0] = rows.tokens
        return keys
