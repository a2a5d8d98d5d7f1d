"""The writing systems that texts are told apart by, as patterns of one letter or word."""

import re

HANGUL = re.compile(r"[가-힣ㄱ-ㆎ]")
# From the start of a word alone: else each letter of a long line without blanks begins a search.
HANGUL_WORD = re.compile(r"(?<!\S)[^\s가-힣ㄱ-ㆎ]*+[가-힣ㄱ-ㆎ]\S*+")
KANA = re.compile(r"[\u3041-\u30ff]")
HAN = re.compile(r"[㐀-䶿一-鿿]")
LATIN_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]+(?:['’-][A-Za-zÀ-ÖØ-öø-ɏ]+)*")
LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ\u1e00-\u1eff]")
