"""Write an answer from the request alone: a record that no other question gets.

In the language of the prompt, and as it asks: JSON after its schema, the next tasks of a numbered
``###`` list, or else one JSON record. Words come from the digits of the question's hash, so records
of two questions share their template and little else, and pass a novelty filter: twelve draws
of a hundred words.
"""

import hashlib
import json
import re
from typing import NamedTuple

from benchmarks.scripted.question import Asked, Schema, Turn

_VOCABULARY = {
    "en": (
        "harbour orchard library glacier market tunnel kitchen balloon violin lantern bridge "
        "forest teacher doctor farmer pilot baker tailor painter sailor miner poet judge monk "
        "winter summer morning evening midnight harvest festival wedding journey winner quarrel "
        "copper silver cotton leather marble paper glass timber velvet amber granite rubber "
        "rabbit falcon turtle spider donkey salmon beetle panther squirrel camel goose otter "
        "pepper honey onion lemon butter walnut barley ginger pumpkin cherry mustard cabbage "
        "ladder hammer needle bucket mirror candle pillow basket kettle saddle anchor compass "
        "river valley desert island meadow canyon swamp volcano beach cave prairie lagoon"
    ),
    "ko": (
        "항구 과수원 도서관 빙하 시장 터널 부엌 풍선 등대 다리 숲길 교실 선생님 의사 농부 "
        "조종사 제빵사 화가 선원 광부 시인 판사 겨울 여름 아침 저녁 자정 추수 축제 결혼식 여행 "
        "구리 은반지 무명 가죽 대리석 종이 유리 목재 비단 호박 화강암 고무 토끼 송골매 거북이 "
        "거미 당나귀 연어 딱정벌레 표범 다람쥐 낙타 거위 수달 후추 벌꿀 양파 레몬 버터 호두 "
        "보리 생강 체리 겨자 양배추 사다리 망치 바늘 양동이 거울 촛불 베개 바구니 주전자 안장 "
        "나침반 강물 골짜기 사막 섬마을 초원 협곡 화산 해변 동굴 갯벌 기차역 우체국 병원 극장 "
        "온천 탑골 장독대 한복 김치 떡국 막걸리"
    ),
}
_WORDS = {language: words.split() for language, words in _VOCABULARY.items()}
_DRAWN = 14
_TEMPLATES = {
    "en": (
        "Describe a {0} {1}, a {2} {3} and the {4} {5} of the {6} {7}, then a {8} {9} {10} {11}.",
        "The {12} keeps its {0} far from the {13}, because a {2} once broke the {1} of the {4}.",
    ),
    "ko": (
        "{0} {1}, {2} {3}, {4} {5}, {6} {7}, {8} {9}, {10} {11} 순서로 설명하세요.",
        "{12} 옆의 {0} 때문에 {13} 색이 바뀌었고, {2} 앞에는 {1} 이야기가 {4}보다 길게 남았습니다.",
    ),
}
_HANGUL = re.compile("[가-힣]")
_CONTINUED_LIST = re.compile(r"Continue the list with tasks (\d+)|(\d+)번부터")
_LABELS = {
    "en": ("Instruction", "Input", "Output", "<noinput>"),
    "ko": ("지시", "입력", "출력", "<없음>"),
}
_LIST_LENGTH = 20
_BYTES_PER_TOKEN = 4
_TOKENS_PER_TURN = 4


_Json = str | int | list["_Json"] | dict[str, "_Json"]
_RECORD = Schema(
    type="object", properties={"instruction": Schema(), "input": Schema(), "output": Schema()}
)


class Reply(NamedTuple):
    """An answer with its bill."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


def write_reply(asked: Asked) -> Reply:
    """Answer as the prompt asks, cut where ``max_tokens`` end.

    A token is four bytes of UTF-8, and each message costs four more.
    """
    language = _language_of(asked.turns)
    found = _CONTINUED_LIST.search(asked.turns[-1].content)
    if found:
        text = _write_list(asked.question, language, int(found[1] or found[2]))
    else:
        value = _write_value(asked.schema or _RECORD, asked.question, language)
        text = json.dumps(value, ensure_ascii=False)
    return bill(asked, text, "stop")


def bill(asked: Asked, text: str, finish_reason: str) -> Reply:
    """Count tokens, and cut the text at the last one that is allowed."""
    encoded = text.encode()
    allowed = asked.max_tokens * _BYTES_PER_TOKEN
    if len(encoded) > allowed:
        encoded, finish_reason = encoded[:allowed], "length"
    prompt_bytes = sum(len(turn.content.encode("utf-8", "replace")) for turn in asked.turns)
    return Reply(
        encoded.decode("utf-8", "ignore"),
        finish_reason,
        prompt_bytes // _BYTES_PER_TOKEN + _TOKENS_PER_TURN * len(asked.turns),
        -(-len(encoded) // _BYTES_PER_TOKEN),
    )


def write_task(name: str, language: str) -> tuple[str, str]:
    """Write an instruction and its output; another name gives other words."""
    words = _WORDS[language]
    number = int.from_bytes(hashlib.sha256(name.encode()).digest())
    drawn: list[str] = []
    for _ in range(_DRAWN):
        number, place = divmod(number, len(words))
        drawn.append(words[place])
    instruction, output = _TEMPLATES[language]
    return instruction.format(*drawn), output.format(*drawn)


def _write_value(schema: Schema, name: str, language: str) -> _Json:
    """Write what a schema asks for; the name decides the words, and a record's belong together."""
    if schema.type == "object":
        instruction, output = write_task(name, language)
        record: dict[str, _Json] = {"instruction": instruction, "input": "", "output": output}
        return {
            key: record.get(key, _write_value(part, f"{name}/{key}", language))
            for key, part in schema.properties.items()
        }
    if schema.type == "array":
        items = schema.items or Schema()
        return [_write_value(items, f"{name}/{number}", language) for number in range(1, 4)]
    if schema.type == "integer":
        return int(re.findall(r"\d+", name)[-1])  # its place in a list
    if schema.enum:
        return schema.enum[int.from_bytes(name.encode()) % len(schema.enum)]
    return write_task(name, language)[0]


def _write_list(name: str, language: str, first: int) -> str:
    """Write the tasks of a list from the first number to the twentieth."""
    asked, given, answer, nothing = _LABELS[language]
    blocks: list[str] = []
    for number in range(first, _LIST_LENGTH + 1):
        instruction, output = write_task(f"{name}/{number}", language)
        blocks.append(
            f"{number}. {asked}: {instruction}\n{number}. {given}:\n{nothing}\n"
            f"{number}. {answer}:\n{output}\n"
        )
    return "###\n".join(blocks)


def _language_of(turns: tuple[Turn, ...]) -> str:
    return "ko" if any(_HANGUL.search(turn.content) for turn in (turns[0], turns[-1])) else "en"
