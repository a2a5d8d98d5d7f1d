"""Drop instructions that repeat a seed task or an earlier record, exactly as Alpaca decides.

Stanford Alpaca keeps an instruction when its ROUGE-L F1 with every seed and every kept instruction
is at most 0.7 (``generate_instruction.py``; after Self-Instruct, arXiv:2212.10560, section 2.2). It
compares the instruction alone: the same question about another input is a repeat.

English follows it to the last bit, by the tokens (``[a-z0-9]+``, lower case, no stemmer) and float
operations of ``rouge_score``. For Korean that tokenizer sees nothing, so there a token is one
Hangul syllable, one Han character, or a whole run of other letters or digits: particles and
endings then count as what they are, small differences. Languages are never compared.

Cost: see :mod:`pipeline.curation.novelty.similarity`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import Field

from pipeline.curation.duplicates import TwinIndex
from pipeline.curation.novelty.index import Neighbourhood, Standing, Task, TaskIndex
from schemas.frozen import Frozen
from schemas.records import LANGUAGES, Language


class NoveltyConfig(Frozen):
    """How alike two instructions may be."""

    threshold: float = Field(default=0.7, gt=0, le=1)
    """ROUGE-L F1 (a fraction) above which an English instruction is a repeat. 0.7 is Alpaca's;
    lower keeps fewer and more varied records."""
    korean_threshold: float = Field(default=0.75, gt=0, le=1)
    """The same over Korean syllables. At 0.75, on pairs of parakqc (dev, 20,000 sampled), 0.01 % of
    different questions with the same topic and intent are dropped, and 5.3 % of free paraphrases
    (0.7: 0.01 % and 9.8 %; 0.8: 0.005 % and 2.4 %). It joins "말해 줘" and "말해주세요" (0.80) and
    keeps "서울 날씨 알려 줘" beside "부산 날씨 알려 줘" (0.71). Long fixed phrases still join what
    differs in one word: requests to translate "영어로" and "일본어로" reach 0.87."""

    def of(self, language: Language) -> float:
        """Return the threshold of a language."""
        return self.threshold if language == "en" else self.korean_threshold


class LanguageTask(NamedTuple):
    """A task and the language that it is compared in."""

    language: Language
    task: Task


class KnownTasks:
    """Seed tasks and kept records, one index a language."""

    def __init__(self, config: NoveltyConfig, *, compares: bool = True) -> None:
        """Start with none.

        Args:
            config: Thresholds.
            compares: Look for repeats; otherwise for twins only.
        """
        self._indexes: dict[Language, TaskIndex] = {
            language: _make_index(language, config) if compares else TwinIndex()
            for language in LANGUAGES
        }

    def add(self, tasks: Sequence[LanguageTask]) -> None:
        """Make tasks known, however similar they are."""
        for language, index in self._indexes.items():
            index.add([task for own, task in tasks if own == language])

    def sift(self, tasks: Sequence[LanguageTask]) -> list[Standing]:
        """Judge tasks in order, see :meth:`TaskIndex.sift`; languages are never compared."""
        standings = {
            language: iter(index.sift([task for own, task in tasks if own == language]))
            for language, index in self._indexes.items()
        }
        return [next(standings[language]) for language, _ in tasks]

    def survey(self, language: Language, text: str, count: int = 10) -> Neighbourhood:
        """Compare a text with all known tasks of a language."""
        return self._indexes[language].survey(text, count)

    def save(self, folder: Path) -> None:
        """Write the indexes to files in a folder.

        Raises:
            StorageError: A file cannot be written.
        """
        for language, index in self._indexes.items():
            index.save(folder / f"tasks-{language}.index")

    @classmethod
    def load(cls, folder: Path, config: NoveltyConfig, *, compares: bool = True) -> Self:
        """Read indexes that were saved with the same thresholds.

        Raises:
            IndexFileError: A file is of no use; index the tasks again.
        """
        known = cls(config, compares=compares)
        for language in LANGUAGES:
            path = folder / f"tasks-{language}.index"
            known._indexes[language] = (
                _load_index(language, path, config) if compares else TwinIndex.load(path)
            )
        return known


def _make_index(language: Language, config: NoveltyConfig) -> TaskIndex:
    # Loads numpy and numba, which nobody needs who only reads the config.
    from pipeline.curation.novelty.token_index import TokenIndex

    return TokenIndex(config.of(language), language)


def _load_index(language: Language, path: Path, config: NoveltyConfig) -> TaskIndex:
    from pipeline.curation.novelty.token_index import TokenIndex

    return TokenIndex.load(path, config.of(language), language)
