import gzip
import json
from pathlib import Path

import pytest

from pipeline.curation.rules.korean import KOREAN_RULES
from pipeline.curation.rules.speech import Level, speech_level
from pipeline.curation.rules.view import RecordView
from tests.curation.making import make_record

JAMO, LEVELS = KOREAN_RULES
DATA = Path("../shared/data")


def mixes(output: str, instruction: str = "김치를 담그는 법을 알려 주세요.") -> str | None:
    return LEVELS.find(RecordView(make_record(instruction, "ko", output=output)))


@pytest.mark.parametrize(
    ("sentence", "level"),
    [
        ("배추를 절입니다.", "합쇼체"),
        ("어떻게 합니까?", "합쇼체"),
        ("배추를 절여요.", "해요체"),
        ("맛이 좋죠.", "해요체"),
        ("배추를 절이세요.", "높임"),
        ("배추를 절이십시오.", "높임"),
        ("배추를 절인다.", "해라체"),
        ("맛이 훨씬 좋다.", "해라체"),
        ("소금을 뿌려라.", "해라체"),
        ("서두르지 마라.", "해라체"),
        ("배추를 절여 봐.", "해체"),
        ("소금이 조금 있어.", "해체"),
        ("그건 나중 문제야.", "해체"),
        ("맛이 참 좋네!", "해체"),
        ("밤새 다 절었겠지.", "해체"),
        ("벌써 다 먹었군.", "해체"),
        ("손으로 먹어도 되거든.", "해체"),
        ("내가 도와줄게.", "해체"),
        ("내일은 쉬어야 해.", "해체"),
        ("오늘도 감사합니다.", None),
        ("김치를 처음 담그는 이의 이해.", None),
        ("올가을 가 볼 만한 여행지.", None),
        ("배추의 다른 이름과 그 단어.", None),
        ("새로운 연구 분야.", None),
        ("소금이 조금 있어", None),
        ("김치 담그기", None),
    ],
)
def test_level_is_told_by_the_ending(sentence: str, level: Level | None) -> None:
    assert speech_level(sentence) == level


@pytest.mark.parametrize(
    "output",
    [
        "배추를 절입니다. 소금은 굵은 것이 좋습니다. 하룻밤 두면 돼. 물기는 꼭 빼야 해.",
        "배추를 절여요. 하룻밤 두면 된다. 소금은 굵은 것을 씁니다.",
        "배추를 절이세요. 소금은 굵은 게 좋아. 서두르지 마라. 물기를 빼십시오.",
        "배추를 절여 봐. 하룻밤이면 충분합니다. 소금은 굵은 게 좋아. 물기는 빼야 합니다.",
        "절입니다. 씻습니다. 버무립니다. 담아요. 익혀요. 먹어요.",
    ],
)
def test_levels_that_clash_are_found(output: str) -> None:
    assert mixes(output)


@pytest.mark.parametrize(
    "output",
    [
        "배추를 절이세요. 소금은 굵은 것이 좋습니다. 하룻밤 두십시오. 맛있게 드세요.",
        "배추를 절여 봐. 소금은 굵은 게 좋아. 하룻밤이면 된다. 물기를 빼면 끝이야.",
        "절이는 법입니다.\n1. 소금을 뿌린다.\n2. 하룻밤 둔다.\n3. 물기를 뺀다.\n맛있습니다.",
        "어머니는 “더 절여야 해. 아직 멀었어.”라고 하셨습니다. 그래서 더 절였습니다.",
        "철수: 다 됐어?\n영희: 아직이야.\n어머니: 곧 됩니다.\n할머니: 다 됐습니다.",
        "배추를 절입니다. 정성이 맛이다. 하룻밤 둡니다. 물기를 뺍니다.",
        "배추에 대한 이해. 소금의 종류. 배추를 절입니다. 물기를 뺍니다.",
    ],
)
def test_one_voice_passes(output: str) -> None:
    assert mixes(output) is None


def test_dialogue_that_was_asked_for_may_mix() -> None:
    output = "다 됐습니다. 벌써 됐어? 네, 드셔 보십시오. 정말 맛있다."

    assert mixes(output)
    assert mixes(output, "두 사람의 대화를 써 주세요.") is None


def test_one_sentence_in_twenty_is_no_clash() -> None:
    casual = "소금은 굵은 게 좋아. 하룻밤이면 돼."

    assert mixes(f"{casual} {'배추를 절입니다. ' * 30}")
    assert mixes(f"{casual} {'배추를 절입니다. ' * 60}") is None


@pytest.mark.parametrize(
    ("text", "is_broken"),
    [
        ("안녕하ㅅ요, 반갑습니다.", True),
        ("ㅇㅏㄴ녕하십니까.", True),
        ("안녕하세\u11abㅇ.", True),
        ("ㅋㅋㅋ 그래 ㅎㅎ ㅠㅠ ㅇㅇ", False),
        ("ㄱ과 ㄴ 가운데 고르면 ㄱ입니다.", False),
        ("안녕하세요.", False),
    ],
)
def test_loose_jamo_are_found(text: str, is_broken: bool) -> None:
    record = make_record("인사를 쓰세요.", "ko", output=text)

    assert (JAMO.find(RecordView(record)) is not None) == is_broken


def test_natural_korean_and_our_seeds_pass() -> None:
    tasks = [json.loads(line) for line in Path("seeds/ko.jsonl").read_text("utf-8").splitlines()]
    pairs = [(task["instruction"], task["output"]) for task in tasks]
    if DATA.exists():
        lines = (DATA / "nsmc/train.jsonl").read_text("utf-8").splitlines()
        pairs += [("영화를 평하세요.", json.loads(line)["text"]) for line in lines]
        with gzip.open(DATA / "corpora/ko_instructions.jsonl.gz", "rt", encoding="utf-8") as file:
            pairs += [("아무 말이나 쓰세요.", json.loads(line)["instruction"]) for line in file][
                :4000
            ]

    assert [output for instruction, output in pairs if output and mixes(output, instruction)] == []


@pytest.mark.parametrize("piece", ["(", "“", "‘", "다. ", "ㄱ", "가 ", "\n", "좋아. 합니다. "])
def test_long_texts_of_one_piece_are_read_in_linear_time(piece: str) -> None:
    text = f"합니다. 해요. 했다. {piece * (150_000 // len(piece))}"
    view = RecordView(make_record("x", "ko", output=text))

    LEVELS.find(view)
    JAMO.find(view)
