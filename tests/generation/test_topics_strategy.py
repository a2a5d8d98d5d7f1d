"""The topics strategy: the prompt names its cell, and the sampler learns what came of it."""

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generation.coverage import Cell
from pipeline.generation.sampling import Draw, ExamplePool
from pipeline.generation.strategies.strategy import Materials
from pipeline.generation.strategies.topics.topics import STRATEGY, TopicSampler, build
from schemas.exchange import Completion, Decoding, Exchange
from schemas.records import Draft, InstructionRecord, Language, Provenance, SeedTask, TaskType
from tests.generation.golden import assert_golden, make_draw, show

LANGUAGES: tuple[Language, ...] = ("en", "ko")
CELLS: dict[Language, Cell] = {
    "en": Cell("renting", "classification", "medium"),
    "ko": Cell("jeonse", "classification", "medium"),
}


def make_materials(language: Language) -> Materials:
    seeds = [
        SeedTask(id=f"s{n}", language=language, task_type=kind, instruction=f"{n}?", output="!")
        for n, kind in enumerate(("code", "code", "rewriting", "translation"))
    ]
    return Materials(language, "m", ExamplePool(seeds, language), seeds, (), 2)


def make_record(draw: Draw) -> InstructionRecord:
    provenance = Provenance(strategy="topics", teacher="m", completion_id="c")
    return InstructionRecord(
        instruction="a", output="b", language=draw.language, provenance=provenance
    )


def read(text: str, draw: Draw, finish_reason: str = "stop") -> Sequence[Draft]:
    completion = Completion(id="c1", model="m", text=text, finish_reason=finish_reason)
    return STRATEGY.parse(draw, [[Exchange(build(draw), completion)]])


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompt_is_the_golden_one(language: Language) -> None:
    draw = make_draw(language)._replace(cell=CELLS[language])

    assert_golden(f"topics_{language}.txt", show(build(draw)))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("renting a home", "roommates", "medium")),
        ("ko", ("전세와 월세 계약", "전월세 전환", "보통")),
    ],
)
def test_prompt_ends_with_topic_kind_and_difficulty(
    language: Language, words: tuple[str, ...]
) -> None:
    prompt = build(make_draw(language)._replace(cell=CELLS[language]))

    assert all(word in prompt.messages[-1].content for word in words)
    assert prompt.task_type == "classification"
    assert prompt.response_schema is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples_are_of_the_kind_that_is_asked_for(language: Language) -> None:
    sampler = TopicSampler(make_materials(language))
    shown: set[bool] = set()
    for number in range(60):
        draw = sampler.draw(Random(number), Decoding())  # noqa: S311
        assert draw.cell is not None
        assert draw.task_type == draw.cell.task_type
        if draw.task_type in {"code", "rewriting", "translation"}:
            shown.add({example.task_type for example in draw.examples} == {draw.task_type})

    assert shown == {True}


def test_kinds_without_a_seed_task_are_shown_other_examples() -> None:
    sampler = TopicSampler(make_materials("ko"))
    draws = [sampler.draw(Random(number), Decoding()) for number in range(30)]  # noqa: S311

    assert all(len(draw.examples) >= 1 for draw in draws)


def test_a_kind_whose_prompts_bring_nothing_is_asked_for_more_often() -> None:
    sampler = TopicSampler(make_materials("en"))
    asked: Counter[TaskType] = Counter()
    rng = Random(1)  # noqa: S311
    for _ in range(300):
        draw = sampler.draw(rng, Decoding())
        asked[draw.task_type] += 1
        sampler.fold(draw, [] if draw.task_type == "extraction" else [make_record(draw)])

    # A prompt in vain counts a quarter; both kinds have the same number of cells.
    assert asked["extraction"] == pytest.approx(4 * asked["summarization"], rel=0.2)


@pytest.mark.parametrize(
    ("language", "instruction"), [("en", "Sort the flats."), ("ko", "매물을 분류해 주세요.")]
)
def test_record_is_read_with_its_kind(language: Language, instruction: str) -> None:
    draw = make_draw(language)._replace(cell=CELLS[language])
    text = f'```json\n{{"instruction": "{instruction}", "input": "N/A", "output": "ok"}}\n```'

    (draft,) = read(text, draw)

    assert (draft.instruction, draft.input, draft.output) == (instruction, "", "ok")
    assert draft.provenance.strategy == "topics"
    assert draft.provenance.task_type == "classification"
    assert draft.provenance.seed_ids == draw.seed_ids


@settings(max_examples=200, deadline=None)
@given(text=st.text(), reason=st.sampled_from(["stop", "length"]))
def test_no_text_makes_the_parser_raise(text: str, reason: str) -> None:
    assert read(text, make_draw("ko")._replace(cell=CELLS["ko"]), reason)
