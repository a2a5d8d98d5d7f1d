"""The rule on instructions that are several unrelated tasks run together.

An instruction is cut into its requests. A request goes on with the task when it points back
("it", "the story", "your answer", 그, 위), when it shares a content word with what stands before,
or when it only shapes the answer ("Explain your reasoning.", "Answer in one word."). Two requests
of which neither holds are two tasks. Labels of the prompt's format in the instruction
("Instruction: … Instruction: …") are decided by themselves. Linear in the instruction, which is
read no further than its first 6,000 characters.
"""

import re

from pipeline.curation.rules.asking import is_request
from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView

_LONGEST_READ = 6000
_LABEL = re.compile(
    r"(?:^|[\n.?!]\s*|\s)(?:\*\*|#+ ?)?(?:instruction|prompt|지시|지시문|지시 ?사항|명령)"
    r"\s*(?:no\.?\s*)?\d{0,2}\s*(?:\*\*)?\s*[:：]"
    r"|(?:^|[\n.?!]\s*|\s)(?:\*\*)?(?:task|question|exercise|과제|질문|문제"
    r"|입력)\s*\d{0,2}\s*[:：]",
    re.IGNORECASE,
)
_LATE_LABEL = re.compile(
    r"\S\s+(?:\*\*|#+ ?)?(?:(?:new )?instruction\s*\d{0,2}|task\s*[2-9]|지시(?:문"
    r"| ?사항)?\s*\d{0,2}|과제\s*[2-9]"
    r"|(?:next|another|other|new) task)\s*(?:\*\*)?\s*[:：]|(?:다른|다음|새로운|또 다른) (?:과제"
    r"|질문|지시)(?:입니다|이다|도 )",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"\"[^\"\n]{0,300}\"|“[^”\n]{0,300}”|(?<!\w)'[^'\n]{1,300}'(?!\w)|‘[^’\n]{0,300}’"
    r"|\([^()\n]{4,200}\)"
)
# Where one request may end and the next begin.
_CUT = re.compile(
    r"(?<=[.?!])[\s\"”’)]+|(?<=[a-z][.?!])(?=[A-Z])|\n+|;\s*|\s[|/]\s"
    r"|(?:^|\s)(?:\d{1,2}[.)]|[①-⑳]|[-*•]|\([가-하a-e]\))\s|(?:첫째|둘째|셋째|넷째),?\s"
    r"|(?<=[가-힣])[,.]?\s+(?:그리고|또한?|다음으로|덧붙여|아 맞다|그다음에?)\s|(?:그리고|덧붙여)\s"
    r"|,?\s+(?:and|then)\s+(?=(?:tell me (?:who|what|how|why|when|where)|give me an?)\b)"
    r"|(?<=줘),\s|(?<=요),\s",
    re.IGNORECASE,
)
# Within one sentence, where the instruction stands alone and is about no program.
_CUT_WITHIN = re.compile(
    rf"{_CUT.pattern}|,?\s+(?:and|then|and then)\s+(?:also\s+|then\s+)?(?=(?:write|compose"
    rf"|translate"
    r"|calculate|convert|advise|tell|recommend|suggest|design|describe|name|give me|what|who"
    r"|how)\b)"
    r"|(?<=[하주쓰적리르][고며]),?\s+(?!있|싶|나|난|는|또)",
    re.IGNORECASE,
)
_ONE_SUBJECT = re.compile(
    r"[:：]|\b(?:python|java\w*|sql|code|function|program|script|html|css|api)\b|함수|프로그램"
    r"|코드|파이썬",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|it['’]s|this|these|those|they|them|their|theirs|he|she|him|his|her|each"
    r"|your (?:answers?|reasoning|response|choices?|own|examples?|explanation|list|story|poem"
    r"|results?"
    r"|findings|work|code|decision|position|opinion|view)"
    r"|both|ones|same|such|result\w*|answers?|respon\w+|following|given|former|latter|others?"
    r"|another|instead|otherwise|above"
    r"|(?:if|as|where) (?:needed|necessary|possible|required|appropriate)"
    r"|there|you|correct|right|most|best|only|main|key|final"
    r"|(?:choose|pick|select) from|answer (?:in|with)|explain (?:why|how|briefly|step)|as well"
    r"|the (?:text|story|poem|lists?|sentences?|paragraph|passage|letter|email|article|essay"
    r"|function|code|program|words?|characters?|problem|question|input|output|plot"
    r"|topic|title|reader|audience|tone|differences?|reasons?|names?))\b"
    r"|(?<![가-힣])(?:그|이|저|해당|각|각각|이를|그를|이것|그것|이때|결과|답|답변|정답|이유|까닭"
    r"|근거|예시?"
    r"|앞|방금|저희|당신|본문|형식|분량|말투|단|둘|모두|풀이|과정|차이점?|장단점|어조|문체"
    r"|존댓말|반말|한 줄)"
    r"(?:은|는|이|가|을|를|의|도|에|와|과|로|으로|에는|에서|들|만|씩)?(?![가-힣])",
    re.IGNORECASE,
)
# Shapes the answer instead of asking for another: "존댓말로 쓰고", "한 줄에 하나씩", "코드만".
_SHAPES_KO = re.compile(
    r"(?:지 말고|지 마|씩|만|마다|함께|포함|이내|형식|문체|말투|체로|투로|맞춰|맞추|끝내|끝나|넣어"
    r"|넣고|섞어|빼고|담아|들어가"
    r"|하게|도록|자세히|간단히|짧게|쉽게|제목(?:을|도)? (?:붙|달)|답하|답해|말씀|고르|골라|밝혀"
    r"|덧붙|이어|다뤄|언제|얼마나"
    r"|왜|있는지|인지)(?![가-힣]{0,1}\s*(?:을|를))"
)
_OBJECT_KO = re.compile(
    r"[가-힣\d'\"’”)](?:을|를)(?![가-힣])|[은는이가]\s*\S*[?？]|[?？]|기\s*$|에 대(?:해|한)"
    r"|도 (?:[가-힣]+ ){0,2}(?:알려|지어|써|추천|만들|소개)|[가-힣]도[.!]?$"
)
# Says only that a question follows, so what follows is that question.
_ANNOUNCES = re.compile(
    r"\b(?:answer|solve|consider) (?:the|this|these) (?:following )?(?:questions?|problems?)\b"
    r"|(?:물음|질문|문제)(?:에|을|를) ?(?:답|풀|대답)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_SHAPES_ONLY = frozenset(
    "about after also answer answers because before bullet clear complete correct detail details "  # noqa: SIM905 - a list would fill a page
    "each every example examples explain explanation explanations format full give good include "
    "into length line lines list lists make more most only output paragraph paragraphs please "
    "point points provide reason reasoning reasons response sentence sentences short should show "
    "simple some step steps style text than that their then tone using what when where which with "
    "word words work write your three four five name names next finally best does "
    "설명 작성 알려 주세 주십 하세 하시 사용 포함 문장 단어 글자 한국 가지 간단 자세 이내 이상"
    " 정도 "
    "형식 방법 대해 대한 대하 관한 위한 무엇 어떤 어떻 쓰세 써주 적어 말해 답하 해주 해줘 만들"
    " 그리 주의 "
    "쓰시 말하 말씀 다음 사람 우리 이유 세요 줘요 한다 하는 있는 것을 것은".split()
)
_STEM = 5
_STEM_KO = 2
_FEWEST_CONTENT_WORDS = 2
_LEAST_SHARE = 0.5


def _merged(record: RecordView) -> str | None:
    text = record.instruction[:_LONGEST_READ]
    late = _LATE_LABEL.search(text)
    if late:
        return f"the label {quote(late[0])} stands inside the instruction"
    if (":" in text or "：" in text) and len(labels := _LABEL.findall(text)) > 1:
        return f"{len(labels)} labels such as {quote(labels[-1])} in one instruction"
    cut = _CUT if record.input or _ONE_SUBJECT.search(text) else _CUT_WITHIN
    if not cut.search(text):
        return None
    pieces = [piece.strip() for piece in cut.split(_QUOTED.sub(_without_marks, text))]
    pieces = [piece for piece in pieces if len(piece) > 1]
    asking = [_asks(piece) and not _ANNOUNCES.search(piece) for piece in pieces]
    if sum(asking) < 2 or sum(asking) < _LEAST_SHARE * len(pieces):
        return None
    return _find_unrelated(pieces, asking)


def _find_unrelated(pieces: list[str], asking: list[bool]) -> str | None:
    known: set[str] = set()
    begun = False
    strangers: list[str] = []
    for piece, asks in zip(pieces, asking, strict=True):
        words = _content(piece)
        if begun and asks and known and words and not known & words and _stands_alone(piece):
            strangers.append(piece)
            if len(words) >= _FEWEST_CONTENT_WORDS or len(strangers) > 1:
                return f"another task begins at {quote(strangers[0])}"
        begun = begun or asks
        known |= words
    return None


def _asks(piece: str) -> bool:
    """Tell a request, also one whose material follows a colon."""
    head = re.split("[:：]", piece, maxsplit=1)[0].strip() or piece
    if is_request(piece) or is_request(head):
        return True
    return bool(_OPEN_REQUEST_KO.search(piece) or _OPEN_REQUEST_KO.search(head))


# A request that goes on ("…만들어 주고,"), leaves its verb out ("인사말도.") or begins in capitals
# ("HTML로 …써 줘."), which elsewhere are SQL.
_OPEN_REQUEST_KO = re.compile(
    r"[을를] [^.]*[고며]$|[가-힣] 주(?:고|시고|며)$|(?:인사말|시|글)도$"
    r"|[가-힣] (?:줘|주세요|주십시오)[.!]?$"
)


def _stands_alone(piece: str) -> bool:
    if _POINTS_BACK.search(piece):
        return False
    if not any("가" <= letter <= "힣" for letter in piece):
        return True
    return bool(_OBJECT_KO.search(piece)) and not _SHAPES_KO.search(piece)


def _without_marks(found: re.Match[str]) -> str:
    """Keep the words of quoted material, but no mark that would cut a request in two."""
    return re.sub(r"[.?!;\n/|]", " ", found[0])


def _content(sentence: str) -> set[str]:
    """Stems of the words that say what a request is about."""
    words = (word.casefold() for word in _WORD.findall(sentence))
    return {
        word[: _STEM_KO if "가" <= word[0] <= "힣" else _STEM] for word in words if _tells(word)
    }


def _tells(word: str) -> bool:
    if "가" <= word[0] <= "힣":
        return len(word) >= _STEM_KO and word[:_STEM_KO] not in _SHAPES_ONLY
    return len(word) >= 4 and word not in _SHAPES_ONLY


MERGED_RULES = (
    Rule(
        "merged-instructions",
        ("en", "ko"),
        "serious",
        "Several unrelated tasks under one answer; the student would learn neither well.",
        _merged,
        examples=(
            Example(
                "en",
                "Name the largest planet. Write a haiku about an umbrella.",
                "Jupiter. A folded black wing / opens over my wet day / and I walk in dusk.",
            ),
            Example(
                "ko",
                "가장 큰 행성을 말하세요. 우산에 대한 짧은 시를 쓰세요.",
                "목성입니다. 비 오는 날 펴지는 검은 꽃.",
            ),
        ),
        near_misses=(
            Example(
                "en",
                "Name the largest planet. Explain how it was found.",
                "Jupiter has been known since antiquity, as it is bright to the naked eye.",
            ),
            Example(
                "en",
                "Describe the house on the list. Invent particulars if needed.",
                "A bright house with three rooms and an old pear tree behind the kitchen.",
            ),
            Example(
                "ko",
                "가장 큰 행성을 말하세요. 그 행성의 특징도 설명하세요.",
                "목성입니다. 기체로 되어 있습니다.",
            ),
        ),
    ),
)
