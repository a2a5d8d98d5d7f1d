"""Tell whether an answer says what a record says, without knowing how it was parsed.

Only letters and digits are compared, because parsers repair quotes, marks and white space, and a
JSON answer writes some letters as escapes. Cost: linear in both texts.
"""

import re
import unicodedata
from collections.abc import Iterable

from schemas.exchange import Exchange
from schemas.records import Draft, InstructionRecord

_NOT_LETTERS = re.compile(r"[\W_]+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def says(exchanges: Iterable[Exchange], draft: InstructionRecord | Draft) -> bool:
    """Find the output in one of the answers, and the instruction there or in a prompt.

    Args:
        exchanges: All that led to the record.
        draft: The record; a reader's text is in none of them.
    """
    answers: set[str] = set()
    prompts: set[str] = set()
    for prompt, completion in exchanges:
        answers |= _read(completion.text)
        for text in (prompt.raw, *(message.content for message in prompt.messages)):
            prompts |= _read(text)
    output, instruction = _keep_letters(draft.output), _keep_letters(draft.instruction)
    return any(output in text for text in answers) and any(
        instruction in text for text in (*answers, *prompts)
    )


def _read(text: str) -> set[str]:
    """Read a text as it stands, and as the inside of a JSON string."""
    plain = _keep_letters(text)
    return {plain, _keep_letters(_ESCAPE.sub(_unescape, text))} if "\\" in text else {plain}


def _unescape(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    escaped = found[0][1]
    return " " if escaped in "nrtbf" else escaped


def _keep_letters(text: str) -> str:
    # A pair of escapes for one letter beyond U+FFFF becomes that letter.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _NOT_LETTERS.sub("", unicodedata.normalize("NFC", whole))
