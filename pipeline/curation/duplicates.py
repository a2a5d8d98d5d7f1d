"""Find drafts whose task is, letter for letter, one that was kept before or a seed task.

The key is instruction and input without what people vary by accident: case, white space beside
Hangul or punctuation, and sentence punctuation. The output is no part of it, since the second
answer to a question teaches no new task. Marks before a digit stay (1.5 is not 15), and so do
brackets, signs and operators, which code and formulas live on. Constant time a record, 16 bytes
of key and its id in memory.
"""

import re
import unicodedata
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Self

from pipeline.curation.index_files import pack_texts, read_index, unpack_texts, write_index
from pipeline.curation.novelty.index import Neighbourhood, Standing, Task
from schemas.records import Language

_SENTENCE_MARKS = re.compile(r"""[.,!?;:'"…·。、！？，：；“”‘’「」『』]+(?!\d)""")
_WHITE_SPACE = re.compile(r"\s+")
# Between two letters or digits other than Hangul a space tells words apart; in Korean it is the
# commonest thing to get wrong ("세가지", "세 가지"), and beside a mark it means nothing.
_IDLE_SPACE = re.compile(r" (?![^\W가-힣])|(?<![^\W가-힣]) ")

_HEADER = {"kind": "twins", "format": "1"}


def fold(text: str) -> str:
    """Reduce a text to what makes it different; one of marks alone stays as it is."""
    casefolded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    spaced = _WHITE_SPACE.sub(" ", _SENTENCE_MARKS.sub("", casefolded))
    return _IDLE_SPACE.sub("", spaced) or _WHITE_SPACE.sub(" ", text)


def task_key(language: Language, instruction: str, input_text: str) -> bytes:
    """Name a task by its folded instruction and input: 16 bytes, equal for equal tasks.

    Tasks of different languages are different, as novelty never compares them either.
    """
    # Folded text holds no line end, so it marks where the input begins.
    folded = f"{language}\n{fold(instruction)}\n{fold(input_text)}"
    return blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class TwinIndex:
    """Known tasks of which only the letters are compared."""

    def __init__(self) -> None:
        """Start with none."""
        self._ids: dict[bytes, str] = {}

    def add(self, tasks: Sequence[Task]) -> None:
        """Make tasks known; the first of equal ones keeps the place."""
        for task in tasks:
            if task.key:
                self._ids.setdefault(task.key, task.id)

    def sift(self, tasks: Sequence[Task]) -> list[Standing]:
        """Judge tasks one after the other; there are no repeats."""
        return [self._judge(task) for task in tasks]

    def survey(self, text: str, count: int = 10) -> Neighbourhood:
        """Compare nothing."""
        return Neighbourhood([], 0.0)

    def save(self, path: Path) -> None:
        """Write the index to a file.

        Raises:
            StorageError: The file cannot be written; an earlier one stays.
        """
        keys = pack_texts([key.hex() for key in self._ids])
        write_index(path, _HEADER, {"keys": keys, "ids": pack_texts(list(self._ids.values()))})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an index.

        Raises:
            IndexFileError: The file is of no use; index the tasks again.
        """
        arrays = read_index(path, _HEADER)
        index = cls()
        keys = map(bytes.fromhex, unpack_texts(arrays["keys"]))
        index._ids = dict(zip(keys, unpack_texts(arrays["ids"]), strict=True))
        return index

    def _judge(self, task: Task) -> Standing:
        twin = self._ids.get(task.key)
        if twin is not None:
            return Standing("twin", twin, 1.0)
        if task.barred:
            return Standing("barred")
        self.add([task])
        return Standing("new")
