"""chrF: the F score of character n-grams, which needs no tokenizer in any language.

Popović 2015 (aclanthology W15-3049), n-grams to 6 and beta 2 (Popović 2016, W16-2341), without
white space: what sacrebleu 2 computes for a sentence by default, mean precision and recall over
those orders that both texts have. Own code because sacrebleu brings lxml and five more packages
for what is thirty lines. Linear in the texts.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence

_LONGEST = 6
_RECALL_WEIGHT = 2**2


def chrf(answer: str, references: Sequence[str]) -> float:
    """Return the score with the reference that is closest, in [0, 1]; 0 without references."""
    found = _bare(answer)
    return max((_score(found, _bare(text)) for text in references), default=0.0)


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())


def _score(found: str, wanted: str) -> float:
    longest = min(_LONGEST, len(found), len(wanted))
    precision = recall = 0.0
    for length in range(1, longest + 1):
        found_grams, wanted_grams = _grams(found, length), _grams(wanted, length)
        shared = (found_grams & wanted_grams).total()
        precision += shared / found_grams.total()
        recall += shared / wanted_grams.total()
    if not precision:
        return 0.0
    precision, recall = precision / longest, recall / longest
    return (1 + _RECALL_WEIGHT) * precision * recall / (_RECALL_WEIGHT * precision + recall)


def _grams(text: str, length: int) -> Counter[str]:
    return Counter(text[start : start + length] for start in range(len(text) - length + 1))
