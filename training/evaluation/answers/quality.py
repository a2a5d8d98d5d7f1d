"""How a written answer looks, whatever it says: does it go round, and in which script is it.

Repetition is what Gopher's filters count (Rae et al. 2021, arXiv:2112.11446, table A1), made fit
for answers of a few words: words that follow themselves, sentences that were there before, and
n-grams that were. A Hangul syllable weighs two letters, as Korean says the same in half as many.
Language is told by script alone, letter by letter, a syllable counting as its two or three: a
program cannot be wrong about it, and French is English here. Linear in the text, times the longest
loop.
"""

import re
import unicodedata
from collections.abc import Sequence

from schemas.records import Language
from training.evaluation.answers.sentences import split_sentences

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LETTER_LOOP = re.compile(r"([^\W\d_]{1,4}?)\1{15,}")
_LONGEST_LOOP = 60
_FEWEST_ROUNDS = 4
_SMALLEST_LOOP = 40
_LONG_ROUND = 20
_FEWEST_LONG_ROUNDS = 3
_FEWEST_SENTENCES = 4
_REPEATED_SENTENCES = 0.3
_FEWEST_GRAMS = 30
_REPEATED_GRAMS = 0.5


def is_repetitive(text: str) -> bool:
    """Tell an answer that goes round from one that says something, however short."""
    normal = unicodedata.normalize("NFC", text)
    folded = normal.casefold()
    words = _WORD.findall(folded)
    return (
        _LETTER_LOOP.search(folded) is not None
        or _has_loop(words)
        or _repeats_sentences(normal)
        or _repeats_grams(words)
    )


def is_in_language(text: str, language: Language) -> bool:
    """Tell whether most letters are of the language's script.

    Text without any letter, such as a number, is in every language; blank text is in none.
    """
    letters = [letter for letter in unicodedata.normalize("NFD", text) if letter.isalpha()]
    if not letters:
        return bool(text.strip())
    script = "HANGUL" if language == "ko" else "LATIN"
    own = sum(unicodedata.name(letter, "").startswith(script) for letter in letters)
    return 2 * own > len(letters)


def _weigh(words: Sequence[str]) -> int:
    return sum(2 if "가" <= letter <= "힣" else 1 for word in words for letter in word)


def _has_loop(words: Sequence[str]) -> bool:
    """Find words that follow themselves at least four times, or three where they are many."""
    for period in range(1, min(_LONGEST_LOOP, len(words) // 2) + 1):
        length = 0
        for place in range(period, len(words)):
            length = length + 1 if words[place] == words[place - period] else 0
            if length < 2 * period:
                continue
            rounds = length // period + 1
            weight = _weigh(words[place + 1 - period : place + 1])
            if _is_loop(rounds, weight):
                return True
    return False


def _is_loop(rounds: int, weight: int) -> bool:
    if rounds >= _FEWEST_LONG_ROUNDS and weight >= _LONG_ROUND:
        return True
    return rounds >= _FEWEST_ROUNDS and rounds * weight >= _SMALLEST_LOOP


def _repeats_sentences(text: str) -> bool:
    sentences = [" ".join(_WORD.findall(sentence.casefold())) for sentence in split_sentences(text)]
    sentences = [sentence for sentence in sentences if " " in sentence]
    repeated = len(sentences) - len(set(sentences))
    return len(sentences) >= _FEWEST_SENTENCES and repeated > _REPEATED_SENTENCES * len(sentences)


def _repeats_grams(words: Sequence[str]) -> bool:
    """Count five words in a row that were there before; of Korean ones, being longer, three."""
    korean = sum(word[0] >= "가" for word in words) * 2 > len(words)
    size = 3 if korean else 5
    grams = [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]
    repeated = len(grams) - len(set(grams))
    return len(grams) >= _FEWEST_GRAMS and repeated > _REPEATED_GRAMS * len(grams)
