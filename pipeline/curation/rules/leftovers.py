"""Rules on what was left in by mistake: blanks to fill in, parts of the prompt, invented links."""

import re

from pipeline.curation.rules.rule import Example, Rule, quote
from pipeline.curation.rules.view import RecordView, without_code

_BLANK = re.compile(
    r"\[(?:(?:your|my|the|recipient|sender|company|client|customer|manager|employee|friend|product"
    r"|business|school|first|last|full)(?:['’]s)?\s[^\]\n(]{1,40}|name|date|address"
    r"|phone(?: number)?"
    r"|email(?: address)?|company|title|position|city|state|signature|insert[^\]\n]{0,40}"
    r"|link|url|[^\]\n]{0,30}\bhere)\](?!\()"
    r"|<(?:your|insert)[ _][^>\n]{1,40}>|\blorem ipsum\b|\{\{\s*\w+\s*\}\}"
    r"|\[(?:(?:귀하|본인|고객|회사|받는|보내는|상대방|담당자|수신|발신|작성자|지원자|학생|친구|제품|상품)"
    r"[^\]\n(]{0,20}|이름|성명|성함|날짜|일자|주소|전화 ?번호|연락처|이메일(?: 주소)?|부서명?|직책"
    r"|직함|제목|학교명?|링크|여기에[^\]\n]{0,30}|[^\]\n]{0,20}(?:입력|삽입|기입)[^\]\n]{0,10})\](?!\()"
    r"|(?:OOO|○○○|◯◯◯|XXX)(?=\s*(?:드림|올림|배상|귀하))",
    re.IGNORECASE,
)
_ASKS_FOR_BLANKS = re.compile(
    r"\b(?:templates?|form letter|forms?|placeholders?|blanks?|mail merge|boilerplate|brackets?"
    r"|fill[- ]in|variables?)\b|양식|서식|템플릿|빈칸|괄호|틀을|변수|문안 틀|자리 ?표시",
    re.IGNORECASE,
)

_PROMPT_MARK = re.compile(
    r"(?:^|\n)\s*#{2,5}\s*(?:instruction|input|output|response|task|example|human|assistant|지시"
    r"|지시문|지시사항|명령|입력|출력|질문|답변|응답|맥락|과제)\b\s*\d*\s*:?"
    r"|<\|?(?:im_start|im_end|endoftext|eot_id|user|assistant|system|end)\|>|</s>|\[/?INST\]"
    r"|<(?:start|end)_of_turn>|<no(?:in|out)put>|^\s*\{\s*\"(?:instruction|input|output)\"\s*:",
    re.IGNORECASE,
)
_LABELLED_INSTRUCTION = re.compile(
    r"\s*(?:\d+\.\s*)?(?:\*\*)?(?:instruction|task|지시|지시문|지시 ?사항|명령|과제)"
    r"\s*\d*\s*(?:\*\*)?\s*[:：]",
    re.IGNORECASE,
)
_LABELLED_OUTPUT = re.compile(
    r"\s*(?:\*\*)?(?:instruction|input|output|response|expected output|지시|입력|출력|응답)"
    r"\s*\d*\s*(?:\*\*)?\s*[:：]",
    re.IGNORECASE,
)
_EMPTY_INPUTS = frozenset(
    {"noinput", "<noinput>", "no input", "no input needed", "no input required", "not applicable"}
    | {"none", "n/a", "na", "null", "empty", "(empty)", "input"}
    | {"없음", "입력없음", "해당없음", "입력", "(없음)"}
)

_LINK = re.compile(r"\b(?:https?://|www\.)[^\s<>\"')\]}가-힣]+", re.IGNORECASE)
_RESERVED_LINK = re.compile(
    r"(?:https?://)?(?:[\w-]+\.)*(?:example\.(?:com|org|net|kr|co\.kr)|localhost|w3\.org|schema\.org"
    r"|127\.0\.0\.1|0\.0\.0\.0)(?:[:/]|$)",
    re.IGNORECASE,
)


def _placeholder(record: RecordView) -> str | None:
    if _ASKS_FOR_BLANKS.search(record.instruction):
        return None
    for part, text in (("instruction", record.instruction), ("output", record.output)):
        found = _BLANK.search(without_code(text))
        if found and (part == "instruction" or found[0] not in record.task_text):
            return f"the {part} leaves {quote(found[0])} blank"
    return None


def _prompt_leftover(record: RecordView) -> str | None:
    for part, text in (
        ("instruction", record.instruction),
        ("input", record.input),
        ("output", record.output),
    ):
        found = _PROMPT_MARK.search(text)
        if found:
            return f"the {part} holds {quote(found[0])}"
    found = _LABELLED_INSTRUCTION.match(record.instruction)
    if found:
        return f"the instruction begins with the label {quote(found[0])}"
    found = _LABELLED_OUTPUT.match(record.output)
    if found and found[0].strip().casefold() not in record.task_text.casefold():
        return f"the output begins with the label {quote(found[0])}"
    if record.folded_input in _EMPTY_INPUTS:
        return f"the input says that it is empty: {quote(record.input)}"
    return None


def _hallucinated_link(record: RecordView) -> str | None:
    for found in _LINK.finditer(record.output_prose):
        link = found[0].rstrip(".,;:!?")
        if link not in record.task_text and not _RESERVED_LINK.match(link):
            return f"the output gives {quote(link)}"
    return None


LEFTOVER_RULES = (
    Rule(
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
        ),
    ),
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
        ),
    ),
)
