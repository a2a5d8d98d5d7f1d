"""Alpaca's profile decides as the original does, in its order."""

import gzip
import json
import re
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curation.config import CurationConfig
from pipeline.curation.funnel import curate
from pipeline.curation.rules.catalogue import RulesConfig, find_broken_rules
from schemas.records import InstructionRecord, Reason
from tests.curation.making import make_draft, make_record

ALPACA = RulesConfig(profile="alpaca")
CORPUS = Path(__file__).parents[3] / "shared/data/corpora/en_instructions.jsonl.gz"

BLACKLIST = (
    "image images graph graphs picture pictures file files map maps draw plot go_to video audio "
    "music flowchart diagram"
)


def read_original(text: str) -> Reason | None:
    """Decide as the source reads, filter after filter: an independent reading, for these tests."""
    words = text.split()
    if len(words) <= 3:
        return "instruction-too-short"
    if len(words) > 150:
        return "instruction-too-long"
    for word in BLACKLIST.split():
        if re.search(r"\b(%s)\b" % word.replace("_", " "), text, re.IGNORECASE):  # noqa: UP031
            return "unsuitable-keyword"
    if text[: len("Write a program")] == "Write a program":
        return "write-a-program"
    if string.punctuation.find(text[0]) >= 0:
        return "leading-punctuation"
    return "leading-non-ascii" if ord(text[0]) > 127 else None


def decide(instruction: str) -> Reason | None:
    return decide_on(make_record(instruction, "en"))


def decide_on(record: InstructionRecord) -> Reason | None:
    return decide_by(ALPACA, record)


def decide_by(config: RulesConfig, record: InstructionRecord) -> Reason | None:
    broken = find_broken_rules(record, config)
    return broken[0].rule.id if broken else None


WORDS_150 = " ".join(["word"] * 150)


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ("List three fruits.", "instruction-too-short"),
        ("List three red fruits.", None),
        (WORDS_150, None),
        (f"{WORDS_150} word", "instruction-too-long"),
        ("Describe the image in words.", "unsuitable-keyword"),
        ("Describe the imagery in words.", None),
        ("Compare these two Videos now.", None),
        ("Name a famous music-hall singer.", "unsuitable-keyword"),
        ("Where should I GO TO school?", "unsuitable-keyword"),
        ("Where should I go  to school?", None),
        ("Explain the plot of Hamlet.", "unsuitable-keyword"),
        ("List every file_name in use.", None),
        ("Write a program that adds numbers.", "write-a-program"),
        ("Write a programme for the concert.", "write-a-program"),
        ("write a program that adds numbers.", None),
        ("Please Write a program for me.", None),
        ('"Hello" is a greeting. Translate it.', "leading-punctuation"),
        ("$5 buys how many apples?", "leading-punctuation"),
        ("“Hello” is a greeting. Translate it.", "leading-non-ascii"),
        ("Éclairs are made of what?", "leading-non-ascii"),
        ("다음 글을 세 문장으로 요약하세요.", "leading-non-ascii"),
        ("5 apples cost how much?", None),
        # Where several filters object, the first gives the reason.
        ('"Draw" it', "instruction-too-short"),
        ("Write a program that draws a graph.", "unsuitable-keyword"),
        ("“Draw a map of this town.", "unsuitable-keyword"),
        (f"({WORDS_150} image", "instruction-too-long"),
    ],
)
def test_english_instruction_is_judged_as_by_the_original(
    instruction: str, reason: Reason | None
) -> None:
    assert decide(instruction) == reason
    assert read_original(instruction) == reason


FRAGMENTS = st.sampled_from(
    ["Write a program", "write", "a", "image", "IMAGES", "map", "maps,", "go to", "go", "to",
     "draw", "(plot)", "diagram", "video", "_file", "file's", "그림", "é", "“", '"', "#", "-",
     "imageſ", "word " * 30, "\n", "\t", "\u00a0", "\u3000", "\x1c", " "]
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(FRAGMENTS | st.text(max_size=4), max_size=12), st.sampled_from(["", " "]))
def test_decision_and_reason_equal_those_of_the_original_on_any_text(
    parts: list[str], glue: str
) -> None:
    text = glue.join(parts).encode("utf-8", "replace").decode().strip()
    if text:
        record = make_record(text, "en")
        assert decide_on(record) == read_original(record.instruction)


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpora are not here")
def test_decision_and_reason_equal_those_of_the_original_on_real_instructions() -> None:
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["instruction"] for line in lines]
    records = [make_record(text, "en") for text in texts[::10] if text.strip()]

    reasons = [decide_on(record) for record in records]

    assert reasons == [read_original(record.instruction) for record in records]
    assert len({*reasons}) > 4


def test_nothing_but_the_instruction_is_looked_at() -> None:
    draft = make_draft(
        "Describe the taste of a plum.", "en", output="I'm sorry, but I can't assist with that."
    )

    def reasons(config: CurationConfig) -> list[Reason]:
        return [rejection.reason for rejection in curate([draft], [], config).dropped]

    assert reasons(CurationConfig(stage=("rules",), rules=ALPACA)) == []
    assert reasons(CurationConfig(stage=("rules",))) == ["refusal"]


def test_rule_of_the_profile_that_is_off_is_not_asked() -> None:
    record = make_record("Explain the plot of Hamlet.", "en")

    assert not find_broken_rules(record, RulesConfig(profile="alpaca", off=("unsuitable-keyword",)))


@pytest.mark.parametrize(
    ("instruction", "output", "reason"),
    [
        ("시 써", "바람이 붑니다.", "instruction-too-short"),
        ("붉은 과일을 말해 줘", "죄송하지만 요청하신 내용은 답변할 수 없습니다.", "refusal"),
        ("지도란 무엇인지 설명해 줘", "지도는 땅을 줄여 나타낸 것입니다.", None),
        ("“안녕”을 영어로 옮겨 줘", "Hello입니다.", None),
    ],
)
def test_korean_record_is_judged_by_our_own_rules_under_the_profile(
    instruction: str, output: str, reason: Reason | None
) -> None:
    record = make_record(instruction, "ko", output=output)

    assert decide_on(record) == reason
    assert decide_by(RulesConfig(), record) == reason


def test_repeats_are_the_last_filter_with_the_original_threshold() -> None:
    drafts = [
        make_draft("Name the three largest lakes of Africa.", "en"),
        make_draft("Name the three largest lakes of Asia.", "en"),
        make_draft("Name the three largest maps of Africa.", "en"),
    ]
    config = CurationConfig(stage=("rules", "novelty"), rules=ALPACA)

    dropped = curate(drafts, [], config).dropped

    # ROUGE-L F1 of the first two: six of seven words, 0.857.
    assert [rejection.reason for rejection in dropped] == ["repeat", "unsuitable-keyword"]
