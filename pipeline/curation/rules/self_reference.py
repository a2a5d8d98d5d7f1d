"""The rule on the teacher speaking of itself as a machine: its training, makers, cut-off.

In stories, dialogues and questions about machines the same words are the answer itself. Linear in
the output, most of which is only searched for a few plain words.
"""

import re

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView, holds_any

_ITSELF_EN = (
    r"(?:large |ai[- ]|artificial intelligence |text-based |virtual |digital |machine[- ]learning "
    r"|computer |conversational |trained )"
)
_CERTAIN_SELF = re.compile(
    rf"\b(?:as|being|since i am|since i['’]m|i am|i['’]m|only|just) (?:(?:just|only"
    rf"|merely) )?(?:an? |your )?{_ITSELF_EN}*"
    rf"(?:language model|{_ITSELF_EN}(?:model|assistants?|program|chatbot|system|ai|bot)"
    rf"|neural network)\b"
    r"|\bas an? (?:large |ai |artificial intelligence )*(?:language model|ai (?:model|assistant))\b"
    r"|\b(?:my|last|latest) (?:\w+ )?(?:knowledge (?:cut-?off|ends?|is limited|was last|only|base)"
    r"|training (?:data|cut-?off|only|ends?|update|includes)"
    r"|data only (?:goes|go|extends)|knowledge (?:only )?(?:goes|extends|stops))"
    r"|\b(?:my|the) last (?:\w+ )?(?:training )?update\b|\bmy (?:knowledge )?cut-?off\b"
    r"|\bmy (?:developers|programming|programmers|algorithms)\b"
    r"|\b(?:text|data) (?:that )?i (?:was|have been) trained on\b|\bi was (?:trained|programmed)\b"
    r"|\bi(?: am|['’]m) (?:not (?:a )?human|programmed)\b"
    r"|\bi(?: was|['’]m| am) (?:created|developed|made|built) by (?:a team|openai|alibaba"
    r"|anthropic|google|meta|researchers|engineers)\b"
    r"|\bai (?:systems?|models?|assistants?) like (?:me|myself)\b"
    r"|\bi(?:['’]m| am) (?:chatgpt|qwen|gemini|claude|gpt)\b"
    r"|\b(?:trained|created|developed) by (?:openai|alibaba|anthropic|google deepmind)\b"
    r"|(?:AI|인공지능|가상|디지털)\s*(?:언어\s*)?(?:모델|어시스턴트|비서|챗봇|시스템"
    r"|프로그램)(?:인|로서|로써|이기 때문|이라서?|이므로|이어서|여서|이며|입니다|이에요|예요|이다"
    r"|일 뿐|라서|이지만|이니)"
    r"|(?<![가-힣])(?:저|나)와 같은 (?:인공지능|AI|챗봇)|(?<![가-힣])본 (?:인공지능|AI|챗봇)"
    r"|(?:저는|나는|전|난) (?:챗GPT|챗지피티|ChatGPT|Qwen|클로드|제미나이)"
    r"|(?:저는|나는|전|난) (?:AI|인공지능)(?:라|야|이야|이라|예요|입니다)|(?:만든|개발한) (?:Qwen"
    r"|챗GPT|AI)|(?:AI|인공지능)\s*(?:[가-힣]{1,4}\s*)?(?:챗봇|모델|비서)?(?:으로서|로서|인 저"
    r"|인 제|지만,? (?:진심|저|제))"
    r"|언어\s*모델(?:인|로서|로써|이기 때문|이라서?|이므로|이지만|입니다|이에요|일 뿐|이니)"
    r"|(?:인공지능|AI)(?:으로서|로서|이기 때문|이라서?|이므로|라서|이지만|이다 ?보니|인 저|인 제"
    r"|일 뿐)"
    r"|(?:제|저의|나의|내) (?:학습|훈련)(?:된)?\s*(?:데이터|자료|시점|은|는|이|에)|(?:제가|저는"
    r"|내가|나는)[^.\n]{0,20}(?:학습|훈련)(?:한|된|했|받|되)[가-힣]*"
    r"|(?:제|저의) (?:지식|정보|데이터)(?:은|는|이|가)[^.\n]{0,25}(?:까지|기준|업데이트|갱신)"
    r"|저를 (?:개발|만든|만드)"
    r"|저는[^.\n]{0,30}(?:프로그램(?:이|입|일|이라)|챗봇|기계(?:이|입|라|일)|로봇(?:이|입|일)"
    r"|사람이 아니|인간이 아니|프로그래밍)|저 같은 (?:AI|인공지능|챗봇)"
    r"|(?:오픈AI|알리바바|구글|네이버|메타|OpenAI|Alibaba|Google)(?:에서|이|가"
    r"|에 의해)\s*(?:저를 )?(?:개발|만든|만들|훈련|학습)",
    re.IGNORECASE,
)
_LIKELY_SELF = re.compile(
    r"\bi(?:['’]m| am) (?:just |only )?(?:an? )?"
    r"(?:ai|artificial intelligence|chatbot|language model|bot|robot|machine|virtual assistant)\b"
    r"|\b(?:as|being) an (?:ai|artificial intelligence)\b,?"
    r"|저는\s*(?:단지\s*)?(?:인공지능|AI|챗봇|언어\s*모델)",
    re.IGNORECASE,
)
# Stories and dialogues of machines, and questions about them.
_ABOUT_MACHINES = re.compile(
    r"\b(?:ais?|artificial intelligence|robots?|chatbots?|assistants?|language models?|androids?"
    r"|gpt\w*|neural networks?|machine learning|models?)\b"
    r"|(?<![a-z])ai(?![a-z])|인공지능|로봇|챗봇|비서|언어 ?모델|학습|모델",
    re.IGNORECASE,
)
_MARKS_SELF = (
    "artificial",
    *(
        "model",
        "assistant",
        " ai",
        "ai ",
        "ai,",
        "neural",
        "chatbot",
        "my training",
        "my knowledge",
    ),
    *(
        "my data",
        "my last",
        "my latest",
        "last update",
        "last training",
        "cut-off",
        "cutoff",
        "trained on",
    ),
    *(
        "my dev",
        "my prog",
        "my algo",
        "i was ",
        "not human",
        "not a human",
        "programmed",
        "created by",
    ),
    *(
        "developed by",
        "chatgpt",
        "qwen",
        "claude",
        "gemini",
        "computer program",
        "openai",
        " bot ",
        " bot.",
        " bot,",
    ),
    *("digital ", "virtual ", "trained by", "built by", "made by", "robot", "machine"),
)
_MARKS_SELF_KO = (
    *(
        "ai",
        "인공지능",
        "모델",
        "어시스턴트",
        "비서",
        "챗",
        "클로드",
        "제미나이",
        "qwen",
        "학습",
        "훈련",
    ),
    *(
        "저의 ",
        "제 지식",
        "제 정보",
        "제 데이터",
        "저를",
        "사람이 아",
        "인간이 아",
        "프로그램",
        "기계",
        "로봇",
    ),
    *("저는 프로", "gpt", "프로그래밍"),
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_PLAYS_MACHINE = re.compile(
    r"\b(?:write|stor(?:y|ies)|dialog\w*|scene|script|character|role|pretend|imagine|act as|poem"
    r"|speech|monologue|explain|describe|what)\b"
    r"|이야기|소설|대사|대화|대본|독백|첫마디|역할|시를|설명|무엇",
    re.IGNORECASE,
)


def _self_reference(record: RecordView) -> str | None:
    marks = _MARKS_SELF if record.language == "en" else _MARKS_SELF_KO
    marks = tuple(mark for mark in marks if mark in record.lower_output)
    if not marks:
        return None
    # The patterns are dear and stay within a sentence: only those with a mark are read.
    sentences = [
        sentence
        for sentence in _SENTENCE_END.split(record.output)
        if holds_any(sentence.lower(), marks)
    ]
    found = _find_in(sentences, _CERTAIN_SELF)
    about_machines = _ABOUT_MACHINES.search(record.task_text)
    if found is None and not about_machines:
        found = _find_in(sentences, _LIKELY_SELF)
    if found is None or found in record.task_text or _CERTAIN_SELF.search(record.input):
        return None
    if about_machines and _PLAYS_MACHINE.search(record.instruction):
        return None
    return f"the output says {quote(found)}"


def _find_in(sentences: list[str], pattern: re.Pattern[str]) -> str | None:
    found = next(filter(None, map(pattern.search, sentences)), None)
    return None if found is None else found[0]


SELF_REFERENCE_RULE = Rule(
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
)
