"""A slow index by ``rouge_score`` and ``re``: what the fast one is compared with."""

import re
import unicodedata
from collections.abc import Sequence
from typing import cast

from rouge_score import rouge_scorer  # pyright: ignore[reportMissingTypeStubs]
from rouge_score.tokenizers import (  # pyright: ignore[reportMissingTypeStubs]
    DefaultTokenizer,
)

from pipeline.curation.novelty.index import Match, Standing, Task
from schemas.records import Language

# As Alpaca's RougeScorer(["rougeL"], use_stemmer=False) makes it.
_ENGLISH = DefaultTokenizer(use_stemmer=False)
_KOREAN_TOKEN = re.compile(r"[가-힣㐀-䶿一-鿿]|[^\W_가-힣㐀-䶿一-鿿]+")


def oracle_tokens(text: str, language: Language) -> list[str]:
    if language == "en":
        return _ENGLISH.tokenize(text)
    return _KOREAN_TOKEN.findall(unicodedata.normalize("NFC", text).casefold())


def oracle_f1(first: Sequence[str], second: Sequence[str]) -> float:
    if not first or not second:
        return 0.0  # as RougeScorer.score
    return cast("float", rouge_scorer._score_lcs(first, second).fmeasure)  # pyright: ignore


class OracleIndex:
    """Judges each task by comparing it with all known ones, as Alpaca does."""

    def __init__(self, threshold: float, language: Language) -> None:
        self._threshold = threshold
        self._language: Language = language
        self.known: list[tuple[Task, list[str]]] = []

    def add(self, tasks: Sequence[Task]) -> None:
        self.known += [(task, oracle_tokens(task.text, self._language)) for task in tasks]

    def sift(self, tasks: Sequence[Task]) -> list[Standing]:
        return [self._judge(task) for task in tasks]

    def scores(self, text: str) -> list[Match]:
        tokens = oracle_tokens(text, self._language)
        return [Match(task.id, oracle_f1(tokens, other)) for task, other in self.known]

    def _judge(self, task: Task) -> Standing:
        for other, _ in self.known:
            if task.key and other.key == task.key:
                return Standing("twin", other.id, 1.0)
        if task.barred:
            return Standing("barred")
        scores = self.scores(task.text)
        best = max(scores, key=lambda match: match.score, default=None)  # the first of equals
        if best is not None and best.score > self._threshold:
            return Standing("repeat", *best)
        self.add([task])
        return Standing("new")
