"""Rules that only Korean text can break: stray jamo, and speech levels mixed within one answer."""

import re
from collections import Counter
from typing import Literal

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView

# Letters that people write alone on purpose: laughter, tears, and set abbreviations.
_ON_PURPOSE = re.compile(
    r"[ㅋㅎㅠㅜㅡ]+|ㅇㅇ|ㄴㄴ|ㄱㄱ|ㅇㅋ|ㄷㄷ+|ㅇㅈ|ㄱㅅ|ㅊㅋ|ㅂㅂ|ㅂㅇ|ㄹㅇ|ㅁㅊ|ㅎㅇ|ㅅㄱ"
)
_JAMO_RUN = re.compile(r"[ㄱ-ㅣ]+")
_LOOSE_CONJOINING = re.compile("[\u1100-\u115e\u1161-\u11ff]")
_PARTICLE_NEXT = re.compile(
    r"(?:과|와|은|는|이|가|을|를|에|의|도|만|로|으로|부터|까지|처럼|받침|다음)"
)
_ABOUT_JAMO = re.compile(
    r"자음|모음|초성|중성|종성|받침|자모|낱자|한글|음운|발음|어미|맞춤법|띄어쓰기|문법|형태소|두음|줄임말"
    r"|신조어|이모티콘|인터넷 ?용어|채팅|사전 ?순|가나다|\b(?:jamo|hangul|consonants?|vowels?)\b",
    re.IGNORECASE,
)

Level = Literal["합쇼체", "해요체", "해라체"]
# Polite speech of both kinds takes -세요 for requests and set phrases such as 안녕하세요 and
# 감사합니다, so these say nothing about the level of the text around them.
_SET_PHRASE = re.compile(r"(?:세요|십시오|감사합니다|고맙습니다|부탁드립니다|죄송합니다)$")
_FINAL_N, _FINAL_B, _FINAL_BS, _FINAL_SS = 4, 17, 18, 20
"""Final consonants ㄴ, ㅂ, ㅄ and ㅆ in Unicode's order."""

_CLAUSE = re.compile(r"[^.!?。\n]+[.!?。]*")
_QUOTED = re.compile(
    r"\"[^\"\n]*\"|“[^”\n]*”|'[^'\n]*'|‘[^’\n]*’|「[^」\n]*」|『[^』\n]*』|\([^)\n]*\)"
)
_NOT_PROSE = re.compile(r"\s*(?:[-*•#>|]|\d{1,2}[.)]|[가-하][.)]|[①-⑳]|[^\s:：]{1,12}\s*[:：])")
_VOICES = re.compile(
    r"높임말|존댓말|반말|해요체|합쇼체|해라체|말투|문체|대화|대본|소설|이야기|동화|시나리오|연극|희곡|인터뷰"
    r"|번역|바꿔|바꾸|고쳐|다듬|예문|문장을 (?:만들|써|지어)|편지|후기|리뷰|댓글",
)
# Two levels clash when each has so many sentences. Both polite levels in one text are commoner.
_CLASHES: tuple[tuple[Level, Level, int], ...] = (
    ("합쇼체", "해라체", 2),
    ("해요체", "해라체", 2),
    ("합쇼체", "해요체", 3),
)


def _broken_jamo(record: RecordView) -> str | None:
    if _ABOUT_JAMO.search(record.task_text):
        return None
    for part, text in (("instruction", record.instruction), ("output", record.output)):
        loose = _LOOSE_CONJOINING.search(text)
        if loose:
            return (
                f"the {part} holds a conjoining jamo without its syllable: {_around(text, loose)}"
            )
        for run in _JAMO_RUN.finditer(text):
            if _is_broken(text, run):
                return f"the {part} has loose jamo: {_around(text, run)}"
    return None


def _is_broken(text: str, run: re.Match[str]) -> bool:
    """Tell a syllable that fell apart from laughter and from ㄱ, ㄴ, ㄷ as numbering."""
    if _ON_PURPOSE.fullmatch(run[0]):
        return False
    before = text[run.start() - 1 : run.start()]
    if "가" <= before <= "힣" or len(run[0]) > 2:
        return True
    after = text[run.end() : run.end() + 1]
    return "가" <= after <= "힣" and not _PARTICLE_NEXT.match(text, run.end())


def _around(text: str, found: re.Match[str]) -> str:
    return quote(text[max(0, found.start() - 10) : found.end() + 10])


def _mixed_levels(record: RecordView) -> str | None:
    if _VOICES.search(record.task_text):
        return None
    examples: dict[Level, str] = {}
    counts: Counter[Level] = Counter()
    for line in record.output_prose.splitlines():
        if _NOT_PROSE.match(line):
            continue
        for clause in _CLAUSE.findall(_QUOTED.sub("", line)):
            level = speech_level(clause)
            if level:
                counts[level] += 1
                examples.setdefault(level, clause.strip())
    for first, second, fewest in _CLASHES:
        if min(counts[first], counts[second]) >= fewest:
            return (
                f"{counts[first]} sentences in {first}, {quote(examples[first][-30:])}, and "
                f"{counts[second]} in {second}, {quote(examples[second][-30:])}"
            )
    return None


def speech_level(sentence: str) -> Level | None:
    """Name the speech level of a declarative sentence by its ending, where it is clear."""
    bare = sentence.strip().rstrip(".!?。~ ")
    if len(bare) < 3 or _SET_PHRASE.search(bare):
        return None
    if bare.endswith(("니다", "니까")) and _final(bare[-3]) == _FINAL_B:
        return "합쇼체"
    if bare.endswith(("요", "죠")):
        return "해요체"
    is_plain = _final(bare[-2]) in (_FINAL_N, _FINAL_BS, _FINAL_SS) or bare[-2] in "이않많같좋"
    if bare.endswith("다") and (is_plain or bare.endswith("아니다")):
        return "해라체"
    return None


def _final(syllable: str) -> int:
    """Number the final consonant of a Hangul syllable; 0 for none, -1 for other characters."""
    return (ord(syllable) - ord("가")) % 28 if "가" <= syllable <= "힣" else -1


KOREAN_RULES = (
    Rule(
        "broken-jamo",
        ("ko",),
        "serious",
        "A syllable fell apart into its letters; laughter and texts about letters are fine.",
        _broken_jamo,
        examples=(Example("ko", "인사를 써 주세요.", "안녕하ㅅ요, 반갑습니다."),),
        near_misses=(Example("ko", "친구에게 답장하세요.", "ㅋㅋㅋ 그래, 내일 보자 ㅎㅎ ㅠㅠ"),),
    ),
    Rule(
        "mixed-speech-levels",
        ("ko",),
        "serious",
        "One voice does not change between 합니다, 해요 and 한다; dialogues and stories may.",
        _mixed_levels,
        examples=(
            Example(
                "ko",
                "광합성을 설명하세요.",
                "광합성은 잎에서 일어납니다. 빛이 필요합니다. 산소가 나온다. 밤에는 멈춘다.",
            ),
        ),
        near_misses=(
            Example(
                "ko",
                "안내문을 쓰세요.",
                "안녕하세요. 내일은 쉽니다. 문의는 전화로 해 주세요. 모레 다시 엽니다. 감사합니다.",
            ),
        ),
    ),
)
