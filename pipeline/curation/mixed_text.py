"""Decide between Korean full of English and English about Korean words.

What carries the sentence decides: its first words, the particles on its Latin words, the English
function words between its nouns, and how it ends. Cost: linear.
"""

import re

from pipeline.curation.foreign_bodies import has_code_sign
from pipeline.curation.language_marks import count_joints, opens_english
from pipeline.curation.scripts import HANGUL, HANGUL_WORD, LATIN_WORD

_ENDS_IN_HANGUL = re.compile(r"[가-힣ㄱ-ㆎ][^\w]*\Z")
# "Python의", "‘world’를": a particle makes a Latin word part of a Korean sentence.
_PARTICLE = re.compile(
    r"[A-Za-z\d)\"'”’](?:은|는|이|가|을|를|의|에|에서|로|으로|와|과|도|만|란|이란|부터|까지|하는|하기|해|된)(?![가-힣])"
)
_SENTENCE_END = re.compile(r"[.?!]\s|\n")


def is_english_about_korean(prose: str, frame: str, own: int, latin: list[str]) -> bool:
    """Tell an English sentence around Korean words from a Korean one full of English terms.

    Args:
        prose: The text.
        frame: The same without quotations.
        own: Words with Hangul in the frame.
        latin: Latin words in the frame.
    """
    joints = count_joints(latin)
    head, colon, _ = prose.partition(":")
    announced = LATIN_WORD.findall(head) if colon and not has_code_sign(head) else []
    if len(announced) >= 2 and count_joints(announced) and not HANGUL.search(head):
        return True
    # A Korean request above an English text; the request comes first.
    first = _SENTENCE_END.split(frame.strip(), maxsplit=1)[0]
    if _ENDS_IN_HANGUL.search(first) and (
        len(HANGUL_WORD.findall(first)) > len(LATIN_WORD.findall(first))
    ):
        return False
    if _PARTICLE.search(prose) and len(latin) <= 3 * own:
        return False
    if len(latin) > own:
        is_opened = opens_english(latin) and not HANGUL.search(frame.split(maxsplit=1)[0])
        if is_opened and joints >= 2:
            return True
        # "Is 떡볶이 spicy?" needs no other English word than its first.
        if joints >= (1 if is_opened else 2) and not _ENDS_IN_HANGUL.search(frame):
            return True
    return joints >= 3 and len(latin) > 3 * own
