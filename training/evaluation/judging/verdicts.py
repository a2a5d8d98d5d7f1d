"""Read which answer a judge prefers: a clear word, in whatever wrapping, or nothing.

Judges without structured answers wrap the object in prose and fences, or leave it out and write
``[[A]]``, ``Winner: B`` or ``승자: A``; all are read. One that names two winners has named
none.
"""

import re
from typing import Literal

Winner = Literal["A", "B", "tie"]

_WORDS: dict[str, Winner] = {
    "a": "A",
    "b": "B",
    "c": "tie",  # of the form [[C]] that many judges have learned
    "tie": "tie",
    "draw": "tie",
    "equal": "tie",
    "비김": "tie",
    "무승부": "tie",
    "동점": "tie",
}
_LEAD = r"(?:answer|response|assistant|답변)?\s*"
_WORD = r"(tie|draw|equal|비김|무승부|동점|[abc])"
_END = r"(?![a-z0-9가-힣])"
_FIELD = re.compile(rf'["\']winner["\']\s*:\s*["\']?{_LEAD}{_WORD}{_END}', re.IGNORECASE)
_OTHERS = (
    re.compile(rf"\[\[\s*{_WORD}\s*\]\]", re.IGNORECASE),
    re.compile(
        rf"(?:winner|verdict|better answer|승자|결론|더 (?:좋은|나은) 답변)(?:\s*(?:is|은|는))?"
        rf"\s*[:：]?[\s*\"']*{_LEAD}{_WORD}{_END}",
        re.IGNORECASE,
    ),
    re.compile(rf"\A\W*{_LEAD}{_WORD}\W*\Z", re.IGNORECASE),
)


def read_winner(answer: str) -> Winner | None:
    """Return the one winner that an answer names; None for none, or for several."""
    for form in (_FIELD, *_OTHERS):
        found: set[Winner] = {_WORDS[word.casefold()] for word in form.findall(answer)}
        if found:
            return found.pop() if len(found) == 1 else None
    return None
