"""Which of several near copies is worth keeping.

A reader would choose, in this order:

1. the one whose output ends as a text ends, then one that leaves it open, as a label or a number
   does, then one that breaks off: at a comma or colon, an ellipsis, a word that wants another
   ("and", "the", "그리고", "때문에"), in an open code block or bracket;
2. the one that says nothing twice: no long line or sentence stands in it again;
3. the tidy one: not all in capitals, no runs of blanks within a line;
4. the one with more in it. Near copies have nearly one length, so this settles little and mostly
   whether a sentence is missing.

Where all are equal the first stays. Cost: some 5 µs a record, for those alone that may have a near
copy.
"""

import re
from typing import NamedTuple

from schemas.records import InstructionRecord

_ENDING = re.compile(r"[.!?。．！？][\"'”’)\]}」』*_]*$|[\"”’)\]}」』|]$|```$|[다요죠까][~^♡]*$")
_CUT = re.compile(
    r"[,;:、，：(\[{「『/&+=-]$|\.\.\.$|…$"
    r"|\b(?:and|or|but|the|a|an|of|to|in|for|with|by|is|are|that|which|because|as|from)$"
    r"|(?:^|\s)(?:그리고|하지만|그러나|또는|및|또한|그래서|따라서|때문에|위해|통해|대한|있는|하는|되는)$"
    r"|[가-힣](?:을|를|으로|에서|에게|하고|하며|으며|지만|면서|는데|거나)$",
    re.IGNORECASE,
)
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"), ("「", "」"), ("『", "』"))
_SENTENCE_END = re.compile(r"\n|(?<=[.!?。])\s+")
_LONG_SENTENCE = 20
_BLANKS = re.compile(r"\S[ \t\u00a0\u3000]{2,}\S")


class Quality(NamedTuple):
    """Compares as a tuple: the greater, the better."""

    ending: int
    """2 for a finished output, 1 for an open one, 0 for one that breaks off."""
    repeats_nothing: bool
    is_tidy: bool
    length: int
    """Characters of the output that are no white space."""


def assess(record: InstructionRecord) -> Quality:
    """Look at one record alone."""
    text = f"{record.instruction}\n{record.input}\n{record.output}"
    return Quality(
        ending=_rate_ending(record.output),
        repeats_nothing=not _repeats_a_sentence(record.output),
        is_tidy=not (record.instruction.isupper() or record.output.isupper())
        # Code is indented and aligned, which is no fault.
        and ("```" in text or _BLANKS.search(text) is None),
        length=sum(map(len, record.output.split())),
    )


def _rate_ending(output: str) -> int:
    is_open = output.count("```") % 2 == 1 or any(
        output.count(opening) > output.count(closing) for opening, closing in _BRACKETS
    )
    last = output[-40:]
    if is_open or _CUT.search(last):
        return 0
    return 2 if _ENDING.search(last) else 1


def _repeats_a_sentence(output: str) -> bool:
    sentences = [
        sentence
        for part in _SENTENCE_END.split(output)
        if len(sentence := part.strip()) >= _LONG_SENTENCE
    ]
    return len(set(sentences)) < len(sentences)
