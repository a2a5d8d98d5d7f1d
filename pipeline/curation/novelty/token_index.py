"""Known tasks, compared by the ROUGE-L F1 of their tokens."""

from collections.abc import Sequence

from pipeline.curation.novelty.index import Neighbourhood, Standing, Task
from pipeline.curation.novelty.similarity import SimilarityIndex
from pipeline.curation.novelty.tokens import tokenize
from schemas.records import Language


class TokenIndex:
    """The known tasks of one language, by order of arrival."""

    def __init__(self, threshold: float, language: Language) -> None:
        """Start with none."""
        self._language: Language = language
        self._similar = SimilarityIndex(threshold)
        self._ids: dict[bytes, str] = {}

    def add(self, tasks: Sequence[Task]) -> None:
        """Make tasks known, however similar they are."""
        for task in tasks:
            if task.key:
                self._ids.setdefault(task.key, task.id)
            self._similar.add(task.id, tokenize(task.text, self._language))

    def sift(self, tasks: Sequence[Task]) -> list[Standing]:
        """Judge tasks one after the other."""
        return [self._judge(task) for task in tasks]

    def _judge(self, task: Task) -> Standing:
        twin = self._ids.get(task.key)
        if twin is not None:
            return Standing("twin", twin, 1.0)
        if task.barred:
            return Standing("barred")
        nearest = self._similar.nearest(tokenize(task.text, self._language))
        if nearest is not None:
            return Standing("repeat", nearest.id, nearest.score)
        self.add([task])
        return Standing("new")

    def survey(self, text: str, count: int = 10) -> Neighbourhood:
        """Compare with all known tasks."""
        raise NotImplementedError
