"""Drop instructions that repeat a seed task or an earlier record, exactly as Alpaca decides.

Stanford Alpaca keeps an instruction when its ROUGE-L F1 with every seed and every kept instruction
is at most 0.7 (``generate_instruction.py``; after Self-Instruct, arXiv:2212.10560, section 2.2). It
compares the instruction alone: the same question about another input is a repeat.

English follows it to the last bit, by the tokens (``[a-z0-9]+``, lower case, no stemmer) and float
operations of ``rouge_score``. For Korean that tokenizer sees nothing, so there a token is one
Hangul syllable, one Han character, or a whole run of other letters or digits: particles and
endings then count as what they are, small differences. Languages are never compared.

Cost: see :mod:`pipeline.curation.similarity`.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from schemas.frozen import Frozen
from schemas.records import LANGUAGES, Language

if TYPE_CHECKING:
    from pipeline.curation.similarity import Match

_ENGLISH_TOKEN = re.compile(r"[a-z0-9]+")
_KOREAN_TOKEN = re.compile(r"[가-힣㐀-䶿一-鿿]|[^\W_가-힣㐀-䶿一-鿿]+")


class NoveltyConfig(Frozen):
    """How alike two instructions may be."""

    english_threshold: float = Field(default=0.7, gt=0, le=1)
    """ROUGE-L F1 (a fraction) above which an English instruction is a repeat. 0.7 is Alpaca's;
    lower keeps fewer and more varied records."""
    korean_threshold: float = Field(default=0.75, gt=0, le=1)
    """The same over Korean syllables. At 0.75, on pairs of parakqc (dev, 20,000 sampled), 0.01 % of
    different questions with the same topic and intent are dropped, and 5.3 % of free paraphrases
    (0.7: 0.01 % and 9.8 %; 0.8: 0.005 % and 2.4 %). It joins "말해 줘" and "말해주세요" (0.80) and
    keeps "서울 날씨 알려 줘" beside "부산 날씨 알려 줘" (0.71). Long fixed phrases still join what
    differs in one word: requests to translate "영어로" and "일본어로" reach 0.87."""

    def threshold(self, language: Language) -> float:
        """Return the threshold of a language."""
        return self.english_threshold if language == "en" else self.korean_threshold


def tokenize(text: str, language: Language) -> list[str]:
    """Split an NFC text into the tokens that are compared."""
    if language == "en":
        return _ENGLISH_TOKEN.findall(text.lower())
    return _KOREAN_TOKEN.findall(text.casefold())


class Instruction(NamedTuple):
    """What novelty looks at."""

    text: str
    language: Language


class KnownInstructions:
    """Seed tasks and kept records, one index a language."""

    def __init__(self, config: NoveltyConfig) -> None:
        """Start with none."""
        # Loads numpy and numba, which nobody needs who only reads the config.
        from pipeline.curation.similarity import SimilarityIndex

        self._indexes: dict[Language, SimilarityIndex] = {
            language: SimilarityIndex(config.threshold(language)) for language in LANGUAGES
        }

    def learn(self, instructions: Iterable[Instruction]) -> None:
        """Learn word frequencies from what is to come: faster searches, the same answers."""
        texts: dict[Language, list[list[str]]] = {language: [] for language in LANGUAGES}
        for text, language in instructions:
            texts[language].append(tokenize(text, language))
        for language, tokens in texts.items():
            self._indexes[language].learn(tokens)

    def nearest(self, instruction: Instruction) -> "Match | None":
        """Find the most similar known instruction that is above the threshold."""
        text, language = instruction
        return self._indexes[language].nearest(tokenize(text, language))

    def add(self, known_id: str, instruction: Instruction) -> None:
        """Make an instruction known."""
        text, language = instruction
        self._indexes[language].add(known_id, tokenize(text, language))
