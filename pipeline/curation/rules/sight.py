"""The rule on tasks that need eyes, ears, hands or a disk: pictures, sound and files.

A task on a picture that stands in words in the input is one on text; a stand-in (a file name, a
link, "[image]") is not. Making a picture is no task for a writer either, but its caption, its
description and its code (HTML, SVG, a plotting script) are. Linear in the instruction.
"""

import re

from pipeline.curation.rules.parts import part, search
from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView, holds_any

_PICTURE_EN = (
    r"(?:images?|pictures?|photos?|photographs?|screenshots?|videos?|audio|recordings?|footage"
    r"|gifs?"
    r"|audio (?:clip|file)s?"
    r"|clips?|x-rays?|scans?|selfies?|paintings?|drawings?|sketch(?:es)?"
    r"|handwrit\w+ notes?|podcast|voice memo|sheet music|song clip|cartoon|comic strip|infographic)"
)
_DOCUMENT_EN = (
    r"(?:files?|attachments?|charts?|graphs?|diagrams?|figures?|maps?|pdfs?|spreadsheets?"
    r"|documents?"
    r"|slides?|presentations?|workbooks?|blueprints?|floor plans?)"
)
_PICTURE_KO = (
    r"(?:이미지|사진|그림|스크린샷|영상|동영상|비디오|오디오|음성|녹음|음원|셀카|악보|만화"
    r"|엑스레이|캡처|삽화|일러스트"
    r"|CCTV|화면|손글씨|녹취|초상화|도면|지도)"
)
_DOCUMENT_KO = (
    r"(?:파일|첨부|첨부 ?파일|차트|그래프|도표|지도|도면|스프레드시트|엑셀|PDF|pdf|워드|PPT"
    r"|한글 문서|문서|계약서|보고서)"
)
_PARTICLE = "(?:들)?(?:을|를|은|는|이|가|의|에|에서|과|와|로|으로|에는|속의?|만|도)?(?![가-힣])"
_NAMED = (
    r"(?!\s+(?:of\b|by\b|called|titled|[\"'“‘]|file|format|game|script|title|editing|quality|book"
    r"|frame|data|(?-i:[A-Z][a-z])))"
)
_POINTS = (
    r"(?:following|attached|uploaded|provided|given|above|below|enclosed|scanned|shown|linked"
    r"|embedded|shared)"
)

_MARKS = (
    *("image", "picture", "photo", "screenshot", "video", "audio", "record", "footage", "gif"),
    *("clip", "x-ray", "scan", "selfie", "paint", "draw", "sketch", "handwrit", "podcast", "memo"),
    *(
        "sheet music",
        "cartoon",
        "comic",
        "infographic",
        "file",
        "attach",
        "chart",
        "graph",
        "poster",
    ),
    *(
        "diagram",
        "figure",
        "map",
        "pdf",
        "spreadsheet",
        "document",
        "slide",
        "presentation",
        "logo",
    ),
    *("workbook", "blueprint", "floor plan", "illustrat", "jingle", "icon", "flyer", "banner"),
    *("meme", "collage", "thumbnail", "midi", "mp3", ".csv", ".xls", ".doc", ".txt", ".json"),
    *(".ppt", ".zip", ".hwp", "["),
)
_MARKS_KO = (
    *(
        "이미지",
        "사진",
        "그림",
        "스크린샷",
        "영상",
        "비디오",
        "오디오",
        "음성",
        "녹음",
        "음원",
        "셀카",
    ),
    *(
        "악보",
        "만화",
        "엑스레이",
        "캡처",
        "삽화",
        "일러스트",
        "cctv",
        "화면",
        "손글씨",
        "녹취",
        "초상화",
    ),
    *(
        "도면",
        "지도",
        "파일",
        "첨부",
        "차트",
        "그래프",
        "도표",
        "스프레드시트",
        "엑셀",
        "pdf",
        "워드",
        "ppt",
    ),
    *(
        "문서",
        "계약서",
        "보고서",
        "포스터",
        "로고",
        "배너",
        "아이콘",
        "썸네일",
        "캐릭터",
        "듣기",
        "[",
        ".csv",
    ),
    *(".xls", ".txt", ".json", ".hwp"),
)
# Each English turn has an article, a pronoun or a preposition of these letters.
_LATIN = ("a", "e", "i", "o", "u")

_SHOWS_PICTURE = (
    part(
        rf"(?<!\ba )\b(?:this|these|the|my|our|{_POINTS})\s+(?:\w+\s+){{0,1}}{_PICTURE_EN}\b"
        rf"{_NAMED}"
        rf"|\b{_PICTURE_EN}\s+(?:{_POINTS}|i (?:\w+ )?(?:sent|attached|uploaded|took|posted"
        rf"|shared))\b"
        rf"|\b(?:look at|listen to|watch|transcribe|view|zoom in)\s+(?:the|this|these"
        rf"|my)\s+(?:\w+\s+){{0,2}}{_PICTURE_EN}\b"
        rf"|(?:take|capture) a (?:screenshot|photo|picture|selfie)",
        _LATIN,
    ),
    part(
        rf"(?<![가-힣])(?:다음|이|아래|위|위의|아래의|첨부된|첨부한|주어진|제시된|업로드한|올린|보낸"
        rf"|보내 ?드린|두|제|내|우리 \S+)\s*"
        rf"(?:[가-힣A-Z]+\s+)?{_PICTURE_KO}{_PARTICLE}"
        rf"|{_PICTURE_KO}\s*(?:속|파일)?\s*(?:을|를|에서|에|속|속의|중)?\s*(?:보고(?!\s*(?:느낀|싶"
        rf"|떠오))|보면|듣고|들어|들려|보니|보이는|보여|나온|나오는|적힌|뜬|찍힌|표시된|담긴|속|판독"
        rf"|있는지)"
        rf"|{_PICTURE_KO}(?:을|를)?\s*(?:보내니|보냈|올렸|올릴|첨부했|첨부합|첨부하)"
        rf"|\[(?:그림|사진|이미지|표|그래프|자료)\s*\d*\]|듣기 ?(?:문제|평가)",
        _MARKS_KO,
    ),
)
_SHOWS_DOCUMENT = (
    part(
        rf"(?<!\ba )\b(?:this|these|{_POINTS})\s+(?:\w+\s+)?{_DOCUMENT_EN}\b{_NAMED}"
        rf"|\b{_DOCUMENT_EN}\s+(?:{_POINTS})\b|\b(?:shown|seen|given) in (?:the|this)"
        rf" {_DOCUMENT_EN}\b"
        rf"|\b(?:using|based on|according to|look at|looking at|from|read|open|load"
        rf"|in)\s+the\s+(?:\w+\s+)?(?:map|chart|graph|diagram|figure|spreadsheet|pdf|scan"
        rf"|floor plan)\b{_NAMED}"
        rf"|\b(?:open|load|read|parse|import|check|summari[sz]e"
        rf"|access)\s+(?:the\s+)?(?:\w+\s+){{0,2}}[\w-]+\.(?:csv|xlsx?|pdf|docx?|txt|json|pptx?|zip)\b",
        _LATIN,
    ),
    part(
        rf"(?<![가-힣])(?:다음|이|아래|위|위의|아래의|첨부된|첨부한|주어진|제시된|업로드한|업로드된"
        rf"|올린|올려 ?드린|보낸|보내 ?드린)\s*"
        rf"(?:[가-힣]+\s+)?{_DOCUMENT_KO}(?:\s*(?:파일|문서|계약서|보고서|자료))?{_PARTICLE}"
        rf"|(?:지도|그래프|도표|차트)(?:에서|에)\s+[^.?\n]{{0,20}}(?:표시된|나타난|보이는|빨간|파란)"
        rf"|[\w-]+\.(?:csv|xlsx?|pdf|docx?|txt|json|pptx?|hwp)\s*(?:파일)?(?:을|를)?\s*(?:열|읽|불러"
        rf"|분석|요약)",
        (*_MARKS_KO, ".doc"),
    ),
)
_WANTS_PICTURE = (
    part(
        rf"(?<!to )(?<!you )(?<!i )\b(?:draw|paint|sketch|photograph)"
        r"\s+(?:me\s+)?(?:an?|the)\b(?!\s+(?:conclusion|parallel"
        r"|comparison|distinction|lesson|line between|inference|analogy|vivid picture|connection))"
        rf"|\b(?:generate|create|make|produce|record|show me|play|find|design|edit|crop|retouch"
        rf"|render|film)\s+(?:me\s+)?(?:an?|the)\s+"
        rf"(?:[\w-]+\s+){{0,3}}?(?:{_PICTURE_EN}|logo|poster|infographic|illustration|pie chart"
        rf"|bar chart|flyer|banner|icon|collage|thumbnail|meme|jingle)"
        rf"(?=\s*(?:[.,!?]|$|of\b|for\b|from\b|so that\b|with\b|showing\b|depicting\b|advertising\b"
        rf"|that\s+shows\b))"
        rf"|\b(?:save|export|record|render) (?:it|this|that|them|the \w+) (?:as|to"
        rf"|into) an? (?:\w+ )?(?:file|image|video|mp3|midi|png|pdf)\b",
        _LATIN,
    ),
    part(
        rf"(?:그림|초상화|일러스트|삽화|포스터|로고|캐릭터)(?:을|를)?\s*(?:한 (?:장|점)\s*)?(?:그려"
        rf"|그리시오|그리세요|만들어서? 보여)"
        rf"|(?:로고|포스터|일러스트|배너|아이콘|썸네일)[^.\n]{{0,14}}(?:디자인해|한 장|PNG|png|JPG"
        rf"|jpg|이미지로)"
        rf"|{_PICTURE_KO}(?:을|를)?\s*(?:하나\s*)?(?:생성|제작|편집|촬영|녹음|재생|찍어)|(?:이미지"
        rf"|사진|그림|영상|동영상)(?:을|를)?\s*보여\s*(?:줘|주)",
        _MARKS_KO,
    ),
)
_IN_WORDS = re.compile(
    r"\b(?:in words|with words|word picture|describ\w+|caption|alt text|ascii|svg|html|latex"
    r"|mermaid|script|prompt|slogan"
    r"|ideas?|concept|outline|title|tweet|text for|wording|storyboard)\b|글로|말로|묘사|캡션|문구"
    r"|아이디어|설명 글|대본|기획",
    re.IGNORECASE,
)
# A program reads its file later, when it runs.
_WRITES_CODE = re.compile(
    r"\b(?:program|scripts?|functions?|code|bash|shell|python|command|html|css|javascript|sql|api"
    r"|app)\b"
    r"|프로그램|스크립트|함수|코드|명령|파이썬",
    re.IGNORECASE,
)
# Nobody has to see what is only sent, kept or deleted: "첨부된 사진들 언제까지 보내야 해?"
_HANDLES_ONLY = re.compile(
    r"(?:보내야|보낼|보내면|보내는|제출|저장|삭제|지워|지우|내려 ?받|다운로드|업로드해|받았|전송"
    r"|인쇄|출력해|공유해|찾아 ?줘|어디)"
    r"|\b(?:send|submit|save|delete|store|upload|print|back up|rename|share|post|how (?:do|can|to)"
    r"|where|when)\b",
    re.IGNORECASE,
)
# An input that only stands for the material: file names, links, a bracketed word.
_STAND_IN = re.compile(
    r"\s*(?:[\[(<][^\])>]{0,60}[\])>]|(?:\S+\.(?:jpe?g|png|gif|pdf|csv|xlsx?|docx?|mp[34]|wav|zip"
    r"|hwp|midi?|svg|webp|m4a|mov)"
    r"[,;]?\s*)+|https?://\S+|[^.\n]{0,12}(?:첨부|attached|업로드)[^.\n]{0,12})\s*",
    re.IGNORECASE,
)
_CHOICES = re.compile(r"\s*(?:①|1\)|\(?[aA]\))")
_LONGEST_NAME = 200


def _needs_image_or_file(record: RecordView) -> str | None:
    text = record.instruction
    marks = _MARKS if record.language == "en" else _MARKS_KO
    is_named = 0 < len(record.input) < _LONGEST_NAME and "." in record.input
    if not is_named and not holds_any(record.lower_instruction, marks):
        return None
    found = search(_WANTS_PICTURE, text, record.lower_instruction)
    if found and (_IN_WORDS.search(text) or _WRITES_CODE.search(text)):
        found = None
    if found is None and _lacks_material(record):
        found = _find_shown(record) or (
            None if _WRITES_CODE.search(text) else _PICTURE_FILE.fullmatch(record.input)
        )
    return f"the task is on {quote(found[0])}" if found else None


# A picture or a recording by its name: whatever is asked, it would have to be seen or heard.
_PICTURE_FILE = re.compile(r"\s*\S+\.(?:jpe?g|png|gif|mp[34]|wav|webp|m4a|mov)\s*", re.IGNORECASE)


def _lacks_material(record: RecordView) -> bool:
    given = record.input
    return not given or bool(_STAND_IN.fullmatch(given) or _CHOICES.match(given))


def _find_shown(record: RecordView) -> re.Match[str] | None:
    """Find a picture or file that the instruction speaks of as if it were there."""
    text, lowered = record.instruction, record.lower_instruction
    if _WRITES_CODE.search(text):
        return None
    found = search(_SHOWS_PICTURE, text, lowered) or search(_SHOWS_DOCUMENT, text, lowered)
    if found and _HANDLES_ONLY.search(text, found.end()):
        return None
    if found and re.search(r"[:：]\s*\S|\n\s*\S", text[found.start() :]):
        return None
    return found


SIGHT_RULES = (
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
