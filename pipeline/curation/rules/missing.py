"""The rule on instructions that speak of material which is not there.

"Summarize the following article." with an empty input can only be answered by inventing the
article. A reference is a pointer with any noun ("the given name", 다음 문장), a task on text with
a definite noun ("Correct the sentence.", 문장을 번역해 줘), or a task on text without an object
("요약해 줘"). The material may stand in the instruction itself: after a colon or a line end, in
quotation marks, as numbers or a list, or as a sentence that asks for nothing. Programs get their
input when they run. Linear in the instruction.
"""

import re

from pipeline.curation.rules.asking import is_request
from pipeline.curation.rules.parts import part, search
from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView

_NO_MATERIAL = (
    r"(?:days?|weeks?|months?|years?|morning|evening|night|season|chapter|format|criteria|rules"
    r"|style|order|way|manner|time|moment|circumstances|template|steps|structure|requirements"
    r"|guidelines|advice|law|orders|suit|directions|instructions)"
)
_TEXT_EN = (
    r"(?:texts?|sentences?|paragraphs?|passages?|articles?|excerpts?|essays?|e-?mails?|letters?"
    r"|poems?|stor(?:y|ies)|reviews?|tweets?|conversations?|dialogues?|dialogs?|transcripts?"
    r"|reports?|abstracts?|statements?|words?|phrases?|lists?|numbers|tables?|codes?|snippets?"
    r"|equations?|expressions?|data|dataset|questions?|quotes?|items|options|premises|arguments?"
    r"|comments?|messages?|speech(?:es)?|documents?|notes?|lyrics|headlines?|recipes?|resumes?"
    r"|résumés?|puzzles?|riddles?|scenarios?|claims?|pairs?|puns?|posts?|descriptions?|figures"
    r"|values|fragments?|quotations?|cover letter|blog post|json|xml|csv|array|bullet points?"
    r"|points|lines|strings?)"
)
_GIVEN = (
    *("following", "given", "provided", "above", "below", "underlined", "highlighted", "attached"),
    *("quoted", "listed", "supplied"),
)
_POINTER_EN = (
    part(
        rf"(?<!\ba )(?<!\ban )\b(?:the|these|this|those|each|following|given|below|above|all)\s+"
        rf"(?:(?:following|given|provided|above|below|underlined|highlighted|attached|quoted|listed"
        rf"|supplied)\s+)(?:(?:two|three|four|five|\d)\s+)?(?!{_NO_MATERIAL}\b)(?:[\w'’-]+)",
        _GIVEN,
    ),
    part(
        r"\b(?:the|these|those|both)\s+(?:two|three|four|five)\s+(?:\w+\s+)?(?:texts|sentences"
        r"|paragraphs|passages|articles|statements|words|phrases|lists|numbers|poems|quotes|claims"
        r"|arguments)\b(?!\s+(?:of|in|that|which|from|for))",
        ("two", "three", "four", "five"),
    ),
    part(
        r"\b(?:translate|summari[sz]e|classify|rewrite|paraphrase|edit|correct|sort|fix|solve"
        r"|convert|complete|answer|analy[sz]e|which of|describe|identify|consider|do|for|from|of"
        r"|in)\s+(?:the\s+)?(?:following|given|below|above)\b(?!\s+\w+\s+(?:day|week|month"
        r"|year)s?\b)(?!\s+(?:an?|that)\b)",
        ("following", "given", "below", "above"),
    ),
    part(
        rf"\b{_TEXT_EN}\s+(?:\w+\s+)?(?:below|above|provided|given|listed|that follows?|supplied"
        rf"|attached|shown|in (?:the )?(?:input|brackets|parentheses|quotes)|i (?:have )?(?:pasted"
        rf"|posted|gave|wrote below|sent))\b",
        (
            *(
                "below",
                "above",
                "provided",
                "given",
                "listed",
                "that follow",
                "supplied",
                "attached",
            ),
            *("shown", "in the input", "in input", "brackets", "parentheses", "quotes", "i gave"),
            *("i pasted", "have pasted", "i posted", "have posted", "have gave", "i sent"),
            *("wrote below", "have sent"),
        ),
    ),
    part(
        rf"\beach of (?:the|these|those) {_TEXT_EN}\b(?!\s+(?:of|in|that))",
        ("each of",),
    ),
    part(
        r"\bunderlined (?:word|part|phrase|section)s?\b|\bthe bullet points\b",
        ("underlined", "the bullet points"),
    ),
)
_WORK_EN = (
    r"(?:summari[sz]e|translate|paraphrase|rewrite|rephrase|reword|proofread|edit|correct|fix"
    r"|revise|shorten|simplify|classify|categori[sz]e|punctuate|improve|polish|condense|expand"
    r"|extract|identify|find|determine|decide|detect|underline|highlight|analy[sz]e|label|count"
    r"|unscramble|reorder|rearrange|combine|sort|arrange|order|complete|replace|convert|change"
    r"|turn|transform|rate|evaluate|judge|read|reply to|respond to|answer|solve|break|split"
    r"|using|use|based on|according to|given|from|look at|does|do|is|what|which|who|how|add"
    r"|remove|make|rank|choose|pick|select|fill|point out|tell|compare|debug|refactor|put)"
)
_DEFINITE = ("the", "this", "these", "those", "my", "both")
_WORKS_ON_EN = (
    rf"(?:please\s+|can you\s+|could you\s+)?{_WORK_EN}\b[^.?!:\n]{{0,60}}?"
    rf"\b(?:the|this|these|those|my|both|both of the)\s+(?:\w+\s+)?{_TEXT_EN}\b"
    r"(?!\s+(?:of|about|by|on|for|between|that|which|who|called|from|used|with|['’\"“‘«])"
    r"|\w*['’]s)"
)
_DEFINITE_EN = (
    part(rf"^{_WORKS_ON_EN}", _DEFINITE),
    # Begins with one of few characters, so that the search jumps to it.
    part(rf"[.?!,](?:(?<=,)|\s)\s*{_WORKS_ON_EN}", _DEFINITE),
    part(rf"^given (?:an?|the|two|some|three)\s+(?:\w+\s+){{0,2}}{_TEXT_EN}\b", ("given",)),
)
_BARE_EN = re.compile(
    r"\s*(?:please\s+)?(?:summari[sz]e|translate|paraphrase|rewrite|proofread|shorten|simplify"
    r"|rephrase|classify|punctuate|edit|correct|fix|continue)\s*(?:this|that|it|these|them)?\s*"
    r"(?:(?:in|into|to|from|as|using|so)\b[^.?!:\n]{0,60})?[.!]?\s*",
    re.IGNORECASE,
)
_TEXT_KO = (
    r"(?:글|문장|문단|단락|텍스트|기사|대화문?|목록|리스트|단어|낱말|표|시|이메일|메일|편지|리뷰"
    r"|후기|코드"
    r"|문제|질문|데이터|자료|숫자|수|내용|항목|지문|본문|이야기|보기|진술|주장|논증|발표문|연설문"
    r"|회의록|보고서"
    r"|구절|어구|표현|속담|초록|원고|에세이|자기소개서|댓글|메시지|문자|방정식|수식|식|사례|상황"
    r"|정보|예문"
    r"|설명|명언|인용문|가사|노랫말|제목|레시피|문서|구문|초안|수필|논문|값|시나리오|대본|요청"
    r"|이름|두 \S+)"
)
_WORK_KO = (
    r"(?:요약|번역|교정|수정|고쳐|다듬|바꿔|바꾸|분류|옮겨|옮기|정리해|줄여|줄이|찾아|찾으|분석"
    r"|평가|판단"
    r"|정렬|나열|추출|풀어|푸세|푸시|풀이|완성|채워|채우|해석|파악|검토|판별|구하|골라|고르|구분"
    r"|늘려|답장"
    r"|이어|변환|읽고|읽어|밑줄|배열)"
)
_POINTER_KO = (
    part(
        rf"(?<![가-힣])(?:위 ?|위의 ?|밑줄 친 ?|입력된 ?|나열된 ?|보기의 ?)\s*(?:나오는\s*"
        rf"|있는\s*)?"
        rf"(?:[가-힣]{{1,6}}\s+)?{_TEXT_KO}(?:들)?(?:을|를|은|는|이|가|의|에|에서|과|와|로|으로|중|속"
        rf"|만|도)?(?![가-힣])",
        ("위", "밑줄 친", "입력된", "나열된", "보기의"),
    ),
    part(
        r"아래에\s+(?:적힌|있는|나온|나열된|제시된)|(?:(?:^|[.?!\n,:])\s*다음|(?<![가-힣])(?:아래"
        r"|아래의|다음의|주어진|제시된|제공된))\s+(?!(?:주|주말|폴더|항목부터|달|해|날|번|시간|학기"
        r"|시즌|편|역|정거장|정류장|차례|회|세대|단계|대|층|쪽|년|월|휴가|방학|생|기회|경기|수업|약속"
        r"|일정|버스|기차|열차|비행기|방송|예약|모임|회의|출장|여행|층|집|진료|알람|목적지|사람|턴|차"
        r"|중에|것도|배|명절)(?:[은는이가을를에의도엔에는로]|에서|까지|부터|으로|째)?(?![가-힣]))"
        r"(?:[가-힣\d]+\s+){0,2}?[가-힣]+(?:을|를|에서|의|은|는|이|가|과|와|에|로|으로)(?![가-힣])"
        r"|(?<![가-힣])(?:다음|아래)(?:을|를|의|은|는)\s+[가-힣]"
        r"|(?<![가-힣])(?:다음|아래|보기)\s*중(?!에)",
        ("다음", "아래", "주어진", "제시된", "제공된", "보기"),
    ),
    part(
        r"두 (?:문장|글|단어|낱말|진술|주장|시|그림)(?:의|을|이|은|를|가) (?:[가-힣]+ )?(?:비교"
        r"|차이|공통|모순|관계|합쳐|연결|이어|같은|서로)|밑줄 친 [가-힣]+|(?<![가-힣])(?:제시문"
        r"|지문|본문|보기)(?:을|를|에서|의)\s",
        ("두 ", "밑줄 친", "제시문", "지문", "본문", "보기"),
    ),
    part(
        rf"(?<![가-힣])이\s+(?:[가-힣]+\s+)?(?:글|문장|문단|시|기사|코드|이메일|편지|리뷰|후기|문의"
        rf"|이야기|표|지문|소설|방정식|단어|대화|연설문|보고서)(?:들)?(?:을|를|에서|의"
        rf"|에)\s[^.\n]{{0,40}}(?:{_WORK_KO}|글쓴이|주제|제목|뜻|의미|답변|답장|말하려|감정|오류|요지"
        rf"|교훈|무엇)",
        ("이 ", "이\n"),
    ),
)
_DEFINITE_KO = (
    part(
        rf"(?<![가-힣])(?:이|그|저|제가 쓴|제|내가 쓴|내|우리)\s+(?:[가-힣]+\s+)?{_TEXT_KO}(?:들)?"
        rf"(?:을|를|에서|의|이|가|은|는|에)?\s[^.?!:\n]{{0,40}}?{_WORK_KO}",
    ),
    part(
        rf"^(?:{_TEXT_KO})(?:을|를|에서|의)\s[^.?!:\n]{{0,30}}?{_WORK_KO}",
    ),
)
_BARE_KO = re.compile(
    r"\s*(?:(?:이거|이걸|이것을?|그거)\s*)?(?:(?:영어|한국어|한글|일본어|중국어|존댓말|반말|우리말"
    r"|\S{1,6}어)"
    r"(?:로|으로)\s*)?(?:[가-힣\d]+\s*(?:로|으로|이내로|줄로|하게|히|게)\s*){0,2}"
    r"(?:요약|번역|교정|수정|분류|고쳐|다듬어|줄여|바꿔|정리|옮겨|이어)\s*(?:써\s*)?"
    r"(?:해|하)?\s*(?:줘요?|주세요|주십시오|주라|라|세요|시오|십시오)?[.!~]*\s*",
)
_WRITES_PROGRAM = re.compile(
    r"\b(?:write|create|implement|build|develop|design|construct|generate|make|code|give|provide"
    r"|define|using|use)\b[^.\n]{0,60}\b(?:function|program|script|quer(?:y|ies)|regex\w*"
    r"|regular expression|class|method|algorithm|api|app|application|command|model|sql|code"
    r"|macro|formula|loop|website|page|html|css|python|java\w*|tool|bot|template|prompt)\b"
    r"|함수|프로그램|스크립트|쿼리|정규식|정규 표현식|알고리즘|클래스|메서드|명령어|수식을 (?:만들"
    r"|작성)",
    re.IGNORECASE,
)
_ABOUT_WORK = re.compile(
    r"\b(?:how (?:to|do|can|should|would|does)|tips|steps (?:to|for)|way to|ways to|advice|guide"
    r"|what is an?|what are|explain what)\b|방법|요령|(?<!맞춤)(?<!문)법을|하는 법|비결|팁|할 때"
    r"|주의할|[쓸할볼읽을] 때|란 무엇|이란",
    re.IGNORECASE,
)
_STANDS_IN = re.compile(
    r"\s*[\[(<{]+[^\W\d]?[^\[\]<>(){},;=\n]{0,60}[\])>}]+\s*|\s*[-–—.…_]+\s*", re.IGNORECASE
)
_QUOTED = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|(?<!\w)'([^'\n]{2,})'(?!\w)|‘([^’\n]{2,})’|`([^`]+)`|«([^»]+)»"
    r"|「([^」]+)」|『([^』]+)』|\*\*([^*]+)\*\*"
)
_NUMBERS = re.compile(
    r"\d[\d.,/]*\s*(?:,|and|&|와|과|[-+*/x×÷=<>^])\s*\d|\d\s*[=+*/×÷^]|[a-z]\s*[=+]\s*\d"
    r"|\b[a-z]\^?\d?\s*[-+]\s*\d|\d[a-z]\s*[-+=]|\d,\s*\d"
)
_LIST = re.compile(r"[^,\n]+(?:,[^,\n]+){2,}")
_AFTER_MARK = re.compile(r"[:：=]\s*\S|\n\s*\S|\s[-–—]\s\S|[\[(<{][^\])>}]{3,}[\])>}]|->|→")
_SENTENCE = re.compile(r"(?<=[.?!])[\"”’']?\s+")
_FEWEST_QUOTED_WORDS = 3
_TAKES_WORDS = re.compile(
    r"(?:word|phrase|term|letter|name|number|noun|verb|option|item)s?\b|단어|낱말|표현|속담",
    re.IGNORECASE,
)

_IS_QUESTION = re.compile(r"\bquestions?\b|질문|물음|문제", re.IGNORECASE)


def _missing(record: RecordView) -> str | None:
    if record.input and not _STANDS_IN.fullmatch(record.input):
        return None
    text = record.instruction
    if _BARE_EN.fullmatch(text) or _BARE_KO.fullmatch(text):
        return f"nothing to work on is given: {quote(text)}"
    pointers = (
        (_POINTER_EN, _DEFINITE_EN) if record.language == "en" else (_POINTER_KO, _DEFINITE_KO)
    )
    for parts in pointers:
        found = search(parts, text, record.lower_instruction)
        if found and not _gives_material(text, found) and not _needs_none(text):
            return f"the instruction speaks of {quote(found[0])}, and the input is empty"
    return None


def _needs_none(text: str) -> bool:
    return bool(_WRITES_PROGRAM.search(text) or _ABOUT_WORK.search(text))


def _gives_material(text: str, reference: re.Match[str]) -> bool:
    """Look for the material in the instruction itself."""
    after = text[reference.start() :]
    if _AFTER_MARK.search(after) or _NUMBERS.search(text):
        return True
    # "Answer the question. Which …?": what is spoken of follows.
    if _IS_QUESTION.search(reference[0]) and "?" in text[reference.end() :]:
        return True
    words_will_do = _TAKES_WORDS.search(reference[0])
    for quoted in _QUOTED.finditer(text):
        count = len(quoted[0].split())
        if count >= _FEWEST_QUOTED_WORDS or words_will_do:
            return True
    if _LIST.search(text[reference.end() :]):
        return True
    before, *others = _SENTENCE.split(text[: reference.start()]) or [""]
    others = [before, *others][:-1] + _SENTENCE.split(after)[1:]
    return any(other.strip() and not is_request(other) for other in others)


MISSING_RULES = (
    Rule(
        "missing-input",
        ("en", "ko"),
        "serious",
        "The material of the task is missing, so the answer can only be invented.",
        _missing,
        examples=(
            Example("en", "Summarize the following article.", "The article speaks of plums."),
            Example("ko", "다음 기사를 요약하세요.", "기사는 자두를 다룹니다."),
        ),
        near_misses=(
            Example("en", "Translate the following word into French: plum", "prune"),
            Example("ko", "다음 낱말을 영어로 옮기세요: 자두", "plum입니다."),
        ),
    ),
)
