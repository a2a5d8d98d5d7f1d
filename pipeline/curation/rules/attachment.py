"""The rule on outputs that pretend to see, open or hand over a picture or a file.

A text in which somebody else speaks (a letter, a story, a dialogue) may mention its enclosures
when the task asks for such a text and speaks of them; a picture that the task describes may be
spoken of. Linear in the output.
"""

import re

from pipeline.curation.rules.parts import part, search
from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView, holds_any

_THING_EN = (
    r"(?:images?|pictures?|photos?|photographs?|screenshots?|videos?|audio|recordings?|clips?"
    r"|diagrams?|charts?|graphs?|figures?|maps?|illustrations?|files?|documents?|pdfs?|docx?"
    r"|spreadsheets?|slides?|attachments?|drawings?|sketch(?:es)?|links?|(?:web ?)?pages?|zip"
    r"|archive|scan|worksheet|infographic|flowchart|animation|gif)"
)
_SEEN_EN = (
    r"(?:images?|pictures?|photos?|photographs?|screenshots?|videos?|recordings?|clips?|diagrams?"
    r"|charts?|graphs?|figures?|maps?|illustrations?|scan|infographic|flowchart|audio|animation"
    r"|gif)"
)
_THING_KO = (
    r"(?:이미지|사진|그림|스크린샷|영상|동영상|음성|녹음|오디오|파일|문서|첨부 ?파일|첨부물|도표"
    r"|그래프|차트"
    r"|지도|도면|링크|엑셀|스프레드시트|PDF|pdf|슬라이드|PPT|그림 파일|캡처|화면|일러스트|삽화"
    r"|설계도|약도|(?<![가-힣])표)"
)
_SEEN_KO = (
    r"(?:이미지|사진|그림|스크린샷|영상|동영상|도표|그래프|차트|지도|약도"
    r"|캡처|도면|삽화|노선도|화면)"
)
# Such a thing stands only where one of these does.
_SEEN_MARKS = (
    *("image", "picture", "photo", "screenshot", "video", "recording", "clip", "diagram", "chart"),
    *("graph", "figure", "map", "illustration", "scan", "infographic", "audio", "animation", "gif"),
)
_THING_MARKS = (
    *_SEEN_MARKS,
    *("file", "document", "pdf", "doc", "spreadsheet", "slide", "attachment", "drawing", "sketch"),
    *("link", "page", "zip", "archive", "worksheet", "inbox"),
)
_SEEN_MARKS_KO = (
    *("이미지", "사진", "그림", "스크린샷", "영상", "도표", "그래프", "차트", "지도", "약도"),
    *("캡처", "도면", "삽화", "노선도", "화면"),
)
_THING_MARKS_KO = (
    *_SEEN_MARKS_KO,
    *("음성", "녹음", "오디오", "파일", "문서", "첨부", "링크", "엑셀", "스프레드시트", "pdf"),
    *("슬라이드", "ppt", "일러스트", "설계도", "표"),
)
_GAVE_KO = ("주신", "준", "두신", "주셨던", "드린")
_SENDS_KO = ("보내", "올려", "공유해", "업로드해", "찍어", "제공해", "첨부해", "전송해")
_POINTS = ("the", "this", "your")
_ATTACHES = ("attach", "enclos")
# Nobody writes these but someone who claims to have the thing.
_CLAIMS = (
    part(
        rf"(?:보내|올려|공유해|업로드해|찍어|제공해|첨부해|전송해)\s*(?:주신|준|두신"
        rf"|주셨던)\s+(?:[가-힣]+\s+){{0,3}}(?:{_THING_KO}|\S+\.\w{{3,4}})",
        _GAVE_KO,
        _SENDS_KO,
    ),
    part(
        rf"(?:올리신|보내신|업로드하신|첨부하신|찍으신|공유하신)\s+(?:[가-힣]+\s+){{0,2}}{_THING_KO}",
        ("올리신", "보내신", "업로드하신", "첨부하신", "찍으신", "공유하신"),
    ),
    part(
        rf"(?:왼쪽|오른쪽|가운데)\s*(?:[가-힣]+\s+)?{_SEEN_KO}(?:은|는|이|가|에)",
        _SEEN_MARKS_KO,
        ("왼쪽", "오른쪽", "가운데"),
    ),
    part(r"(?:그림|표|사진|도표) ?\d+(?:에서|은|는|을|를|과|에)", ("그림", "표", "사진")),
    part(r"\((?:이미지|사진|그림|표|동영상|첨부)\)", ("(",)),
    part(r"첨부 ?파일(?:을|에|은|는)", ("첨부",)),
    part(r"파일로 (?:붙여|첨부|저장|만들어|정리해 두|보내)", ("파일로",)),
    part(
        r"\S+\.(?:xlsx?|csv|pdf|docx?|hwp|pptx?)(?:를|을|에) (?:열|첨부|저장|확인)",
        ("열", "첨부", "저장", "확인"),
        (".xls", ".csv", ".pdf", ".doc", ".hwp", ".ppt"),
    ),
    part(
        r"(?<!in )\b(?:Figure|Fig\.|Table|Exhibit|Slide) \d+ (?:\w+ly )?(?:illustrat|show|depict"
        r"|cover|displa|present|list)\w*",
        ("figure ", "fig. ", "table ", "exhibit ", "slide "),
        ("illustrat", "show", "depict", "cover", "displa", "present", "list"),
    ),
    part(
        r"\[?\b[\w-]+\.(?:png|jpe?g|gif|pdf|docx?|xlsx?|pptx?|mp[34]|svg)\]",
        ("]",),
        (".png", ".jp", ".gif", ".pdf", ".doc", ".xls", ".ppt", ".mp", ".svg"),
    ),
    part(
        rf"\b(?:from|by|at|see|click|enlarge) (?:on )?(?:the|this|your) {_SEEN_EN}(?=[,.:]"
        rf"| (?:of (?:your|the)|to|on the (?:left|right)|below|above|provided))",
        _POINTS,
        _SEEN_MARKS,
    ),
    part(
        r"\b(?:ran|tested|executed|checked) the (?:script|code|program|file) (?:in|from) your\b",
        ("ran the ", "tested the ", "executed the ", "checked the "),
        ("in your", "from your"),
    ),
    part(
        r"\b(?:are|is) attached (?:to|in|below|here)\b(?! (?:the|a|an|his|her|one)\b)",
        ("attached",),
    ),
    part(r"!\[[^\]\n]{0,200}\]\([^)\n]{1,300}\)", ("![",)),
    part(
        rf"\[(?:{_SEEN_EN}|attachment|attached|{_SEEN_KO}|첨부)\b[^\]\n]{{0,80}}\](?!\()",
        ("[",),
    ),
    part(
        r"\b(?:attached|enclosed|uploaded|accompanying|linked)\s+(?:\w+\s+)?(?:\w+\s+)?"
        rf"{_THING_EN}\b",
        ("attached", "enclosed", "uploaded", "accompanying", "linked"),
    ),
    part(
        r"\b(?:attached|enclosed)\s+(?:\w+\s+){1,2}(?:article|report|paper|text|letter|version|copy"
        r"|note|list|recipe|invoice|form|table|code|plan|draft)\b"
        r"|\b(?:see|find|in|per|from|to|check|using)\s+(?:the\s+)?(?:attached|enclosed"
        r"|attachments?)\b",
        _ATTACHES,
    ),
    part(
        r"\b(?:i|we)(?:['’]ve| have|['’]m|['’]ll| am| will)?\s+"
        r"(?:\w+ly\s+|also\s+|just\s+|now\s+)?"
        r"(?:attach\w*|enclos\w+|upload\w*|opened|downloaded|scanned)\b",
        (*_ATTACHES, "upload", "opened", "downloaded", "scanned"),
    ),
    part(
        r"\b(?:i|we)(?:['’]ve| have|['’]ll| will)?\s+(?:\w+ly\s+|also\s+|just\s+|now\s+)?"
        r"(?:sav|sent|send|creat|email|includ|look|review|read|generat|draw|drew|record|check|put"
        r"|plac|insert|add|export|stor)\w*\s+(?:at\s+|over\s+|through\s+)?(?:\w+\s+){0,6}?"
        rf"(?:{_THING_EN}|inbox)\b",
        ("i ", "we ", "i'", "we'", "i’", "we’", "i\n", "we\n"),
        _THING_MARKS,
    ),
    part(
        rf"\b{_THING_EN}\s+(?:\w+\s+)?(?:is|are|was|were|has been|have been)?\s*(?:attached"
        r"|enclosed|you (?:\w+ )?(?:attached|uploaded|sent|provided|shared|gave|posted|included"
        r"|linked))\b",
        ("attached", "enclosed", "you "),
        (
            *("attached", "enclosed", "uploaded", "sent", "provided", "shared", "gave"),
            *("posted", "included", "linked"),
        ),
        _THING_MARKS,
    ),
    part(
        r"\b(?:click|open|download|play|press|watch|listen to)\s+(?:\w+\s+){0,3}?"
        rf"{_THING_EN}\s+(?:below|above|attached|i\b)",
        ("click", "open", "download", "play", "press", "watch", "listen to"),
        _THING_MARKS,
    ),
    part(
        r"\b(?:see|shown|look at|refer to|here is|here['’]s|here are)\s+(?:\w+\s+){0,3}?"
        rf"{_SEEN_EN}(?:\s+(?:below|above|of|showing|here|you|i)|[:.]|\s*$)",
        ("see", "shown", "look at", "refer to", "here is", "here's", "here’s", "here are"),
        _SEEN_MARKS,
    ),
    part(
        rf"\b{_SEEN_EN}\s+(?:below|above|on the (?:left|right))\b",
        ("below", "above", "on the left", "on the right"),
        _SEEN_MARKS,
    ),
    part(rf"\b(?:below|above)\s+{_SEEN_EN}\b", ("below", "above"), _SEEN_MARKS),
    part(
        r"첨부(?:된|한|해|하|합|드린|드립|했|파일|와|로)[가-힣]*"
        rf"(?:\s*{_THING_KO})?",
        ("첨부",),
    ),
    part(r"파일(?:을|로)?\s*(?:첨부|보내|저장해)", ("파일",)),
    part(
        rf"{_THING_KO}(?:을|를|은|는|도)?\s*(?:함께\s*|같이\s*|따로\s*|아래에\s*|여기에?\s*)?"
        rf"(?:첨부|동봉|업로드|올려|보내\s*드|전송|열어\s*보|열어\s*확인|다운로드|내려받"
        rf"|재생해|들어\s*보니|확인해\s*보니|확인한 결과|살펴보니|보니)",
        (
            *("첨부", "동봉", "업로드", "올려", "보내", "전송", "열어", "다운로드", "내려받"),
            *("재생해", "보니", "확인한 결과"),
        ),
        _THING_MARKS_KO,
    ),
    part(
        r"(?:보내|올려|첨부해|제공해|공유해|업로드해)\s*(?:주신|준|주셨던|드린)\s*"
        rf"{_THING_KO}",
        _GAVE_KO,
        _SENDS_KO,
    ),
    part(
        rf"(?:위|아래|다음|왼쪽|오른쪽|이)(?:의)?\s*{_SEEN_KO}(?:을|를|에서|은|는|이|가|과|처럼|에"
        rf"|와)?\s*(?:보|나타|보여|참고"
        rf"|확인|같|설명|담|있|볼|표시|따르)",
        _SEEN_MARKS_KO,
    ),
)
_SIGHTS = (
    part(
        rf"\b(?:the|this|your)\s+{_SEEN_EN}\s+(?:\w+ly\s+)?(?:shows?|depicts?|displays?|features?"
        rf"|contains?|captures?|illustrates?|portrays?|appears|reveals?|has|is of|is an?)\b",
        _POINTS,
        _SEEN_MARKS,
    ),
    part(
        rf"\b{_SEEN_EN} (?:provided|attached|shown|above|below|you)\b",
        ("provided", "attached", "shown", "above", "below", "you"),
        _SEEN_MARKS,
    ),
    part(
        rf"\b(?:in|from|on|at)\s+(?:the|this|your)\s+{_SEEN_EN}\b(?=[,.]|\s+(?:we|you|i|there"
        rf"|above|below))"
        rf"|\b(?:as|can be)\s+(?:you can see\s+)?(?:seen\s+|shown\s+)?(?:in|from)\s+(?:the|this"
        rf"|your)\s+{_SEEN_EN}\b",
        _POINTS,
        _SEEN_MARKS,
    ),
    part(
        rf"{_SEEN_KO}(?:\s*속\s|(?:으로|로) 보(?:기에|아|면)|(?:을|를) (?:확대|보니|보면))"
        rf"|{_SEEN_KO}(?:에서|에는|에|속에는?|속)\s*(?:볼 수|보이|보시|보듯|나타난|나온|확인)"
        rf"|{_SEEN_KO}(?:은|는|이|가)\s*[^.\n]{{0,40}}(?:보여 ?줍|보여 ?주|담고|나타내|보입니다)",
        _SEEN_MARKS_KO,
    ),
)
_LETS_OTHERS_SPEAK = re.compile(
    r"\b(?:e-?mails?|letters?|messages?|memos?|notes?|stor(?:y|ies)|dialogu?es?|script|captions?"
    r"|invitation|reply|respond|conversation|scene|announcement|review|minutes|posts?|markdown|html"
    r"|fax|newsletter|application|notice|poem|article|sentences?)\b"
    r"|이메일|메일|편지|메시지|문자|쪽지|메모|공문|이야기|소설|대화|대본|안내문|공지|답장|회신"
    r"|캡션|후기|기사"
    r"|마크다운|문장|소설|시를|신청서|설명 글|글을",
    re.IGNORECASE,
)
_SPEAKS_OF_THINGS = re.compile(
    rf"\b(?:{_THING_EN}|attach\w*|enclos\w*|invoice|minutes|résumé|resume|cv|alt|markdown|html)\b"
    rf"|{_THING_KO}|첨부|동봉|이력서|견적서|자료|계약서|청구서|보고서",
    re.IGNORECASE,
)
_SPEAKS_OF_SIGHT = re.compile(rf"\b{_SEEN_EN}\b|{_SEEN_KO}", re.IGNORECASE)
_ABOUT_THINGS = re.compile(
    r"\b(?:what (?:is|are|does) (?:an?\s+)?|how|why|explain|define|stor(?:y|ies)|poem|scene|film"
    r"|famous|review)\b"
    r"|이야기|소설|시를|장면",
    re.IGNORECASE,
)
_MARKS = (
    *(
        "attach",
        "enclos",
        "inbox",
        "![",
        "image",
        "picture",
        "photo",
        "screenshot",
        "video",
        "audio",
    ),
    *("recording", "clip", "diagram", "chart", " graph", "figure", "fig.", "map", "illustration"),
    *(
        "file",
        "document",
        "pdf",
        "doc",
        "spreadsheet",
        "slide",
        "drawing",
        "sketch",
        "link",
        "page",
    ),
    *("zip", "archive", "scan", "worksheet", "animation", "gif", "table ", "exhibit", "upload"),
    *("your repository", "download", ".png", ".jp", ".xls"),
)
_MARKS_KO = (
    *(
        "![",
        "이미지",
        "사진",
        "그림",
        "스크린샷",
        "영상",
        "음성",
        "녹음",
        "오디오",
        "파일",
        "문서",
        "첨부",
        "동봉",
    ),
    *(
        "도표",
        "그래프",
        "차트",
        "지도",
        "도면",
        "링크",
        "엑셀",
        "스프레드시트",
        "pdf",
        "슬라이드",
        "ppt",
        "캡처",
    ),
    *(
        "화면",
        "일러스트",
        "삽화",
        "설계도",
        "약도",
        "노선도",
        " 표",
        "(표",
        "\n표",
        "업로드",
        ".xls",
        ".csv",
        ".doc",
        ".hwp",
    ),
)


def _pretends(record: RecordView) -> str | None:
    if not holds_any(record.lower_output, _MARKS if record.language == "en" else _MARKS_KO):
        return None
    text = record.output_prose
    found = search(_CLAIMS, text, record.lower_prose)
    if (
        found
        and _LETS_OTHERS_SPEAK.search(record.task_text)
        and _SPEAKS_OF_THINGS.search(record.task_text)
    ):
        found = None
    if found is None and not (record.input and _SPEAKS_OF_SIGHT.search(record.task_text)):
        found = search(_SIGHTS, text, record.lower_prose)
        if found and _ABOUT_THINGS.search(record.instruction):
            found = None
    if found is None or found[0] in record.task_text:
        return None
    return f"the output says {quote(found[0])}"


ATTACHMENT_RULES = (
    Rule(
        "hallucinated-attachment",
        ("en", "ko"),
        "serious",
        "The output speaks of a picture or file that nobody gave and nobody gets.",
        _pretends,
        examples=(
            Example(
                "en", "Explain how tides work.", "As the attached diagram shows, the moon pulls."
            ),
            Example("ko", "밀물과 썰물을 설명하세요.", "첨부한 그림처럼 달이 물을 당깁니다."),
        ),
        near_misses=(
            Example(
                "en",
                "Write an e-mail to a client that comes with the invoice.",
                "Dear Ms Ortiz, please find the invoice attached. Kind regards, Paul",
            ),
            Example(
                "ko",
                "이력서를 함께 보내는 지원 이메일을 쓰세요.",
                "안녕하세요. 이력서를 첨부해 드립니다. 검토해 주시면 감사하겠습니다.",
            ),
        ),
    ),
)
