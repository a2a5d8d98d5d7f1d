"""Cut instructions into the tokens that novelty compares, and number them.

English tokens are those of ``rouge_score``: runs of ``[a-z0-9]`` after ``str.lower``, which makes
some of other letters (the Kelvin sign is a k). A Korean token is a Hangul syllable, a Han
character, or a whole run of other letters and digits, after NFC and case folding.

A batch is one array of bytes (English) or code points (Korean) to compiled loops, which take about
4 µs for an English instruction of 14 words, linear in its letters, and leave arrays of numbers.
Other measures can use :class:`Numbering` with classes of their own.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.curation.novelty import numbering_kernel
from pipeline.curation.novelty.numbering_kernel import (
    ALONE,
    LETTER,
    SEPARATOR,
    UNKNOWN,
    Spellings,
    Units,
)
from schemas.records import Language

_UNICODE = 0x110000


class Rows(NamedTuple):
    """Texts as numbers of their tokens."""

    tokens: NDArray[np.int32]
    """Those of all texts, one after the other."""
    starts: NDArray[np.int64]
    """Where each text begins; one more than there are texts."""


class Numbering:
    """Numbers for tokens: from 0, in order of appearance, equal ones the same."""

    def __init__(self, classes: NDArray[np.uint8], encode: Callable[[str], bytes]) -> None:
        """Start with none; loads numba and the compiled loops.

        Args:
            classes: By unit its class, see :mod:`numbering_kernel`. With 256 classes a unit is a
                byte, with more it is four.
            encode: Makes units of a text.
        """
        self._classes = classes
        self._encode = encode
        self._unit = np.dtype(np.uint8 if len(classes) == 256 else np.uint32)
        self._spellings = Spellings(
            np.empty(64, self._unit),
            np.zeros(33, np.int64),
            np.empty(32, np.uint64),
            np.full(64, -1, np.int32),
        )
        self.count = 0
        """Distinct tokens so far."""

    def number(self, texts: Sequence[str]) -> Rows:
        """Cut texts into tokens and number them."""
        return self.number_encoded([self._encode(text) for text in texts])

    def number_encoded(self, texts: Sequence[bytes]) -> Rows:
        """Number the tokens of texts whose units are given."""
        units = np.frombuffer(b"".join(texts), self._unit)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        return self._number(units, np.cumsum(lengths) // self._unit.itemsize, self._classes)

    def export(self) -> tuple[Units, NDArray[np.int64]]:
        """Return the units of all tokens in a row, and where each ends."""
        ends = self._spellings.starts[1 : self.count + 1]
        return self._spellings.units[: self._spellings.starts[self.count]], ends

    def restore(self, units: Units, ends: NDArray[np.int64]) -> None:
        """Number the tokens of :meth:`export` as they were, in a numbering without any."""
        self._number(units, ends, np.full(len(self._classes), LETTER, np.uint8))

    def _number(self, units: Units, ends: NDArray[np.int64], classes: NDArray[np.uint8]) -> Rows:
        if self._unit.itemsize > 1:
            for unit in numbering_kernel.find_unknown(units, classes):
                classes[unit] = _class_of(chr(unit))
        tokens, starts, self._spellings, self.count = numbering_kernel.number_texts(
            units, ends, classes, self._spellings, self.count
        )
        return Rows(tokens, starts)


def token_numbering(language: Language) -> Numbering:
    """Make the numbering of the tokens of a language."""
    if language == "ko":
        return Numbering(np.full(_UNICODE, UNKNOWN, np.uint8), _encode_korean)
    classes = np.full(256, SEPARATOR, np.uint8)
    classes[list(b"abcdefghijklmnopqrstuvwxyz0123456789")] = LETTER
    return Numbering(classes, _encode_english)


def key_numbering() -> Numbering:
    """Make a numbering of byte strings, each of which is one token unless it is empty."""
    return Numbering(np.full(256, LETTER, np.uint8), str.encode)


def tokenize(text: str, language: Language) -> list[str]:
    """Split one text into the tokens that are compared, as strings."""
    numbering = token_numbering(language)
    tokens = numbering.number([text]).tokens
    units, ends = numbering.export()
    encoding = "ascii" if language == "en" else "utf-32-le"
    spelled = [
        part.tobytes().decode(encoding, "surrogatepass") for part in np.split(units, ends)[:-1]
    ]
    return [spelled[token] for token in tokens]


def _encode_english(text: str) -> bytes:
    return text.lower().encode("utf-8", "surrogatepass")


def _encode_korean(text: str) -> bytes:
    folded = unicodedata.normalize("NFC", text).casefold()
    return folded.encode("utf-32-le", "surrogatepass")


def _class_of(character: str) -> int:
    if "가" <= character <= "힣" or "㐀" <= character <= "䶿" or "一" <= character <= "鿿":
        return ALONE
    return LETTER if character.isalnum() else SEPARATOR
