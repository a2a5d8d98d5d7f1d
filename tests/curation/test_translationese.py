import gzip
import json
from pathlib import Path

import pytest

from pipeline.curation.rules.rule import Example
from pipeline.curation.rules.translationese import TRANSLATIONESE_RULES
from pipeline.curation.rules.view import RecordView
from tests.curation.making import make_record

(RULE,) = TRANSLATIONESE_RULES
DATA = Path("../shared/data")


def evidence(output: str, instruction: str = "도서관이 하는 일을 알려 주세요.") -> str | None:
    return RULE.find(RecordView(make_record(instruction, "ko", output=output)))


@pytest.mark.parametrize(
    "output",
    [
        "이 책은 그에 의해 쓰여졌고, 여러 언어들로 번역되어졌다.",
        "당신은 이 기능을 사용하는 것이 가능합니다. 그것은 당신의 시간을 절약하는 것을 돕습니다.",
        "도서관은 많은 책들을 가지고 있다. 그것들은 시민들에 의해 대출되어질 수 있다.",
        "회의에 있어서 가장 중요한 것들 중 하나는 시간을 필요로 하는 것이다.",
        "비에도 불구하고 우리는 하나의 좋은 시간을 가졌다. 그것은 나로 하여금 웃게 만들었다.",
    ],
)
def test_crowded_turns_are_found(output: str) -> None:
    assert evidence(output)


@pytest.mark.parametrize(
    "output",
    [
        "이 책은 그가 썼고 여러 언어로 번역되었다.",
        "부모로부터 물려받은 하나의 유산이다.",
        "그럼에도 불구하고 사람들은 도서관을 찾는다. 법률에 의해 정해진 시간에 문을 연다.",
        "사실이 밝혀지자 소문이 잦아들었다. 이름이 알려진 곳이라 자리가 금세 채워진다.",
        "또 하나의 방법은 책을 미리 예약하는 것이다. 그것만으로도 기다리는 시간이 준다.",
        "‘당신’과 ‘그것은’과 ‘가지고 있다’와 ‘되어지다’는 조심해서 쓴다.",
    ],
)
def test_single_turns_and_quoted_ones_pass(output: str) -> None:
    assert evidence(output) is None


def test_task_about_style_may_show_it() -> None:
    crowded = RULE.examples[0].output

    assert evidence(crowded)
    assert evidence(crowded, "번역투가 심한 문장을 하나 만들어 보세요.") is None


def test_poem_may_say_you() -> None:
    poem = "당신이 떠난 길에 당신이 심은 꽃, 당신의 이름을 가진 그 꽃"

    assert evidence(poem)
    assert evidence(poem, "이별을 노래한 시를 한 편 쓰세요.") is None


def test_turns_are_weighed_against_length() -> None:
    plain = "도서관은 평일 아홉 시에 문을 열고 여섯 시에 닫습니다. 책은 다섯 권까지 빌려 줍니다. "
    example: Example = RULE.examples[0]

    assert evidence(example.output + plain)
    assert evidence(example.output + plain * 20) is None


def test_evidence_shows_points_and_turns() -> None:
    assert evidence("그것은 그에 의해 쓰여졌다.") == (
        "4 points in 15 letters, as “쓰여졌, 그에 의해, 그것은”"
    )


def test_natural_korean_passes() -> None:
    if not DATA.exists():
        pytest.skip("no ../shared/data")
    lines = (DATA / "nsmc/train.jsonl").read_text("utf-8").splitlines()
    texts: list[str] = [json.loads(line)["text"] for line in lines]
    with gzip.open(DATA / "corpora/ko_instructions.jsonl.gz", "rt", encoding="utf-8") as file:
        texts += [json.loads(line)["instruction"] for line in file][:8_000]

    assert [text for text in texts if text.strip() and evidence(text)] == []


def test_our_seeds_pass() -> None:
    for line in Path("seeds/ko.jsonl").read_text("utf-8").splitlines():
        task = json.loads(line)
        assert evidence(task["output"], task["instruction"]) is None


@pytest.mark.parametrize("piece", ["당신", "것이 ", "가장 ", "아무리 ", "많은 ", "들 ", "에 의해 "])
def test_long_texts_of_one_piece_are_read_in_linear_time(piece: str) -> None:
    evidence(piece * (150_000 // len(piece)))
