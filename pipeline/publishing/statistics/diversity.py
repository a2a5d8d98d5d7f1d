"""How varied the instructions of a language are: what they ask for, and how many words differ.

Distinct-n (Li et al., arXiv:1510.03055) falls with the size of the text, and a tagger takes a
millisecond, so both look at the same number of records of each version: those with the lowest ids,
which are hashes and so a fair sample. Words are runs of letters and digits in English and
morphemes, particles and endings among them, in Korean; the figures of two languages are not to be
compared.
"""

from collections import Counter
from collections.abc import Sequence
from heapq import nsmallest
from itertools import pairwise

from pipeline.publishing.statistics.figures import Diversity, Phrase
from pipeline.publishing.statistics.phrasing import InstructionReader
from schemas.records import InstructionRecord, Language

SAMPLE = 2000
"""Records of a language that are read, at most."""


def measure_diversity(records: Sequence[InstructionRecord], language: Language) -> Diversity:
    """Read a sample of the records of one language; the tagger is loaded for it."""
    reader = _make_reader(language)
    phrases: Counter[tuple[str, str]] = Counter()
    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    sample = nsmallest(SAMPLE, records, key=lambda record: record.id)
    for record in sample:
        read = reader.read(record.instruction)
        if read.asked.verb:
            phrases[read.asked.verb, read.asked.noun] += 1
        words.update(read.words)
        pairs.update(pairwise(read.words))
    ordered = sorted(phrases.items(), key=lambda item: (-item[1], item[0]))
    return Diversity(
        looked_at=len(sample),
        parsed=phrases.total(),
        phrases=tuple(Phrase(verb=verb, noun=noun, count=n) for (verb, noun), n in ordered),
        distinct_1=len(words) / max(1, words.total()),
        distinct_2=len(pairs) / max(1, pairs.total()),
    )


def _make_reader(language: Language) -> InstructionReader:
    # Each loads its tagger, which takes up to a second.
    if language == "ko":
        from pipeline.publishing.statistics.korean import KoreanReader

        return KoreanReader()
    from pipeline.publishing.statistics.english import EnglishReader

    return EnglishReader()
