"""The rule on the teacher declining, or asking back instead of answering.

A refusal stands at the head of the output, so its first 400 characters are read, and of those the
sentences up to the third. Where the task lets somebody else decline or speak (a reply to a
customer, a dialogue), only forms that name the task itself count. Linear in the output.
"""

import re

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.self_reference import SELF_REFERENCE_RULE
from pipeline.curation.rules.view import RecordView, holds_any

_HEAD = 400
_SERVE = (
    r"(?:assist|help\b(?! but)|provide|fulfil|comply|answer|generat|creat|complet|process|access"
    r"|brows|open"
    r"|view|see\b|watch|translat|writ|produc|perform|giv|suggest|recommend|rat[ei]|describ|respond"
    r"|mak|tell|discuss|predict|offer|shar|support|continu|identif|determin|analy|summari|explain"
    r"|recit|advis|comment|do (?:this|that)|engage|participat|meet|execut|classif|correct|edit"
    r"|the\b|your\b|any\b|real)"
)
_CANNOT = (
    r"(?:can['’]?t|cannot|can not|am not able to|['’]m not able to|am unable to|['’]m unable to"
    r"|won['’]t be able to|will not be able to|won['’]t|will not|must decline to|have to decline to"
    r"|am not allowed to|['’]m not allowed to|could not|couldn['’]t|am not in a position to"
    r"|['’]m not in a position to)"
)
_REFUSES = re.compile(
    # At the head of a sentence, after an excuse.
    rf"\bi\s*{_CANNOT}\s+(?:to\s+)?(?:\w+ly\s+|actually\s+|even\s+)?{_SERVE}"
    r"|\bi (?:do not|don['’]t) (?:have (?:access|enough|any|information|the ability|personal"
    r"|opinions|the (?:necessary|required))|feel comfortable|understand (?:your|the|this|what))"
    r"|\bi (?:did not|didn['’]t|could not|couldn['’]t) (?:understand|quite understand|find (?:the"
    r"|any) (?:text|input))"
    r"|\bi (?:must|have to|need to|will have to) (?:decline|refuse|pass)\b"
    r"|\bi(?:['’]d| would) (?:rather not|prefer not to)\b|\bi prefer not to\b"
    r"|\bi (?:have no|lack) (?:information|access|knowledge|way)\b"
    r"|\bi(?: am|['’]m) not (?:comfortable|qualified|programmed|permitted)\b"
    r"|\bit (?:is|would be|would not be|is not|['’]s) (?:not )?(?:possible|impossible|appropriate"
    r"|inappropriate|unethical) for me\b|\bit is impossible for me\b"
    r"|\b(?:beyond|outside|not within) (?:of )?my (?:\w+ )?(?:capabilit|abilit|scope|knowledge"
    r"|expertise)"
    r"|\b(?:as|that) (?:is|would be) against my\b",
    re.IGNORECASE,
)
_ASKS_BACK = re.compile(
    r"\b(?:please|kindly)\s+(?:provide|specify|share|enter|give me|send(?: me)?|paste|rephrase"
    r"|clarify"
    r"|tell me|supply|upload|include|input|let me know (?:the|which|what|more))\b"
    r"|\b(?:could|can|would) you (?:please |kindly )?(?:provide|specify|share|enter|give me|send"
    r"|paste"
    r"|rephrase|clarify|tell me|supply|upload)\b"
    r"|\b(?:i(?:['’]ll| will)?|we) (?:need|require) (?:some |a (?:bit|little) )?(?:more|further"
    r"|additional|the (?:text|input))\b"
    r"|\bnot enough (?:information|context|details?)\b|\binsufficient (?:information|context"
    r"|details?)\b"
    r"|\bno (?:\w+ ){1,3}(?:was|were|has been|have been|is) (?:given|provided|included|attached"
    r"|specified)\b"
    r"|\b(?:you (?:did not|didn['’]t|have not|haven['’]t) (?:provide|give|include|share|specif"
    r"|attach)\w*)"
    r"|\b(?:there (?:is|was) no|i (?:do not|don['’]t) see (?:any|a|the)|without) (?:text|input"
    r"|passage|sentence"
    r"|article|list|content|paragraph|attachment)"
    r"|\bsince no (?:\w+ )?(?:was|is|were)\b|\bseems (?:like |that )?(?:you|the (?:text|input"
    r"|article))\b"
    r"[^.]{0,30}\b(?:forgot|not|missing|did)",
    re.IGNORECASE,
)
_REFUSES_KO = re.compile(
    r"(?:알려|제공|답변|도움|도와|말씀|안내|작성|생성|대답|추천|처리|수행|제시|조언|번역|계산|요약"
    r"|창작|설명|답을?"
    r"|의견을?|접근|확인|써|쓰는|만들어|지어|해)\s?[가-힣 ]{0,16}?"
    r"(?:수(?:가|는|도)?\s*없(?:습|어|네|는|음|을|기|다)|드리지 ?못|하지 ?못합|못 ?해 ?드|기(?:가"
    r"|는|에)?\s*(?:어렵|힘들|곤란)|불가능|불가합|않겠습|해 드리지 않)"
    r"|(?:쓸|지을|만들|드릴|답할|도울|말할|구할) 수(?:가|는)? 없"
    r"|(?:능력|권한|범위|역량|분야)(?:을|를)?\s*(?:밖|벗어|넘어|아니)"
    r"|이해하지 ?못했|이해가 되지 않|(?:기능|서비스)(?:을|를)?\s*(?:제공|지원)하지 않"
    r"|(?:답|답변|정보)(?:을|를)?\s*(?:가지고 있지|갖고 있지|알지) (?:않|못)|(?:좀|많이"
    r"|조금)?\s*어려울 것 같(?:아요|습니다|네요)\s*[.,]?\s*(?:미안|죄송)",
)
_ASKS_BACK_KO = re.compile(
    r"(?:입력|알려|보내|제공|첨부|말씀|공유|적어|올려|붙여|넣어)(?:해)?\s?(?:주시면|주셔야|주시겠"
    r"|줄래|주시기|주십시오)"
    r"|(?:정보|줄거리|내용|설명|자료|맥락)(?:가|이|을|를)?\s*(?:더\s*)?(?:필요합니다|필요해요"
    r"|부족합니다|부족해)"
    r"|(?:제공|입력|첨부|주어|포함)(?:되|하|지|하시)지?\s?(?:않았|않은|않아|않으셨)|(?:글|문장"
    r"|텍스트|내용|단어|입력|자료|파일)(?:이|가)\s*(?:없습니다|보이지 않|없어서|없네요)"
    r"|(?:글|문장|텍스트|내용|단어|자료|문단|본문)(?:을|를)\s*(?:먼저\s*)?(?:보내|알려|입력해"
    r"|제공해|올려|적어|첨부해) ?(?:주세요|주십시오|줘)"
    r"|(?:원하시나요|원하십니까)\?",
)
_WANTS_LINE = re.compile(
    r"(?:죄송|미안|안타깝|유감|정보가 없|알 수 없|없기 때문|없어서|없으므로|아니어서|때문에|저는"
    r"|제가|해당|요청|이 질문"
    r"|적절한|현재|실시간|질문에|대신|조언은|의견|도움|어렵)",
)
# Where someone in the text is to decline or ask, such words are the answer itself.
_LETS_OTHERS_SPEAK = re.compile(
    r"\b(?:apolog|declin|refus|reject|turn(?:ing)? down|regret|dialog|conversation|role|script"
    r"|customer|excuse|chatbot|say no|auto-?reply|out of office|error message|what (?:could|should"
    r"|would|can) (?:i|you) say"
    r"|what to say|no longer|cancel|complain|phrases?|greeting|reply|respond|response|quote"
    r"|line for"
    r"|interview|quiz|survey|questionnaire|form|ask\w*|request|reminder|e-?mail|letter|message"
    r"|notice"
    r"|announcement|story|scene|monologue|poem|lyrics|song|diary|journal|character|persona|prompt)"
    r"|사과|거절|사양|대화|대사|대본|역할|고객|변명|반려|할 말|문구|챗봇|상담|답장|답변을"
    r"|자동 ?응답|오류 메시지|안내 ?문|공지"
    r"|메일|편지|문자|쪽지|이야기|소설|일기|독백|시를|요청|부탁|설문|면접|질문지|양식|인물|문장"
    r"|번역",
    re.IGNORECASE,
)
_NAMES_THE_TASK = re.compile(
    r"\b(?:this|your|the|that) (?:request|task|question|dialogue|story|song|prompt|topic"
    r"|instruction|matter|query|poem|letter)\b"
    rf"|\bi\s*{_CANNOT}\s+(?:to )?(?:write|create|generate|compose|produce|draft|recommend)"
    r"|\b(?:any other question|as an ai|language model|my (?:\w+ )?(?:guidelines|programming"
    r"|capabilities)"
    r"|more information before|further details|don['’]t have access)"
    r"|요청하신|해당 (?:요청|질문)|이 (?:질문|작업|요청)|기능|정보가 필요"
    r"|주시면 [^.\n]{0,15}(?:작성|번역|요약|도와|바로|답|나누|분류|써 드|만들|지어|추천)|제 능력"
    r"|답변(?:을|드릴|할)|도움을 드릴"
    r"|대신 작성|추천을 해|것은 불가능|줄거리가 필요|(?:문장|글|단어|텍스트|문단)(?:을|를"
    r"|이) (?:제공|입력|보내|첨부|알려)|알려 드리|말씀드릴",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?。])\s+|\n+")
_SENTENCES_READ = 3
_MARKS_EN = (
    *(
        "i can",
        "i’m",
        "i'm",
        "i am",
        "i do",
        "i did",
        "i could",
        "i must",
        "i have",
        "i need",
        "i will",
    ),
    *("i won", "i'd", "i’d", "i would", "i prefer", "i lack", "it is", "it's", "it’s", "it would"),
    *("beyond", "outside", "not within", "against my", "please", "kindly", "could you", "can you"),
    *(
        "would you",
        "i'll",
        "i’ll",
        "we need",
        "require",
        "enough",
        "insufficient",
        "given",
        "seems",
    ),
    *("provided", "included", "attached", "specified", "you did", "you have", "there is no"),
    *("there was no", "without ", "see any", "see a ", "see the", "since no"),
)
_MARKS_KO = (
    *(
        "없",
        "못",
        "어렵",
        "어려",
        "불가",
        "않",
        "밖",
        "벗어",
        "주시",
        "필요",
        "원하",
        "주세요",
        "주십",
    ),
    *("힘들", "곤란", "줄래", "부족", "줘"),
)


def _refusal(record: RecordView) -> str | None:
    head = record.output[:_HEAD]
    marks, refuses, asks_back = (
        (_MARKS_EN, _REFUSES, _ASKS_BACK)
        if record.language == "en"
        else (_MARKS_KO, _REFUSES_KO, _ASKS_BACK_KO)
    )
    if not holds_any(head.lower(), marks):
        return None
    read = " ".join(_SENTENCE.split(head, _SENTENCES_READ)[:_SENTENCES_READ])
    found = refuses.search(read)
    if found is None and len(record.output) < _HEAD:
        found = asks_back.search(read)
    if found is None:
        return None
    if record.language == "ko" and not _sounds_excused(read, found):
        return None
    if _LETS_OTHERS_SPEAK.search(record.instruction) and not _NAMES_THE_TASK.search(read):
        return None
    return f"the output begins {quote(read[: found.end()][-90:])}"


def _sounds_excused(read: str, found: re.Match[str]) -> bool:
    """Tell "답변할 수 없습니다" from "그릇 없이는 만들 수 없습니다", which is about the matter.

    "내용이 이해가 되지 않았다" likewise is what a review says.
    """
    return bool(
        _WANTS_LINE.search(read)
        or "드" in found[0]
        or "주시" in found[0]
        or "주세" in found[0]
        or not ("없" in found[0] or "이해" in found[0])
    )


REFUSAL_RULES = (
    Rule(
        "refusal",
        ("en", "ko"),
        "fatal",
        "The teacher declined; the student would learn to decline ordinary tasks.",
        _refusal,
        examples=(
            Example("en", "Name a red fruit.", "I'm sorry, but I can't assist with that."),
            Example(
                "ko",
                "오늘 날씨를 알려 주세요.",
                "죄송하지만 실시간 정보는 제공해 드릴 수 없습니다.",
            ),
        ),
        near_misses=(
            Example(
                "en",
                "Decline the invitation politely.",
                "I'm sorry, but I can't see the way to come.",
                input="Party",
            ),
            Example(
                "ko",
                "초대를 정중히 거절하세요.",
                "죄송하지만 그날은 참석할 수 없습니다.",
                input="모임",
            ),
        ),
    ),
    SELF_REFERENCE_RULE,
)
