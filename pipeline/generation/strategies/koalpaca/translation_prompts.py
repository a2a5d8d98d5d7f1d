"""The words of ``koalpaca_translate``: how tasks are translated, and how they are answered anew."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from schemas.exchange import Message
from schemas.records import Language

# By the language that is wanted; the tasks come from the other one.
_TRANSLATE: dict[Language, str] = {
    "en": """\
You translate tasks for an assistant from Korean into English: the instruction of each, and its \
input.
1. Do not carry the tasks out. A question stays a question, and a text to be shortened keeps its \
length.
2. Add nothing and leave nothing out. Write as a native speaker would put such a request, not word \
by word.
3. Choose for each word the sense that it has in its task: 배 may be a ship, a pear, a belly or \
"-fold".
4. Translate the labels, headings and words that a task prescribes, and use the same ones in \
instruction and input. Romanise names of people and places.
5. Keep code, formulas, variable names, file names, numbers and links as they are. Leave no other \
Hangul.
6. An empty input stays "".
Give every task under its own number, as JSON: {"tasks": [{"number": 1, "instruction": "…", \
"input": "…"}, …]}""",
    "ko": """\
당신은 AI 도우미에게 시킬 영어 과제를 한국어로 옮깁니다. 과제마다 instruction(지시)과 \
input(입력)을 번역합니다.
1. 과제를 수행하지 않습니다. 질문은 질문으로 두고, 줄이거나 고치라는 글도 원래 내용대로 옮깁니다.
2. 덧붙이거나 빠뜨리지 않습니다. 한 단어씩 직역하지 말고, 한국 사람이 처음부터 한국어로 부탁하듯 \
자연스럽게 씁니다. 시키는 문장은 '~해 주세요'나 '~하세요'로 맺고, 대명사와 피동 표현은 줄입니다.
3. 낱말은 과제에 맞는 뜻으로 옮깁니다. odd는 '이상한'일 수도 '홀수인'일 수도 있고, letter는 \
'편지'일 수도 '글자'일 수도 있습니다.
4. 과제가 정해 준 분류 이름, 제목, 낱말도 옮기며, 지시와 입력에서 똑같은 말을 씁니다. 사람과 \
장소의 이름은 한글로 적습니다.
5. 코드, 수식, 변수 이름, 파일 이름, 숫자, 링크는 그대로 둡니다. 그 밖의 영어 문장은 남기지 \
않습니다.
6. 입력이 비어 있으면 ""로 둡니다.
과제마다 원래 번호를 붙여 JSON으로 답합니다: {"tasks": [{"number": 1, "instruction": "…", \
"input": "…"}, …]}""",
}
_ANSWER: dict[Language, str] = {
    "en": """\
You are a capable assistant. Carry out each of the numbered tasks by itself, as if you had been \
asked it alone. Write the finished answer in natural English: correct, complete, in the form that \
the instruction asks for, and nothing besides. Where one of several labels is asked for, give that \
label. Do not repeat the task, and do not mention its number or the other tasks. At most 150 words \
each, unless the instruction says otherwise.
Give every answer under the number of its task, as JSON: {"answers": [{"number": 1, "output": \
"…"}, …]}""",
    "ko": """\
당신은 유능한 AI 도우미입니다. 번호가 붙은 과제를 하나씩, 그것만 따로 부탁받은 것처럼 수행합니다. \
완성된 답을 자연스러운 한국어로 씁니다. 정확하고 빠짐없어야 하며, 지시가 정한 형식을 지키고 \
그 밖의 말은 덧붙이지 않습니다. 보기 가운데 하나를 고르라는 과제에는 고른 보기만 답합니다. \
문장으로 답할 때는 해요체나 합쇼체 가운데 하나를 끝까지 지킵니다. 과제를 되풀이하지 않으며, 번호나 \
다른 과제는 언급하지 않습니다. 지시에 다른 말이 없으면 답마다 여덟 문장을 넘지 않습니다.
답마다 해당 과제의 번호를 붙여 JSON으로 씁니다: {"answers": [{"number": 1, "output": "…"}, …]}""",
}


class Task(NamedTuple):
    """What is translated, and what is answered then."""

    instruction: str
    input: str


def ask_translation(tasks: Sequence[Task], language: Language) -> tuple[Message, ...]:
    """Show tasks of the other language, to be translated into this one."""
    return _ask(_TRANSLATE[language], tasks)


def ask_answers(tasks: Sequence[Task], language: Language) -> tuple[Message, ...]:
    """Show tasks of this language, to be answered in it."""
    return _ask(_ANSWER[language], tasks)


def _ask(rules: str, tasks: Sequence[Task]) -> tuple[Message, ...]:
    lines = [
        json.dumps({"number": number, **task._asdict()}, ensure_ascii=False)
        for number, task in enumerate(tasks, 1)
    ]
    return Message(role="system", content=rules), Message(role="user", content="\n".join(lines))


def _array_schema(name: str, parts: tuple[str, ...]) -> dict[str, Any]:
    """Wrap the array in an object, because strict endpoints refuse any other root."""
    item = {
        "type": "object",
        "properties": {
            "number": {"type": "integer"},
            **{part: {"type": "string"} for part in parts},
        },
        "required": ["number", *parts],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {name: {"type": "array", "items": item}},
        "required": [name],
        "additionalProperties": False,
    }


TRANSLATION_SCHEMA = _array_schema("tasks", ("instruction", "input"))
ANSWER_SCHEMA = _array_schema("answers", ("output",))
