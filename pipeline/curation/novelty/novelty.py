"""Drop instructions that repeat a seed task or an earlier record, exactly as Alpaca decides.

Stanford Alpaca keeps an instruction when its ROUGE-L F1 with every seed and every kept instruction
is at most 0.7 (``generate_instruction.py``; after Self-Instruct, arXiv:2212.10560, section 2.2). It
compares the instruction alone: the same question about another input is a repeat.

English follows it to the last bit, by the tokens (``[a-z0-9]+``, lower case, no stemmer) and float
operations of ``rouge_score``. For Korean that tokenizer sees nothing, and letters say little: a
particle or an ending changes many, another city two. Korean instructions are therefore compared by
the stems of their content words (:mod:`.korean_index`). Languages are never compared.

Cost: see :mod:`pipeline.curation.novelty.similarity` and
:mod:`pipeline.curation.novelty.korean_kernel`.
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
    korean_threshold: float = Field(default=0.7, gt=0, le=1)
    """Share (a fraction) of the content words of each of two Korean instructions, by weight, that
    must be found in the other for a repeat; the lesser share decides. Lower catches more
    paraphrases, and more different tasks with them. On parakqc, 0.7 drops 0.008 % of neighbouring
    questions and catches 43.9 % of free paraphrases; 0.6 0.03 % and 51.6 %, 0.45 0.1 % and
    56.8 %."""

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
    if language == "ko":
        from pipeline.curation.novelty.korean_index import KoreanIndex

        return KoreanIndex(config.korean_threshold)
    from pipeline.curation.novelty.token_index import TokenIndex

    return TokenIndex(config.threshold, "en")


def _load_index(language: Language, path: Path, config: NoveltyConfig) -> TaskIndex:
    if language == "ko":
        from pipeline.curation.novelty.korean_index import KoreanIndex

        return KoreanIndex.load(path, config.korean_threshold)
    from pipeline.curation.novelty.token_index import TokenIndex

    return TokenIndex.load(path, config.threshold, "en")
