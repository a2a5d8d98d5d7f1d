"""Topics: each prompt names topic, kind of task and difficulty, the least covered ones first.

A model that is left free writes about the same few things. The grid is in ``topic_grid``, the
choice of the cell in ``coverage``. The form is that of ``structured``: one JSON record an answer,
worked examples as turns before it; here all of them are of the wanted kind, because the cell
already brings the variety that examples of other kinds would.
"""

from collections import Counter
from collections.abc import Sequence
from random import Random

from pipeline.generation.coverage import Cell, Coverage
from pipeline.generation.sampling import Draw
from pipeline.generation.strategies.kinds import KINDS
from pipeline.generation.strategies.reading.drafting import make_drafts
from pipeline.generation.strategies.reading.loose_json import find_records
from pipeline.generation.strategies.strategy import Materials, Strategy, parse_only_answer
from pipeline.generation.strategies.structured import RECORD_SCHEMA, show_example
from pipeline.generation.strategies.topics.english_topics import ENGLISH_TOPICS
from pipeline.generation.strategies.topics.korean_topics import KOREAN_TOPICS
from pipeline.generation.strategies.topics.topic_grid import Topic, describe_difficulty, make_cells
from schemas.exchange import Completion, Decoding, Message, Prompt
from schemas.records import Draft, InstructionRecord, Language, TaskType

_SYSTEM: dict[Language, str] = {
    "en": """\
You invent tasks for an assistant, each on the topic and of the kind and difficulty that are named.
Each is a JSON object.
"instruction": what a person asks for, clear by itself, without labels such as "Topic:" or "Kind:".
"input": the text or data to work on, written out in full; "" if none is needed.
"output": the correct, finished answer to the instruction, at most 120 words.
The examples show the form only: take another subject, new names and numbers. Everything is in \
English, except text that is translated from or into another language.""",
    "ko": """\
당신은 AI 도우미에게 시킬 과제를 지어냅니다. 정해 주는 주제와 종류, 난이도에 맞춥니다. 과제는 \
JSON 객체 하나입니다.
"instruction": 사람이 부탁하는 내용. 그것만 읽어도 뜻이 분명해야 하며, '주제:'나 '종류:' 같은 \
표시는 붙이지 않습니다.
"input": 지시에 필요한 글이나 자료 전체. 필요 없으면 "".
"output": 지시에 대한 정확하고 완성된 답. 다섯 문장 이내.
예시는 형식만 보여 줍니다. 소재와 이름, 숫자는 새로 고릅니다. 번역 과제의 외국어 원문과 번역문 \
말고는 모두 자연스러운 한국어로 씁니다.""",
}
_ASK: dict[Language, str] = {
    "en": "New task. Kind: {kind}.\nTopic: {topic}, in particular {matter}.\nDifficulty: {level}.",
    "ko": "새 과제. 종류: {kind}.\n주제: {topic}, 그중에서도 {matter}.\n난이도: {level}.",
}
_TOPICS: dict[Language, dict[str, Topic]] = {"en": ENGLISH_TOPICS, "ko": KOREAN_TOPICS}


class TopicSampler:
    """Draws the cell that lacks records most, with worked examples of its kind."""

    def __init__(self, materials: Materials) -> None:
        self._language: Language = materials.language
        self._pool = materials.pool
        self._count = materials.examples_per_prompt
        kinds: list[TaskType] = [
            seed.task_type for seed in materials.seeds if seed.language == materials.language
        ]
        self._coverage = Coverage(
            make_cells(_TOPICS[materials.language]), Counter(kinds), materials.emphasis
        )

    def draw(self, rng: Random, decoding: Decoding) -> Draw:
        cell = self._coverage.take(rng)
        examples = self._pool.draw_of_type(rng, cell.task_type, self._count)
        return Draw(
            self._language, cell.task_type, examples, decoding, rng.getrandbits(31), cell=cell
        )

    def fold(self, draw: Draw, admitted: Sequence[InstructionRecord]) -> None:
        if draw.cell is not None:
            self._coverage.settle(draw.cell, len(admitted))


def build(draw: Draw) -> Prompt:
    """Show the examples as turns and end with the cell that is wanted."""
    if draw.cell is None:
        raise ValueError("a draw of topics names a cell")
    turns = [turn for example in draw.examples for turn in show_example(example, draw.language)]
    return Prompt(
        messages=(
            Message(role="system", content=_SYSTEM[draw.language]),
            *turns,
            _ask(draw.language, draw.cell, draw.sample_index),
        ),
        decoding=draw.decoding,
        strategy="topics",
        language=draw.language,
        task_type=draw.task_type,
        seed_ids=draw.seed_ids,
        response_schema=RECORD_SCHEMA,
        sample_index=draw.sample_index,
    )


def parse(completion: Completion, prompt: Prompt) -> list[Draft]:
    """Read the record, or all of them when the teacher wrote several."""
    return make_drafts(find_records(completion.text), completion, prompt)


def _ask(language: Language, cell: Cell, sample_index: int) -> Message:
    topic = _TOPICS[language][cell.topic]
    # One of its matters: shown all of them, a small teacher makes a list of them its task.
    matters = topic.matters.split(", ")
    content = _ASK[language].format(
        kind=KINDS[language][cell.task_type],
        topic=topic.name,
        matter=matters[sample_index % len(matters)],
        level=describe_difficulty(cell.difficulty, language),
    )
    return Message(role="user", content=content)


STRATEGY = Strategy(
    records_asked=1,
    decoding=Decoding(temperature=0.9, top_p=0.95, max_tokens=400),
    make_sampler=TopicSampler,
    build=build,
    parse=parse_only_answer(parse),
)
