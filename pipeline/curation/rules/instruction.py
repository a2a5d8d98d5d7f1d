"""Rules on the instruction: whether it is a task that can be done with text alone."""

import re

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView
from schemas.records import Language

# English: words. Alpaca drops up to three words, and with them good tasks ("List three fruits.").
# Korean: letters, because a particle or ending is no word of its own: "요약해 줘" is a task.
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_LETTER = re.compile(r"[^\W_]")
_FEWEST: dict[Language, int] = {"en": 3, "ko": 4}
# Alpaca's 150 words. The Korean text of the same content has about three letters for each.
_MOST: dict[Language, int] = {"en": 150, "ko": 450}
_UNIT: dict[Language, str] = {"en": "words", "ko": "letters"}

_PICTURE_EN = r"(?:images?|pictures?|photos?|photographs?|screenshots?|videos?|audio|recordings?)"
_DOCUMENT_EN = (
    r"(?:files?|attachments?|charts?|graphs?|diagrams?|figures?|maps?|pdfs?|spreadsheets?)"
)
_PICTURE_KO = "(?:이미지|사진|그림|스크린샷|영상|동영상|비디오|오디오|음성|녹음)"
_DOCUMENT_KO = "(?:파일|첨부|첨부 ?파일|차트|그래프|도표|지도|도면|스프레드시트)"
_PARTICLE = "(?:들)?(?:을|를|은|는|이|가|의|에|에서|과|와|로|으로|에는|속의?)?(?![가-힣])"


def _shown(english_noun: str, korean_noun: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?<!\ba )\b(?:this|these|following|attached|uploaded|provided|given|above|below)\s+"
        rf"(?:\w+\s+)?{english_noun}\b(?!\s+(?:file|format|game|script|title|editing|quality))"
        rf"|(?<![가-힣])(?:다음|이|아래|위|위의|아래의|첨부된|첨부한|주어진|제시된|업로드한)\s*"
        rf"{korean_noun}{_PARTICLE}",
        re.IGNORECASE,
    )


_SHOWS_PICTURE = _shown(_PICTURE_EN, _PICTURE_KO)
_SHOWS_DOCUMENT = _shown(_DOCUMENT_EN, _DOCUMENT_KO)
_WANTS_PICTURE = re.compile(
    rf"(?<!to )(?<!you )(?<!i )\b(?:draw|paint|sketch|photograph)"
    r"\s+(?:me\s+)?(?:an?|the)\b(?!\s+(?:conclusion|parallel"
    r"|comparison|distinction|lesson|line between|inference|analogy|vivid picture))"
    rf"|\b(?:generate|create|make|produce|record|show me|play|find)\s+(?:me\s+)?(?:an?|the)\s+"
    rf"(?:\w+\s+)?{_PICTURE_EN}(?=\s*(?:[.,!?]|$|of\b|showing\b|depicting\b|that\s+shows\b))"
    rf"|(?:그림|초상화|일러스트|삽화)(?:을|를)?\s*그려"
    rf"|{_PICTURE_KO}(?:을|를)?\s*(?:하나\s*)?(?:생성|제작|편집|촬영|녹음|재생|찍어|보여)",
    re.IGNORECASE,
)
# A program reads its file later, when it runs.
_WRITES_CODE = re.compile(
    r"\b(?:program|scripts?|functions?|code|bash|shell|python|command)\b"
    r"|프로그램|스크립트|함수|코드|명령|파이썬",
    re.IGNORECASE,
)
# An input that only stands for the material: a file name, a link, a bracketed word.
_STAND_IN = re.compile(
    r"\s*(?:[\[(<].{0,60}[\])>]|\S+\.(?:jpe?g|png|gif|pdf|csv|xlsx?|docx?|mp[34]|wav|zip|hwp)"
    r"|https?://\S+)\s*",
    re.IGNORECASE,
)


def _too_short(record: RecordView) -> str | None:
    count = _count(record)
    fewest = _FEWEST[record.language]
    if count >= fewest:
        return None
    return f"{count} {_UNIT[record.language]}, under {fewest}: {quote(record.instruction)}"


def _too_long(record: RecordView) -> str | None:
    count = _count(record)
    most = _MOST[record.language]
    return f"{count} {_UNIT[record.language]}, over {most}" if count > most else None


def _count(record: RecordView) -> int:
    pattern = _WORD if record.language == "en" else _LETTER
    return len(pattern.findall(record.instruction))


def _needs_image_or_file(record: RecordView) -> str | None:
    found = _WANTS_PICTURE.search(record.instruction)
    if found is None and (not record.input or _STAND_IN.fullmatch(record.input)):
        found = _SHOWS_PICTURE.search(record.instruction)
        if found is None and not _WRITES_CODE.search(record.instruction):
            found = _SHOWS_DOCUMENT.search(record.instruction)
    return f"the instruction says {quote(found[0])}" if found else None


INSTRUCTION_RULES = (
    Rule(
        "instruction-too-short",
        ("en", "ko"),
        "serious",
        "Too little to tell what is to be done.",
        _too_short,
        examples=(
            Example("en", "Explain this", "It is a fruit."),
            Example("ko", "시 써", "바람이 붑니다."),
        ),
        near_misses=(
            Example("en", "List three fruits.", "Plum, pear, apple."),
            Example("ko", "요약해 줘", "붉은 과일.", input="자두는 붉은 과일이다."),
        ),
    ),
    Rule(
        "instruction-too-long",
        ("en", "ko"),
        "serious",
        "Mostly several tasks run together, or material that belongs into the input.",
        _too_long,
        examples=(
            Example("en", " ".join(["word"] * 151), "Yes."),
            Example("ko", "가" * 451, "네."),
        ),
        near_misses=(
            Example("en", " ".join(["word"] * 150), "Yes."),
            Example("ko", "가" * 450, "네."),
        ),
    ),
    Rule(
        "needs-image-or-file",
        ("en", "ko"),
        "serious",
        "A student that reads and writes text can only pretend to see or draw.",
        _needs_image_or_file,
        examples=(
            Example("en", "Describe what is shown in the attached photo.", "A cat."),
            Example("ko", "다음 사진에 무엇이 보이는지 설명하세요.", "고양이입니다."),
        ),
        near_misses=(
            Example("en", "Count the lines of a given file in Bash.", "wc -l file"),
            Example("ko", "다음 파일을 읽는 함수를 쓰세요.", "open(path).read()"),
        ),
    ),
)
