"""Strings that detectors misread, labelled by hand before anything read them.

``label`` is en, ko, ja, zh, other for a further language, or none where there is no language: code,
numbers, names. Korean in Latin letters is Korean. ``kind`` says what is hard.
"""

from collections import Counter
from pathlib import Path
from typing import Literal

from pipeline.curation.language import NONE, LanguageConfig, LanguageReader
from schemas.frozen import Frozen
from schemas.storage import read_jsonl

HARD_STRINGS = Path(__file__).parent / "hard_strings.jsonl"
NAMED = ("en", "ko", "ja", "zh", NONE)


class HardString(Frozen):
    text: str
    label: Literal["en", "ko", "ja", "zh", "other", "none"]
    kind: str


def test_hard_strings_are_many_and_of_all_labels() -> None:
    rows = list(read_jsonl(HARD_STRINGS, HardString))
    labels = Counter(row.label for row in rows)

    assert len({row.text for row in rows}) == len(rows) >= 400
    assert set(labels) == {"en", "ko", "ja", "zh", "other", "none"}


def test_hard_strings_are_read_right() -> None:
    rows = list(read_jsonl(HARD_STRINGS, HardString))
    reader = LanguageReader(LanguageConfig())
    found = [reader.read(row.text).language for row in rows]
    read = [language if language in NAMED else "other" for language in found]

    misses = [
        f"{row.kind}: {row.label} read as {language}: {row.text!r}"
        for row, language in zip(rows, read, strict=True)
        if language != row.label
    ]

    assert 1 - len(misses) / len(rows) >= 0.97, "\n".join(misses)
