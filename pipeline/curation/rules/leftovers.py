"""Rules on what was left in by mistake: blanks, parts of the prompt, invented links.

Each is looked for only where the signs that it is made of stand in the text. Linear in the texts.
"""

import re

from pipeline.curation.rules.placeholder import PLACEHOLDER_RULE
from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView

_LABELS = (
    r"(?:instruction|input|output|response|expected output|assistant|Q|지시|지시문|지시 ?사항"
    r"|명령|과제|입력|출력|응답)"
)
_HEADED = re.compile(
    r"#{2,5}\s{0,3}(?:(?:instruction|input|output|response|task|example|human|assistant|지시|지시문"
    r"|지시사항|명령|입력|출력|질문|답변|응답|맥락|과제)\s{0,2}\d{0,2}\s{0,2}(?::|：|$|\n)|end\s*$)"
    r"|^#{3}\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_SPECIAL_TOKEN = re.compile(
    r"<\|?(?:im_start|im_end|endoftext|eot_id|user|assistant|system|end|eos|bos|pad|unk)\|?>"
    r"|^<s>\s|</s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
    r"|<\|(?:start|end)_header_id\|>|</?(?:no ?)?(?:in|out)put>|<입력 ?없음>",
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"^\s*\{\s*\"(?:instruction|input|output)\"\s*:", re.IGNORECASE)
_ABOUT_TAGS = re.compile(r"\b(?:tags?|tokens?|html|xml|strikethrough)\b|태그|토큰", re.IGNORECASE)
_LABELLED_INSTRUCTION = re.compile(
    r"\s*(?:\d+\.\s*)?(?:\*\*)?(?:instruction|task|지시|지시문|지시 ?사항|명령|과제)"
    r"\s*\d*\s*(?:\*\*)?\s*[:：]",
    re.IGNORECASE,
)
# "과제 7. 지시문: … 입력: 없음 출력:" in one line.
_FRAMED = re.compile(r"(?:지시문?|instruction) ?[:：].{0,400}(?:출력|output) ?[:：]", re.IGNORECASE)
_NUMBERED = re.compile(r"\d{1,2}[.)]\s+(?=[A-Z가-힣])")
_LABELLED_INPUT = re.compile(
    r"^(?:\*\*)?(?:input|입력)\s?(?:\*\*)?\s?[:：]", re.IGNORECASE | re.MULTILINE
)
_LABELLED_OUTPUT = re.compile(
    rf"\s*(?:\d+\.\s*)?(?:\*\*)?({_LABELS})\s*\d*\s*(?:\*\*)?\s*[:：]", re.IGNORECASE
)
# Examples in an answer have inputs and outputs; instructions and turns are the prompt's.
_NEXT_RECORD = re.compile(
    r"^[ \t]{0,3}(?:\d{1,2}\.[ \t]{0,2})?(?:\*\*)?(instruction|human|user|assistant|지시|지시문"
    r"|사용자|질문)[ \t]?\d{0,2}(?:\*\*)?[ \t]?[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_NEXT_TASK = re.compile(r"\n\n(\d{1,2})\. (?=[A-Z가-힣])")
_TURNS_ASKED_FOR = re.compile(
    r"\b(?:dialog(?:ue)?s?|conversations?|chats?|chatbot|interview|transcript|format|test cases?"
    r"|q ?& ?a|faqs?|quiz|riddles?|jokes?|questions|prompt|user stor(?:y|ies))\b|대화|대본|채팅"
    r"|인터뷰|형식|예시|예제|문답|퀴즈|수수께끼|프롬프트|입출력",
    re.IGNORECASE,
)
_SYSTEM_PROMPT = re.compile(
    r"\[(?:응답|출력|답변|입력|지시) ?(?:시작|끝)\]|^시스템 ?[:：]|^\{(?:input|instruction|입력)\}$"
    r"|Below is an instruction that describes a task|appropriately completes the request"
    r"|You are asked to come up with a set of|come up with a series of tasks"
    r"|(?:작업|과제)을?를? 설명하는 (?:명령|지시)|요청을 적절(?:히|하게) 완료하는"
)
_SYSTEM_SIGNS = (
    "task",
    "요청",
    "시스템",
    "[응답",
    "[출력",
    "[답변",
    "[입력",
    "[지시",
    "{in",
    "{입력}",
)
_EMPTY_INPUTS = frozenset(
    {"noinput", "<noinput>", "no input", "no input needed", "no input required", "not applicable"}
    | {"none", "n/a", "na", "null", "empty", "(empty)", "input", "<no input>"}
    | {"없음", "입력없음", "해당없음", "입력", "(없음)"}
)

_LINK = re.compile(r"\b(?:https?://|www\.)[^\s<>\"')\]}가-힣]+", re.IGNORECASE)
_BARE_LINK = re.compile(
    r"(?<![\w@./-])[a-z0-9-]{3,63}(?:\.[a-z0-9-]{2,63}){0,2}\.(?:com|org|net|gov|edu|kr)"
    r"/[\w./-]{2,100}|(?<![\w@./-])(?:bit\.ly|goo\.gl|t\.co|tinyurl\.com|han\.gl|me2\.do)/\w{2,40}",
    re.IGNORECASE,
)
_HOST_NAME = re.compile(r"(?:https?://)?(?:[\w-]+\.)*?([a-z0-9-]{4,})\.[a-z.]{2,6}(?:[/:?]|$)")
_RESERVED_LINK = re.compile(
    r"(?:https?://)?(?:[\w-]+\.){0,8}(?:example\.(?:com|org|net|kr|co\.kr)|localhost|w3\.org|schema\.org"
    r"|127\.0\.0\.1|0\.0\.0\.0)(?:[:/]|$)",
    re.IGNORECASE,
)


def _prompt_leftover(record: RecordView) -> str | None:
    for part, text in (
        ("instruction", record.instruction),
        ("input", record.input),
        ("output", record.output),
    ):
        found = _find_mark(text)
        if found and not (found[0][0] == "<" and _ABOUT_TAGS.search(record.instruction)):
            return f"the {part} holds {quote(found[0])}"
    return _label_of_task(record) or _label_of_output(record)


def _find_mark(text: str) -> re.Match[str] | None:
    """Find a mark that no text has by itself, of the kinds whose signs stand in it."""
    found = _HEADED.search(text) if "##" in text else None
    if found is None and ("<" in text or "INST]" in text):
        found = _SPECIAL_TOKEN.search(text)
    if found is None and text.startswith("{"):
        found = _WRAPPED.match(text)
    if found is None and any(sign in text for sign in _SYSTEM_SIGNS):
        found = _SYSTEM_PROMPT.search(text)
    return found


def _label_of_task(record: RecordView) -> str | None:
    found = _LABELLED_INSTRUCTION.match(record.instruction)
    if found is None and ":" in record.instruction:
        found = _FRAMED.search(record.instruction)
    if found:
        return f"the instruction begins with the label {quote(found[0])}"
    found = _NUMBERED.match(record.instruction)
    if found and "\n" not in record.instruction:
        return f"the instruction begins with the number {quote(found[0])}"
    if record.folded_input in _EMPTY_INPUTS:
        return f"the input says that it is empty: {quote(record.input)}"
    found = _LABELLED_INPUT.search(record.input) if ":" in record.input else None
    if found and "input" not in record.instruction.casefold():
        return f"the input holds the label {quote(found[0])}"
    return None


def _label_of_output(record: RecordView) -> str | None:
    if ":" not in record.output and "：" not in record.output and "\n\n" not in record.output:
        return None
    found = _LABELLED_OUTPUT.match(record.output) or _NEXT_RECORD.search(record.output)
    if found:
        is_the_tasks = found[1].casefold() in record.task_text.casefold()
        return None if is_the_tasks or _TURNS_ASKED_FOR.search(record.instruction) else _show(found)
    found = _NEXT_TASK.search(record.output)
    # A list counts up to where it is; the next task of the prompt's list does not.
    if found and int(found[1]) > 2 and f"{int(found[1]) - 1}." not in record.output:
        return _show(found)
    return None


def _show(found: re.Match[str]) -> str:
    return f"the output goes on with the prompt's {quote(found[0])}"


def _hallucinated_link(record: RecordView) -> str | None:
    text = record.output_prose
    if not ("://" in text or "www." in text or "WWW." in text or "/" in text):
        return None
    for pattern in (_LINK, _BARE_LINK):
        for found in pattern.finditer(text):
            link = found[0].rstrip(".,;:!?")
            if link in record.task_text or _RESERVED_LINK.match(link):
                continue
            if not _calls_named_service(record, text[: found.start()], link):
                return f"the output gives {quote(link)}"
    return None


def _calls_named_service(record: RecordView, before: str, link: str) -> bool:
    """Tell a string of code that calls the service which the task asks to call."""
    host = _HOST_NAME.match(link)
    return host is not None and before[-1:] in ("'", '"') and host[1] in record.task_text.lower()


LEFTOVER_RULES = (
    PLACEHOLDER_RULE,
    Rule(
        "prompt-leftover",
        ("en", "ko"),
        "fatal",
        "Parts of the prompt's own format became text.",
        _prompt_leftover,
        examples=(
            Example("en", "Name a fruit.\n### Input:", "Plum."),
            Example("ko", "지시: 붉은 과일을 말하세요.", "자두입니다."),
        ),
        near_misses=(
            Example("en", "Name the input device of a PC.", "Input devices: mouse, keyboard."),
            Example("ko", "지시문의 뜻을 말하세요.", "무엇을 하라고 이르는 글입니다."),
        ),
    ),
    Rule(
        "hallucinated-link",
        ("en", "ko"),
        "serious",
        "A model does not know which links exist; those of the task may be repeated.",
        _hallucinated_link,
        examples=(
            Example("en", "Where can I read on plums?", "See https://plums.org/all."),
            Example("ko", "자두에 대한 글은 어디에 있나요?", "www.jadu.kr에 있습니다."),
        ),
        near_misses=(
            Example(
                "en", "Repeat the address.", "It is https://plums.org.", input="https://plums.org"
            ),
            Example("ko", "주소를 반복하세요.", "www.jadu.kr입니다.", input="www.jadu.kr"),
            Example(
                "en",
                "Write a call to the Plumworld API.",
                "get('https://api.plumworld.org/v1/plums')",
            ),
        ),
    ),
)
