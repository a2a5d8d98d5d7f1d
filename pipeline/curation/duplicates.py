"""Find drafts whose task is, letter for letter, one that was kept before or a seed task.

The key is instruction and input without what people vary by accident: case, white space beside
Hangul or punctuation, and sentence punctuation. The output is no part of it, since the second
answer to a question teaches no new task. Marks before a digit stay (1.5 is not 15), and so do
brackets, signs and operators, which code and formulas live on. Constant time a record, 16 bytes
of key and its id in memory.
"""

import re
import unicodedata
from hashlib import blake2b

_SENTENCE_MARKS = re.compile(r"""[.,!?;:'"…·。、！？，：；“”‘’「」『』]+(?!\d)""")
_WHITE_SPACE = re.compile(r"\s+")
# Between two letters or digits other than Hangul a space tells words apart; in Korean it is the
# commonest thing to get wrong ("세가지", "세 가지"), and beside a mark it means nothing.
_IDLE_SPACE = re.compile(r" (?![^\W가-힣])|(?<![^\W가-힣]) ")


def fold(text: str) -> str:
    """Reduce a text to what makes it different; one of marks alone stays as it is."""
    casefolded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    spaced = _WHITE_SPACE.sub(" ", _SENTENCE_MARKS.sub("", casefolded))
    return _IDLE_SPACE.sub("", spaced) or _WHITE_SPACE.sub(" ", text)


class SeenTasks:
    """The tasks kept so far, by folded instruction and input."""

    def __init__(self) -> None:
        """Start with no task."""
        self._ids: dict[bytes, str] = {}

    def find(self, instruction: str, input_text: str) -> str | None:
        """Return the id of the first task that is the same."""
        return self._ids.get(_key(instruction, input_text))

    def add(self, task_id: str, instruction: str, input_text: str) -> None:
        """Remember a task; the first of equal ones keeps the place."""
        self._ids.setdefault(_key(instruction, input_text), task_id)


def _key(instruction: str, input_text: str) -> bytes:
    # Folded text holds no line end, so it marks where the input begins.
    folded = f"{fold(instruction)}\n{fold(input_text)}"
    return blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=16).digest()
