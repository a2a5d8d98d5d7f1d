"""The rule on blanks that stand where content should: [Your Name], {name}, ____, 20XX, OOO 드림.

Brackets hold much else: notes, choruses, citations, headings ("[장소] 강당"). What they hold is a
blank when its last word names something to fill in. Nothing is looked for in a text without the
signs that blanks are made of. Linear in the texts.
"""

import re
from typing import NamedTuple

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView

_SLOT = (
    r"(?:name|names|date|address|number|e-?mail|phone|title|position|company|city|town|state|country"
    r"|month|year|day|time|venue|location|place|amount|price|salary|manager|recipient|sender|author"
    r"|link|url|website|signature|hospital|employer|hire|school|university|department|organi[sz]ation"
    r"|event|topic|subject|landlord|neighbou?r|client|customer|percentage|job|role|industry|brand|zip"
    r"|code|deadline|reason|he/she|his/her|him/her|she/he|s/he|they|product|quantity|duration|degree)"
)
_OWNER = r"(?:your|my|insert|add|enter|fill in|include|specify|state|recipient|sender)"
_KOREAN_NAME = r"[가-힣]{1,5}(?<![설문발생투유증해변조익실별운혁사분선수저임규제])명"
_KOREAN_SLOT = (
    r"(?:이름|성명|성함|날짜|일자|일시|시간|시각|장소|주소|번호|연락처|이메일|부서|직책|직함|직위|제목|링크"
    r"|금액|가격|회사|학교|담당자|저자|수신[자인]|발신[자인]|연도|월|일|숫자|서명|나이|전공|직업|주제|지역"
    r"|도시|(?:받는|보내는) ?(?:사람|분|이)|(?:예약|희망|시작|종료|마감|출발|행사)일|명단"
    r"|YYYY-MM-DD)"
)
_KOREAN_ORDER = (
    r"[^\[\]<>()\n]{0,30}(?:입력|삽입|기입|기재|언급|작성|적기|넣기|쓰세요)[^\[\]<>()\n]{0,10}"
)
_NO_LINK = r"(?!\([^()\s\[\]]{0,200}[./#])"
# OO and ○○ alone are also a laugh or a word that is not to be said.
_NAMELESS_BEFORE = r"(?<![A-Za-z○◯□△])"
_NAMELESS_AFTER = (
    r"(?= ?(?:님|씨|드림|올림|배상|귀하|회사|주식|대학|학교|[초중고]등학교|은행|병원|아파트|지점"
    r"|대표|팀장|과장|부장|고객|선생|교수|[시도군구동읍면월일년원]\b|[시도군구동읍면](?:에|의|청)|\Z))"
    r"(?![A-Za-z])"
)


class _Blank(NamedTuple):
    mark: str
    """Stands in every blank of the kind."""
    pattern: re.Pattern[str]
    is_code: bool = False
    """Program text uses the same sign for variables."""


def _blank(mark: str, pattern: str, *, is_code: bool = False) -> _Blank:
    return _Blank(mark, re.compile(pattern), is_code)


_BLANKS = (
    _blank(
        "[",
        rf"\[(?<![\w\])]\[)(?i:(?!the )(?:[a-z'’./-]{{1,20}} ){{0,5}}{_SLOT}s?"
        rf"|{_OWNER}\b[^\[\]\n]{{0,60}}|[^\[\]\n]{{0,40}}\bhere\.?)\]{_NO_LINK}",
    ),
    _blank(
        "[",
        rf"\[(?:(?:[가-힣]{{1,8}} ){{0,3}}(?:{_KOREAN_SLOT}|{_KOREAN_NAME})|{_KOREAN_ORDER}"
        rf"|여기에[^\[\]\n]{{0,30}}|[O○◯]{{2,3}}[^\[\]\n]{{0,10}})\]{_NO_LINK}",
    ),
    _blank(
        "<",
        rf"<(?:(?:[가-힣]{{1,8}} ){{0,3}}(?:{_KOREAN_SLOT}|{_KOREAN_NAME})|{_KOREAN_ORDER})>",
        is_code=True,
    ),
    _blank(
        "(",
        rf"\((?:(?:[가-힣]{{1,8}}의? )?(?:이름|성함|{_KOREAN_NAME})|{_KOREAN_ORDER})\)"
        rf"(?= ?(?:님|씨|께|드림|올림|입니다|고객|에|을|를|이|가|은|는|의|로|때문|노트북|\n|\Z))",
    ),
    _blank("{", rf"\{{(?<![$\\\w]\{{)\{{?\s*(?i:(?:[a-z]+[ _]){{0,2}}{_SLOT})\s*\}}", is_code=True),
    _blank("{{", r"\{\{\s*\w+\s*\}\}", is_code=True),
    _blank("{", rf"\{{{_KOREAN_SLOT}\}}", is_code=True),
    _blank("<", rf"<(?i:{_OWNER}[ _][^<>\n]{{1,40}}|(?:[a-z]+[ _]){{1,3}}{_SLOT})>", is_code=True),
    _blank(
        "<", r"<(?:[A-Z]+[ _])?(?:NAME|DATE|NUMBER|COMPANY|CITY|EMAIL|AMOUNT|YEAR)>", is_code=True
    ),
    _blank(
        "(",
        r"\((?i:(?:your|insert|enter|recipient|sender|friend|customer|client|company|employee|guest)"
        r"(?:['’]s)? (?:[a-z]+ )?(?:name|address|date|number|title|here))\)",
    ),
    _blank("__", r"_{2,20} ?[월일시분년원명개](?![가-힣])"),
    _blank("□□", r"□□+"),
    _blank("△△", rf"△△+{_NAMELESS_AFTER}"),
    _blank("월 ", r"[○◯□△]월 [○◯□△]일"),
    _blank("___", r"(?<=[^\s_|-] )_{3,}|(?<=[:：$(])_{3,}|(?<!_)_{3,}(?= [^\s_|-])"),
    _blank("XX", r"(?:(?:20|19)XX|[$€£#₩]X{2,}|XX[/-]XX|(?<![A-Za-z])XX+ (?:by|x) XX)(?![A-Z])"),
    _blank(
        "XX",
        r"(?<![A-Za-z])XX+ ?(?:%|(?:cm|mm|kg|km|inch|percent|years?|days|hours|minutes)\b"
        r"|[월일년원명개시분세님씨])",
    ),
    *(_blank(2 * ring, rf"{_NAMELESS_BEFORE}{ring}{{2,3}}{_NAMELESS_AFTER}") for ring in "O○◯"),
    _blank(
        " Name", r"\bDear (?:Customer|Client|Recipient|Friend|Company|Your|First|Last|Full) Name\b"
    ),
    _blank("_N", r"\b[A-Z]{3,}_(?:NAME|NUMBER)\b", is_code=True),
    _blank("psum", r"\b[Ll]orem [Ii]psum\b"),
)
_HANGUL = re.compile("[가-힣]")
_CONTENT_NEXT = re.compile(r"\s*[:：*]*\s*[^\s에의은는이가을를님과와로도,.]")
_ASKS_FOR_BLANKS = re.compile(
    r"\b(?:templates?|form letter|forms?|placeholders?|blanks?|mail merge|boilerplate|brackets?"
    r"|fill[- ]in|variables?|lorem|dummy text|filler text|worksheets?|quiz|cloze|anonymi[sz]e\w*"
    r"|redact\w*|mad ?libs?)\b|양식|서식|템플릿|빈칸|괄호|틀을|변수|문안 틀|자리 ?표시|익명|가명"
    r"|가려|학습지|퀴즈|밑줄",
    re.IGNORECASE,
)
_ASKS_FOR_CODE = re.compile(
    r"\b(?:jinja\w*|mustache|handlebars|vue|angular|react|django|f-?strings?|html|xml|latex|code"
    r"|function|scripts?|regex|sql|quer(?:y|ies)|api|endpoints?|routes?|python|java\w*|bash|shell"
    r"|program|command|markup|syntax|css|php|ruby|json|yaml)\b|코드|함수|스크립트|쿼리|명령|프로그램|파이썬"
    r"|자바|정규식|문법",
    re.IGNORECASE,
)
_FEWEST_IN_DRAFT = 2


def _placeholder(record: RecordView) -> str | None:
    for part, text in (
        ("instruction", record.instruction_prose),
        ("output", record.output_prose),
    ):
        for blank in _BLANKS:
            if blank.mark in text:
                for found in blank.pattern.finditer(text):
                    if not _is_heading(found) and _is_left(record, part, found[0], blank):
                        return f"the {part} leaves {quote(found[0])} blank"
    return None


def _is_heading(found: re.Match[str]) -> bool:
    """Tell "[장소] 강당" at the head of a line from "[날짜]에 오세요"."""
    text, start, end = found.string, found.start(), found.end()
    at_head = start == 0 or text[start - 1] in "\n*■●"
    is_label = found[0][0] == "[" and _HANGUL.search(found[0]) is not None
    return at_head and is_label and _CONTENT_NEXT.match(text, end) is not None


def _is_left(record: RecordView, part: str, found: str, blank: _Blank) -> bool:
    """Tell a blank that was forgotten from one that the task asked for or gave."""
    if part == "output" and _stands_in_task(record.task_text, found, blank):
        return False
    if part == "instruction" and blank.mark not in "[<{":
        return False
    if blank.is_code and _ASKS_FOR_CODE.search(record.instruction):
        return False
    return not _ASKS_FOR_BLANKS.search(record.instruction)


def _stands_in_task(task_text: str, found: str, blank: _Blank) -> bool:
    """Tell whether the task shows the blank, or is itself a draft of several of its kind."""
    if found.casefold() in task_text.casefold():
        return True
    if blank.mark not in task_text:
        return False
    return len(blank.pattern.findall(task_text)) >= _FEWEST_IN_DRAFT


PLACEHOLDER_RULE = Rule(
    "placeholder",
    ("en", "ko"),
    "serious",
    "A blank stands where content should; fine in a template that was asked for.",
    _placeholder,
    examples=(
        Example("en", "Write a short note to a friend.", "Dear Sam, see you. [Your Name]"),
        Example("ko", "친구에게 짧은 쪽지를 쓰세요.", "내일 보자. [이름]"),
    ),
    near_misses=(
        Example("en", "Write a template for a thank-you note.", "Dear [Name], thank you."),
        Example("ko", "감사 편지 양식을 만드세요.", "[이름] 님께 감사드립니다."),
        Example(
            "en",
            "Make this note more formal.",
            "Dear [Manager], I ask for leave from [Start Date].",
            input="Hi [name], I want [date] off.",
        ),
        Example(
            "ko",
            "더 공손하게 고쳐 쓰세요.",
            "[성함] 님, [날짜]에 찾아뵙겠습니다.",
            input="[이름]아, [시간]에 갈게.",
        ),
    ),
)
