"""Rules that only Korean text can break: stray jamo, and speech levels mixed within one answer."""

import re

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.speech import Level, speech_level
from pipeline.curation.rules.view import RecordView

# Letters that people write alone on purpose: laughter, tears, and set abbreviations.
_ON_PURPOSE = re.compile(
    r"[ㅋㅎㅠㅜㅡ]+|ㅇㅇ|ㄴㄴ|ㄱㄱ|ㅇㅋ|ㄷㄷ+|ㅇㅈ|ㄱㅅ|ㅊㅋ|ㅂㅂ|ㅂㅇ|ㄹㅇ|ㅁㅊ|ㅎㅇ|ㅅㄱ"
    r"|(?:ㅊㅋ){2,}"
)
_JAMO = re.compile("[ㄱ-ㅣ\u1100-\u115e\u1161-\u11ff]")
_JAMO_RUN = re.compile(r"[ㄱ-ㅣ]+")
_LOOSE_CONJOINING = re.compile("[\u1100-\u115e\u1161-\u11ff]")
_PARTICLE_NEXT = re.compile(
    r"(?:과|와|은|는|이|가|을|를|에|의|도|만|로|으로|부터|까지|처럼|받침|다음|입|인|라"
    r"|자 |자형|자로|자를)"
)
_ABOUT_JAMO = re.compile(
    r"자음|모음|초성|중성|종성|받침|자모|낱자|한글|음운|발음|어미|맞춤법|띄어쓰기|문법|형태소|두음|줄임말"
    r"|신조어|이모티콘|인터넷 ?용어|채팅|사전 ?순|가나다|\b(?:jamo|hangul|consonants?|vowels?)\b",
    re.IGNORECASE,
)

_CLAUSE = re.compile(r"[^.!?。\n]+[.!?。]*")
_QUOTED = re.compile(
    r"\"[^\"\n]*\"|“[^“”\n]*”|'[^'\n]*'|‘[^‘’\n]*’|「[^「」\n]*」|『[^『』\n]*』|\([^()\n]*\)"
)
_NOT_PROSE = re.compile(r"\s*(?:[-*•#>|]|\d{1,2}[.)]|[가-하][.)]|[①-⑳]|[^\s:：]{1,12}\s*[:：])")
_VOICES = re.compile(
    r"높임말|존댓말|반말|해요체|합쇼체|해라체|말투|문체|대화|대본|소설|이야기|동화|시나리오|연극|희곡|인터뷰"
    r"|번역|바꿔|바꾸|고쳐|다듬|예문|문장을 (?:만들|써|지어)|편지|후기|리뷰|댓글"
    r"|시를|시 한|노랫말|가사"
)
_POLITE: tuple[Level, ...] = ("합쇼체", "해요체", "높임")
_PLAIN: tuple[Level, ...] = ("해라체", "해체")
_FEWEST_PLAIN = 2
"""Sentences without politeness in a polite text, or the other way round, that make a clash."""
_RAREST = 20
"""One sentence in so many is no clash in a long text."""
_FEWEST_OF_EACH_POLITE = 3
"""The two polite levels go together more often."""
# What a text needs to hold for two levels to be in it at all.
_POLITE_END = re.compile(r"니[다까]|[요죠](?![가-힣])|시오")
_PLAIN_END = re.compile(
    r"[다라어아해돼봐줘둬춰꿔워써져켜펴쳐텨셔껴쪄려와야마지네군나게래걸때]"
    # 해체 is told before a sentence mark alone, which may follow what stands in quotation marks.
    r"(?:(?<=[다라])(?<!니다)(?![가-힣,])|(?<!다)(?=\s*[.!?。~…\"“'‘「『(]))"
)


def _broken_jamo(record: RecordView) -> str | None:
    for part, text in (
        ("instruction", record.instruction),
        ("input", record.input),
        ("output", record.output),
    ):
        if _JAMO.search(text):
            found = _find_broken(text)
            if found and not _ABOUT_JAMO.search(record.task_text):
                return f"the {part} {found}"
    return None


def _find_broken(text: str) -> str | None:
    loose = _LOOSE_CONJOINING.search(text)
    if loose:
        return f"holds a conjoining jamo without its syllable: {_around(text, loose)}"
    for run in _JAMO_RUN.finditer(text):
        if _is_broken(text, run):
            return f"has loose jamo: {_around(text, run)}"
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
    text = record.output_prose
    if not (_POLITE_END.search(text) and _may_mix(text)) or _VOICES.search(record.task_text):
        return None
    found: dict[Level, list[str]] = {}
    for line in text.splitlines():
        if not _NOT_PROSE.match(line):
            for clause in _CLAUSE.findall(_QUOTED.sub("", line)):
                level = speech_level(clause)
                if level:
                    found.setdefault(level, []).append(clause.strip())
    return _clash(found)


def _may_mix(text: str) -> bool:
    return bool(_PLAIN_END.search(text)) or ("니다" in text and ("요" in text or "죠" in text))


def _clash(found: dict[Level, list[str]]) -> str | None:
    """Show the two levels that clash, if any do.

    One plain sentence among polite ones may be a heading or a motto; it counts when the polite
    ones do not agree either, as then no level is the text's own.
    """
    polite: list[Level] = [level for level in found if level in _POLITE]
    plain: list[Level] = [level for level in found if level in _PLAIN]
    counts = [sum(len(found[level]) for level in levels) for levels in (polite, plain)]
    is_rare = min(counts) < _FEWEST_PLAIN or min(counts) * _RAREST < sum(counts)
    wavers = min(counts) > 0 and "합쇼체" in found and "해요체" in found
    if not is_rare or wavers:
        return _show(found, polite[0], plain[0])
    if min(len(found.get(level, ())) for level in _POLITE[:2]) >= _FEWEST_OF_EACH_POLITE:
        return _show(found, "합쇼체", "해요체")
    return None


def _show(found: dict[Level, list[str]], first: Level, second: Level) -> str:
    shown = [
        f"{len(found[level])} sentences in {level}, {quote(found[level][0][-30:])}"
        for level in (first, second)
    ]
    return " and ".join(shown)


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
