"""Self-instruct with one JSON record an answer, in English and Korean.

One record and not a list: the embedded teacher, a 1.5B model, writes the first record of a list
with care and then varies it, and a cut answer loses one record only. The examples stand as turns
of the conversation, each a kind of task asked for and a record given: a small model continues a
pattern far better than it follows a description of one. The schema has no maxLength, because a
grammar then cuts the text in mid-sentence.
"""

import json
from typing import Any

from pipeline.generation.sampling import Draw, Example
from pipeline.generation.strategies.kinds import KINDS
from pipeline.generation.strategies.reading.drafting import make_drafts
from pipeline.generation.strategies.reading.loose_json import find_records
from pipeline.generation.strategies.strategy import ExampleSampler, Strategy, parse_only_answer
from schemas.exchange import Completion, Decoding, Message, Prompt
from schemas.records import Draft, Language, TaskType

RECORD_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "instruction": {"type": "string"},
        "input": {"type": "string"},
        "output": {"type": "string"},
    },
    "required": ["instruction", "input", "output"],
    "additionalProperties": False,
}

_SYSTEM: dict[Language, str] = {
    "en": """\
You invent varied tasks for an assistant. Each is a JSON object.
"instruction": what a person asks for, clear by itself.
"input": the text or data to work on, written out in full; "" if none is needed.
"output": the correct, finished answer to the instruction, at most 120 words.
Each task is about a new subject, with new names and numbers. Everything is in English, except \
text that is translated from or into another language.""",
    "ko": """\
당신은 AI 도우미에게 시킬 다양한 과제를 지어냅니다. 과제는 JSON 객체 하나입니다.
"instruction": 사람이 부탁하는 내용. 그것만 읽어도 뜻이 분명해야 합니다.
"input": 지시에 필요한 글이나 자료 전체. 필요 없으면 "".
"output": 지시에 대한 정확하고 완성된 답. 다섯 문장 이내.
과제마다 소재, 이름, 숫자를 새로 고릅니다. 번역 과제의 외국어 원문과 번역문 말고는 모두 자연스러운 \
한국어로 씁니다.""",
}

_ASK: dict[Language, str] = {
    "en": "New task. Kind: {kind}.",
    "ko": "새 과제. 종류: {kind}.",
}


def build(draw: Draw) -> Prompt:
    """Show the examples as turns and end with the kind that is wanted."""
    turns = [turn for example in draw.examples for turn in show_example(example, draw.language)]
    return Prompt(
        messages=(
            Message(role="system", content=_SYSTEM[draw.language]),
            *turns,
            _ask(draw.language, draw.task_type),
        ),
        decoding=draw.decoding,
        strategy="structured",
        language=draw.language,
        task_type=draw.task_type,
        seed_ids=draw.seed_ids,
        response_schema=RECORD_SCHEMA,
        sample_index=draw.sample_index,
    )


def parse(completion: Completion, prompt: Prompt) -> list[Draft]:
    """Read the record, or all of them when the teacher wrote several."""
    return make_drafts(find_records(completion.text), completion, prompt)


def _ask(language: Language, task_type: TaskType) -> Message:
    return Message(role="user", content=_ASK[language].format(kind=KINDS[language][task_type]))


def show_example(example: Example, language: Language) -> tuple[Message, Message]:
    """Write a worked example as a turn that asks for its kind and one that gives the record."""
    record = {
        "instruction": example.instruction,
        "input": example.input,
        "output": example.output,
    }
    answer = Message(role="assistant", content=json.dumps(record, ensure_ascii=False))
    return _ask(language, example.task_type), answer


STRATEGY = Strategy(
    records_asked=1,
    decoding=Decoding(temperature=0.9, top_p=0.95, max_tokens=400),
    make_sampler=ExampleSampler,
    build=build,
    parse=parse_only_answer(parse),
)
