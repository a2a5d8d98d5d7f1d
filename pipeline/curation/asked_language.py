"""Find the language in which a task wants its answer, where it says so.

Only requests count: "Translate into Korean", "Answer in French", "영어로 답해 줘". To name a
language is not enough: "How do I translate a web page into Korean?" and "영어로 번역된 소설" want
no translation. Where a task asks for several, or says what not to do, nothing is concluded.
Cost: linear in the instruction.
"""

import re

_ENGLISH_NAMES = {
    "english": "en", "korean": "ko", "hangul": "ko", "japanese": "ja", "chinese": "zh",
    "mandarin": "zh", "french": "fr", "german": "de", "spanish": "es", "italian": "it",
    "portuguese": "pt",
}  # fmt: skip
_KOREAN_NAMES = {
    "영어": "en", "영문": "en", "한국어": "ko", "한국말": "ko", "우리말": "ko", "한글": "ko",
    "국문": "ko",
    "일본어": "ja", "일어": "ja", "일본말": "ja", "중국어": "zh", "프랑스어": "fr", "불어": "fr",
    "독일어": "de", "독어": "de", "스페인어": "es", "이탈리아어": "it", "포르투갈어": "pt",
}  # fmt: skip

_NAME = "|".join(_ENGLISH_NAMES)
# A request begins a sentence, or follows a comma, "and" or "please".
_REQUEST = r"(?:\A|[.!?:;,\n]|\band\b|\bthen\b|\bplease\b|\b(?:can|could|would|will)\s+you\b)[ \t]*"
_ENGLISH_REQUEST = re.compile(
    rf"{_REQUEST}(?:please\s+)?(?:"
    rf"translate\b[^.?!\n]{{0,80}}?\b(?:in)?to\s+(?P<into>{_NAME})\b"
    rf"|(?:answer|respond|reply)\b(?:\s+\w+){{0,4}}?\s+in\s+(?P<reply>{_NAME})\b"
    rf"|(?:write|rewrite|summari[sz]e)\b(?:\s+[\w'-]+){{0,6}}?\s+in\s+(?P<write>{_NAME})"
    rf"(?=\s*(?:[.,!?:;\n]|\Z))"
    rf")",
    re.IGNORECASE,
)
_POLITE = r"(?=\s*(?:줘|주|봐|보|라|달라|요\b|[.!,\n]|\Z))"
_KOREAN_REQUEST = re.compile(
    rf"(?P<name>{'|'.join(_KOREAN_NAMES)})(?:으로|로)(?:만)?\s*(?:\w{{1,8}}\s+)?(?:"
    r"(?:번역|통역|작성|요약|표현|설명|대답|답변|답|응답|말|출력)(?:을|를)?\s*"
    rf"(?:해{_POLITE}|하(?:세요|시오|십시오|라|기\s*바|여\s*주)|할\s*것|부탁)"
    rf"|(?:옮겨|바꿔|바꾸어|써|적어|고쳐){_POLITE}"
    r"|(?:옮기|바꾸|쓰|적으|고치)(?:세요|시오|십시오)"
    r")"
)
_COMPOSITION = re.compile(rf"영작(?:을\s*)?(?:해{_POLITE}|하(?:세요|시오|십시오|라))")
# "into Korean and Japanese", "영어와 일본어로".
_TWO_TARGETS = re.compile(
    rf"\b(?:{_NAME})\s*(?:,|and|or|/|&)\s*(?:then\s+)?(?:in(?:to)?\s+|to\s+)?(?:{_NAME})\b"
    rf"|(?:{'|'.join(_KOREAN_NAMES)})(?:와|과|,|·|/|이나|나|하고|랑|\s*및|\s*또는)\s*"
    rf"(?:{'|'.join(_KOREAN_NAMES)})",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|don['’]t|never|instead\s+of|rather\s+than|without)\b|지\s*(?:말|마|않)|대신|말고",
    re.IGNORECASE,
)


def find_asked_language(instruction: str) -> str | None:
    """Return the ISO 639-1 code of the one language that is asked for, if there is one."""
    asked = {
        _ENGLISH_NAMES[name.lower()]
        for found in _ENGLISH_REQUEST.finditer(instruction)
        for name in found.groups()
        if name
    }
    asked |= {_KOREAN_NAMES[found["name"]] for found in _KOREAN_REQUEST.finditer(instruction)}
    if _COMPOSITION.search(instruction):
        asked.add("en")
    if len(asked) != 1 or _NEGATION.search(instruction) or _TWO_TARGETS.search(instruction):
        return None
    return asked.pop()
