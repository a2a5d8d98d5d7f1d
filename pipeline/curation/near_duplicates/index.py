"""The records of earlier versions, against which near copies among new ones are dropped.

Holds their texts and the hashes of their bands; shingles are made of a text when a new record comes
near it. Memory and file: 96 bytes a record beside its text.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from pipeline.curation.index_files import pack_texts, read_index, unpack_texts, write_index
from schemas.records import LANGUAGES, InstructionRecord, Language

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.curation.near_duplicates.near_duplicates import NearDuplicatesConfig

_FORMAT = "1"


class KnownTexts(NamedTuple):
    """Texts of one language that stay whatever comes, in the order in which they were added."""

    ids: list[str]
    texts: list[str]
    keys: "NDArray[np.uint32]"
    """Hashes of their bands, ``(bands, texts)``."""

    def join(
        self, ids: Sequence[str], texts: Sequence[str], keys: "NDArray[np.uint32]"
    ) -> "KnownTexts":
        """Put others of the same language and bands behind these."""
        import numpy as np

        return KnownTexts([*self.ids, *ids], [*self.texts, *texts], np.hstack([self.keys, keys]))


class NearDuplicateIndex:
    """Known records of both languages."""

    def __init__(self, config: "NearDuplicatesConfig") -> None:
        """Make an empty one; the threshold decides how signatures are cut into bands."""
        import numpy as np

        from pipeline.curation.near_duplicates.bands import choose_bands

        self.bands = choose_bands(config.threshold)
        self._known = {
            language: KnownTexts([], [], np.empty((self.bands.number, 0), np.uint32))
            for language in LANGUAGES
        }

    def add(self, records: Sequence[InstructionRecord]) -> None:
        """Make records known, however alike they are."""
        from pipeline.curation.near_duplicates.texts import get_whole_text

        for language in LANGUAGES:
            chosen = [record for record in records if record.language == language]
            self.add_texts(
                language, [record.id for record in chosen], [get_whole_text(one) for one in chosen]
            )

    def add_texts(self, language: Language, ids: Sequence[str], texts: Sequence[str]) -> None:
        """Make whole texts known, each under the id that a rejection is to name."""
        from pipeline.curation.near_duplicates.bands import hash_bands

        if texts:
            keys = hash_bands(texts, language, self.bands)
            self._known[language] = self._known[language].join(ids, texts, keys)

    def get(self, language: Language) -> KnownTexts:
        """Return what is known in a language."""
        return self._known[language]

    def save(self, path: Path) -> None:
        """Write the index to a file.

        Raises:
            StorageError: The file cannot be written; an earlier one stays.
        """
        arrays = {
            f"{language}-{name}": array
            for language, known in self._known.items()
            for name, array in (
                ("keys", known.keys),
                ("ids", pack_texts(known.ids)),
                ("texts", pack_texts(known.texts)),
            )
        }
        write_index(path, self._header, arrays)

    @classmethod
    def load(cls, path: Path, config: "NearDuplicatesConfig") -> Self:
        """Read an index that was saved for bands as this config wants them.

        Raises:
            IndexFileError: The file is of no use; build the index again from its records.
        """
        index = cls(config)
        arrays = read_index(path, index._header)
        for language in LANGUAGES:
            index._known[language] = KnownTexts(
                unpack_texts(arrays[f"{language}-ids"]),
                unpack_texts(arrays[f"{language}-texts"]),
                arrays[f"{language}-keys"].astype("uint32", copy=False),
            )
        return index

    @property
    def _header(self) -> dict[str, str]:
        from pipeline.curation.near_duplicates.signatures import PERMUTATIONS
        from pipeline.curation.near_duplicates.texts import NGRAM

        return {
            "kind": "near duplicates",
            "format": _FORMAT,
            "bands": f"{self.bands.number} of {self.bands.rows} rows",
            "signature": str((PERMUTATIONS, sorted(NGRAM.items()))),
        }
