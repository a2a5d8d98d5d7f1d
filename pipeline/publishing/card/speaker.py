"""Speak the card's language: both wordings of a sentence stand side by side where it is said."""

from typing import NamedTuple

from schemas.records import Language


class Speaker(NamedTuple):
    """Says things in one language."""

    language: Language

    def say(self, english: str, korean: str) -> str:
        """Choose between two wordings of the same."""
        return korean if self.language == "ko" else english

    def language_name(self, language: Language) -> str:
        """Name a language in this one."""
        if language == "ko":
            return self.say("Korean", "한국어")
        return self.say("English", "영어")


def count(number: int, one: str, more: str) -> str:
    """Write a number with its English noun: ``1 record``, ``1,200 records``."""
    return f"{number:,} {one if number == 1 else more}"


def percent(part: float, whole: float) -> str:
    """Write a share: ``63%``, near the ends with a decimal; ``0%`` of nothing.

    What is little but something is never ``0%``, and what is nearly all is never ``100%``.
    """
    share = part / whole if whole else 0.0
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.1%}" if 0 < share < 0.0995 or 0.995 <= share < 1 else f"{share:.0%}"
