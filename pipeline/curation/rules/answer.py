"""Rules on the output as an answer: that it is one, and not an echo, an excuse or a fragment."""

import re

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView

_MAY_REPEAT = re.compile(
    r"\b(?:repeat|copy|echo|verbatim|as is|unchanged|no (?:errors?|mistakes?|changes?)|correct)\b"
    r"|그대로|반복|따라 ?(?:쓰|적|말)|맞춤법|띄어쓰기|교정|오류가 없",
    re.IGNORECASE,
)

# By folded text (see duplicates.fold). The second set are answers where the task offers them.
_NEVER_AN_ANSWER = frozenset(
    {"null", "nan", "undefined", "todo", "tbd", "output", "response", "answer", "nooutput"}
    | {"<nooutput>", "no output", "no answer", "no response", "your answer here"}
    | {"정답없음", "답변없음", "답없음", "출력없음", "내용없음", "응답없음", "출력", "답변", "응답"}
)
_SELDOM_AN_ANSWER = frozenset(
    {"n/a", "na", "none", "not applicable", "unknown", "해당없음", "없음"}
)
_MARKS_ALONE = re.compile(r"[\s.…_*~–—-]{2,}|…")

_REFUSES = re.compile(
    r"\W*(?:(?:i['’]m|i am|we are)?\s*(?:so |very |really )?(?:sorry|afraid)|(?:i )?apologi[sz]e|"
    r"unfortunately)?[,.]?\s*(?:but\s+|for\b[^.,]{0,40}[,.]\s*(?:but\s+)?)?"
    r"(?:as an? [^,.]{0,40},\s*)?"
    r"i\s*(?:can['’]?t|cannot|can not|am not able to|['’]m not able to|am unable to|['’]m unable to"
    r"|do not have access|don['’]t have access|won['’]t be able to|will not)\s*"
    r"(?:to\s+)?(?:\w+ly\s+)?"
    r"(?:assist|help (?:you )?with|provide|fulfill?|comply|answer|generate|create|complete|process"
    r"|access|browse|open|view|see|translate|write|produce|perform|the|your|any|real)\b"
    r"|\W*(?:죄송|미안|안타깝|유감)[^.!?\n]{0,90}?(?:수가?|도움이?|답변이?|제공이?|처리가?)\s*"
    r"(?:는\s*)?(?:없|못|어렵|불가)"
    r"|\W*(?:죄송|미안|안타깝|유감)[^.!?\n]{0,60}기(?:는|가)?\s*(?:어렵|힘들|곤란)"
    r"|\W*(?:요청하신|해당 요청|저는)[^.!?\n]{0,70}(?:제공|답변|수행|처리|생성|확인|도와|접근|작성)"
    r"[^.!?\n]{0,8}수\s*없",
    re.IGNORECASE,
)
# Where someone in the text is to decline, or speaks in a role, such words are the answer itself.
_ASKS_TO_DECLINE = re.compile(
    r"\b(?:apolog|declin|refus|reject|turn(?:ing)? down|regret|dialog|conversation|role|script"
    r"|customer|excuse)|사과|거절|사양|대화|대본|역할|고객|변명|반려",
    re.IGNORECASE,
)

_CERTAIN_SELF = re.compile(
    r"\bas an? (?:large |ai |artificial intelligence )*(?:language model|ai (?:model|assistant))\b"
    r"|\bmy (?:knowledge cut-?off|training data)\b"
    r"|\bi(?:['’]m| am) (?:chatgpt|qwen|gemini|claude)\b"
    r"|\b(?:trained|created|developed) by (?:openai|alibaba|anthropic|google deepmind)\b"
    r"|(?:AI|인공지능)\s*(?:언어\s*)?(?:모델|어시스턴트|비서)"
    r"(?:로서|로써|이기 때문|이라서|이므로|입니다)"
    r"|언어\s*모델(?:로서|로써|이기 때문|이라서|이므로)"
    r"|인공지능(?:으로서|이기 때문|이라서|이므로)",
    re.IGNORECASE,
)
_LIKELY_SELF = re.compile(
    r"\bi(?:['’]m| am) (?:just |only )?(?:an? )?"
    r"(?:ai|artificial intelligence|chatbot|language model)\b"
    r"|\b(?:as|being) an (?:ai|artificial intelligence)\b,?"
    r"|저는\s*(?:단지\s*)?(?:인공지능|AI|챗봇|언어\s*모델)",
    re.IGNORECASE,
)
_ABOUT_MACHINES = re.compile(
    r"\b(?:ais?|artificial intelligence|robots?|chatbots?|assistants?|language models?|androids?)\b"
    r"|인공지능|로봇|챗봇|비서|언어 ?모델|AI",
    re.IGNORECASE,
)


def _repeats_instruction(record: RecordView) -> str | None:
    if record.folded_output != record.folded_instruction:
        return None
    return f"the output is the instruction: {quote(record.output)}"


def _repeats_input(record: RecordView) -> str | None:
    # Not folded: restoring capitals and punctuation is a task, and its answer folds to the input.
    if not record.input or record.output.split() != record.input.split():
        return None
    if _MAY_REPEAT.search(record.instruction):
        return None
    return f"the output is the input: {quote(record.output)}"


def _not_an_answer(record: RecordView) -> str | None:
    output = record.folded_output
    offered = output in record.folded_task_text
    if (
        output in _NEVER_AN_ANSWER
        or (output in _SELDOM_AN_ANSWER and not offered)
        or (_MARKS_ALONE.fullmatch(record.output) and record.output not in record.task_text)
    ):
        return f"the whole output is {quote(record.output)}"
    return None


def _refusal(record: RecordView) -> str | None:
    found = _REFUSES.match(record.output)
    if found is None or _ASKS_TO_DECLINE.search(record.instruction):
        return None
    return f"the output begins {quote(found[0])}"


def _self_reference(record: RecordView) -> str | None:
    found = _CERTAIN_SELF.search(record.output)
    if found is None and not _ABOUT_MACHINES.search(record.task_text):
        found = _LIKELY_SELF.search(record.output)
    if found is None or found[0] in record.task_text:
        return None
    return f"the output says {quote(found[0])}"


ANSWER_RULES = (
    Rule(
        "output-repeats-instruction",
        ("en", "ko"),
        "fatal",
        "Teaches to echo the question.",
        _repeats_instruction,
        examples=(
            Example("en", "Name a red fruit.", "name a red fruit"),
            Example("ko", "붉은 과일을 말하세요.", "붉은 과일을 말하세요"),
        ),
        near_misses=(
            Example("en", "Name a red fruit.", "A red fruit is the plum."),
            Example("ko", "붉은 과일을 말하세요.", "붉은 과일은 자두입니다."),
        ),
    ),
    Rule(
        "output-repeats-input",
        ("en", "ko"),
        "serious",
        "Teaches to hand the material back untouched; proofreading and copying may.",
        _repeats_input,
        examples=(
            Example(
                "en",
                "Make this sentence shorter.",
                "I like ripe plums.",
                input="I like ripe plums.",
            ),
            Example(
                "ko",
                "다음 문장을 짧게 줄이세요.",
                "나는 자두를 좋아한다.",
                input="나는 자두를 좋아한다.",
            ),
        ),
        near_misses=(
            Example("en", "Restore the capitals.", "I like plums.", input="i like plums"),
            Example("ko", "맞춤법을 바로잡으세요.", "자두가 좋다.", input="자두가 좋다."),
        ),
    ),
    Rule(
        "not-an-answer",
        ("en", "ko"),
        "fatal",
        "A filler such as N/A stands where the answer should.",
        _not_an_answer,
        examples=(
            Example("en", "Name a red fruit.", "N/A"),
            Example("ko", "붉은 과일을 말하세요.", "정답 없음"),
        ),
        near_misses=(
            Example("en", "Name the error, or say None.", "None", input="x = 1"),
            Example("ko", "오류를 쓰고, 없으면 '없음'이라고 쓰세요.", "없음", input="자두가 좋다."),
        ),
    ),
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
    Rule(
        "self-reference",
        ("en", "ko"),
        "serious",
        "The teacher speaks of itself; the student is another model.",
        _self_reference,
        examples=(
            Example("en", "Name your favourite fruit.", "As an AI language model, I eat none."),
            Example("ko", "좋아하는 과일을 말하세요.", "AI 언어 모델로서 저는 먹지 않습니다."),
        ),
        near_misses=(
            Example("en", "Write a robot's first words.", "Hello, I am an AI."),
            Example("ko", "로봇의 첫마디를 쓰세요.", "저는 인공지능입니다."),
        ),
    ),
)
