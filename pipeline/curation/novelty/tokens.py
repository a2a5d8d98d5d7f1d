"""Cut instructions into the tokens that novelty compares."""

import re

from schemas.records import Language

_ENGLISH_TOKEN = re.compile(r"[a-z0-9]+")
_KOREAN_TOKEN = re.compile(r"[가-힣㐀-䶿一-鿿]|[^\W_가-힣㐀-䶿一-鿿]+")


def tokenize(text: str, language: Language) -> list[str]:
    """Split an NFC text into the tokens that are compared."""
    if language == "en":
        return _ENGLISH_TOKEN.findall(text.lower())
    return _KOREAN_TOKEN.findall(text.casefold())
