"""Records of other tasks from public data: paraKQC's groups, and seed tasks written by people.

paraKQC holds ten ways to say each of 500 questions and commands to a home assistant, with topic and
intent. None of it is evaluation data of ours; labels are drawn evenly.
"""

import random
from pathlib import Path
from typing import NamedTuple

from benchmarks.nsmc.rows import DATA, Row, read_lines
from schemas.records import Language, SeedTask

_SEEDS = Path(__file__).resolve().parents[2] / "seeds"
_LANGUAGES: tuple[Language, ...] = ("ko", "en")

_TOPICS = ("메일", "일정", "집안 기기", "날씨")
_INTENTS = ("선택 질문", "설명 질문", "금지", "지시")
_TOPIC_ASKED = (
    "다음 말의 주제를 메일, 일정, 집안 기기, 날씨 가운데 하나로 답하세요.",
    "비서에게 한 말이다. 무엇에 관한 말인가? 보기: 날씨, 집안 기기, 일정, 메일",
    "문장의 주제 분류 (일정/메일/날씨/집안 기기)",
    "이 말은 무엇에 대한 것인지 한 단어로 말해 주세요: 메일, 날씨, 일정, 집안 기기",
)
_INTENT_ASKED = (
    "말하는 이의 의도를 선택 질문, 설명 질문, 금지, 지시 가운데 하나로 고르세요.",
    "다음 문장의 종류는? (금지, 지시, 선택 질문, 설명 질문)",
)
_IS_QUESTION_ASKED = (
    "다음 문장은 질문인가요, 명령인가요?",
    "이 말은 명령이야 질문이야?",
    "문장을 읽고 질문 또는 명령이라고 답하세요.",
)
_SAME_ASKED = (
    ("두 문장의 뜻이 같은가요? 예 또는 아니요로 답하세요.", "예", "아니요"),
    ("첫째 문장과 둘째 문장은 같은 말인가요?", "네", "아니요"),
    ("두 문장이 같은 뜻이면 같음, 아니면 다름이라고 쓰세요.", "같음", "다름"),
)
_REPHRASE_ASKED = (
    "다음 문장을 같은 뜻의 다른 말로 바꿔 주세요.",
    "아래 말을 다르게 표현해 보세요.",
)


class _Saying(NamedTuple):
    group: int
    topic: int
    intent: int
    text: str


def make_parakqc_rows(count: int, seed: int, data: Path = DATA) -> list[Row]:
    """Make `count` records: topics, intents, question or command, same meaning, rephrasing."""
    generator = random.Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    sayings = [_Saying(**row) for row in read_lines("parakqc/dev.jsonl", data)]
    generator.shuffle(sayings)
    groups: dict[int, list[_Saying]] = {}
    for one in sayings:
        groups.setdefault(one.group, []).append(one)
    fresh = iter(sayings)
    return [_make(generator, number, next(fresh), groups) for number in range(count)]


def _make(
    generator: random.Random, number: int, one: _Saying, groups: dict[int, list[_Saying]]
) -> Row:
    kind = number % 20 / 2
    if kind < 3:
        return Row("topic", "ko", generator.choice(_TOPIC_ASKED), one.text, _TOPICS[one.topic])
    if kind < 4:
        return Row("intent", "ko", generator.choice(_INTENT_ASKED), one.text, _INTENTS[one.intent])
    if kind < 6:
        answer = "질문" if one.intent < 2 else "명령"
        return Row(
            "question or command", "ko", generator.choice(_IS_QUESTION_ASKED), one.text, answer
        )
    if kind < 9.5:
        return _ask_same(generator, one, groups)
    other = generator.choice([it for it in groups[one.group] if it.text != one.text])
    return Row("rephrasing", "ko", generator.choice(_REPHRASE_ASKED), one.text, other.text)


def _ask_same(generator: random.Random, one: _Saying, groups: dict[int, list[_Saying]]) -> Row:
    instruction, yes, no = generator.choice(_SAME_ASKED)
    is_same = generator.random() < 0.5
    near = [
        group
        for group, sayings in groups.items()
        if group != one.group and sayings[0].topic == one.topic
    ]
    pool = groups[one.group] if is_same else groups[generator.choice(near)]
    other = generator.choice([it for it in pool if it.text != one.text])
    pair = f"첫째: {one.text}\n둘째: {other.text}"
    return Row("same meaning", "ko", instruction, pair, yes if is_same else no)


def read_general_rows(data: Path = DATA) -> list[Row]:
    """Read our own seed tasks of both languages and Stanford Alpaca's, as records of people."""
    rows: list[Row] = []
    for language in _LANGUAGES:
        for line in (_SEEDS / f"{language}.jsonl").read_text(encoding="utf-8").splitlines():
            seed = SeedTask.model_validate_json(line)
            rows.append(Row("general", language, seed.instruction, seed.input, seed.output))
    for seed in read_lines("stanford_alpaca/seed_tasks.jsonl", data):
        instance = seed["instances"][0]
        rows.append(
            Row("general", "en", seed["instruction"], instance["input"], instance["output"])
        )
    return rows
