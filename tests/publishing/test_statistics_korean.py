"""What Korean instructions ask for, against labels made by hand of our own seed tasks."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from pipeline.generation.seeds import load_seed_tasks
from pipeline.publishing.statistics.korean import KoreanReader
from schemas.storage import read_jsonl

ROOT = Path(__file__).parents[2]


class Label(BaseModel):
    """What a person read in an instruction."""

    id: str
    verb: str
    noun: str | None
    """None where people could well disagree."""


@pytest.fixture(scope="module")
def reader() -> KoreanReader:
    return KoreanReader()


def test_people_read_most_seed_tasks_alike(reader: KoreanReader) -> None:
    seeds = {seed.id: seed.instruction for seed in load_seed_tasks(ROOT / "seeds/ko.jsonl")}
    labels = list(read_jsonl(Path(__file__).parent / "asked/ko.jsonl", Label))
    found = [(label, reader.read(seeds[label.id]).asked) for label in labels]
    paired = [(label, asked) for label, asked in found if label.noun is not None]

    assert len(labels) >= 100
    assert sum(label.verb == asked.verb for label, asked in found) >= 0.97 * len(found)
    assert sum((label.verb, label.noun) == asked for label, asked in paired) >= 0.92 * len(paired)


@pytest.mark.parametrize(
    ("instruction", "verb", "noun"),
    [
        pytest.param("시를 써 줘.", "쓰다", "시", id="auxiliary"),
        pytest.param("이메일을 작성해 주세요", "작성하다", "이메일", id="hada"),
        pytest.param("이메일 좀 작성해 줘", "작성하다", "이메일", id="unmarked"),
        pytest.param("시를 한 편 지어 줄 수 있나요?", "짓다", "시", id="can-you"),
        pytest.param("쉼표를 넣는 함수를 만들어라.", "만들다", "함수", id="clause-within"),
        pytest.param("초성을 뽑아 차례로 적어 줘.", "적다", "초성", id="shared-object"),
        pytest.param("문장을 뜻을 살려 고칠 것.", "고치다", "문장", id="two-objects"),
        pytest.param("기름값은 얼마인지 계산해 줘.", "계산하다", "기름값", id="clause-that-asks"),
        pytest.param("수도는 무엇인가요?", "무엇이다", "수도", id="question"),
        pytest.param("선수는 모두 몇 명이야?", "몇 명이다", "선수", id="how-many"),
        pytest.param("독후감 작성", "작성하다", "독후감", id="noun-orders"),
        pytest.param("짧은 시 쓰기", "쓰다", "시", id="gerund"),
        pytest.param("함수가 필요합니다.", "필요하다", "함수", id="wish"),
        pytest.param("함수 `f(x)`을 설명하시오.", "설명하다", "함수", id="code"),
        pytest.param("간단한 소개를 작성합니다.", "작성하다", "소개", id="told-as-a-rule"),
        pytest.param("주제 목록을 작성해야 합니다.", "작성하다", "목록", id="has-to"),
        pytest.param("글을 하나로 분류하세요: 정치, 요리", "분류하다", "글", id="colon"),
        pytest.param("강좌들을 나열해 주세요.", "나열하다", "강좌", id="plural"),
        pytest.param("당신은 글을 읽고 요약해야 합니다.", "요약하다", "글", id="you"),
        pytest.param("어제 비가 왔다.", "", "", id="statement"),
        pytest.param("?!", "", "", id="signs"),
        pytest.param("Write a poem.", "", "", id="english"),
    ],
)
def test_first_sentence_that_asks_decides(
    reader: KoreanReader, instruction: str, verb: str, noun: str
) -> None:
    assert reader.read(instruction).asked == (verb, noun)


def test_words_are_morphemes_without_signs(reader: KoreanReader) -> None:
    assert list(reader.read("시를 써 줘.").words) == [
        "시/NNG", "를/JKO", "쓰/VV", "어/EC", "주/VX", "어/EF",
    ]  # fmt: skip


def test_megabyte_is_read_in_its_first_sentences(reader: KoreanReader) -> None:
    assert reader.read("시를 써 줘. " + "말" * 300_000).asked == ("쓰다", "시")
