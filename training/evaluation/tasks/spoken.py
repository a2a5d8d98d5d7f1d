"""Tell in which language the prompts around a file's texts should be."""

from collections.abc import Iterable

from schemas.records import Language


def find_language(texts: Iterable[str]) -> Language:
    """Call texts Korean when a third of their letters are Hangul.

    A Hangul syllable says about as much as two or three Latin letters, so Korean texts full of
    English terms still reach a third, and an English text that quotes a Korean title does not.
    """
    letters = [letter for text in texts for letter in text if letter.isalpha()]
    hangul = sum("가" <= letter <= "힣" for letter in letters)
    return "ko" if letters and hangul * 3 >= len(letters) else "en"
