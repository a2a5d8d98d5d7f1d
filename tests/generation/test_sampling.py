"""Draws: the ratio of seed tasks, the spread over kinds, the same draw from the same generator."""

from collections import Counter
from random import Random

import pytest

from pipeline.generation.sampling import MAX_EXAMPLE_BYTES, Draw, ExamplePool
from schemas.exchange import Decoding
from schemas.lineage import is_held_out
from schemas.records import InstructionRecord, Language, Provenance, SeedTask, TaskType
from tests.generation.scripted_run import make_seed

LANGUAGES: tuple[Language, ...] = ("en", "ko")


def make_record(language: Language, number: int, output: str = "machine") -> InstructionRecord:
    provenance = Provenance(
        strategy="structured", teacher="m", completion_id="c", seed_ids=("a", "b"), task_type="code"
    )
    return InstructionRecord(
        instruction=f"machine {number}", output=output, language=language, provenance=provenance
    )


def make_pool(language: Language, kinds: dict[TaskType, int], machine: int = 0) -> ExamplePool:
    seeds: list[SeedTask] = []
    for kind, count in kinds.items():
        seeds += [make_seed(language, len(seeds) + n, kind) for n in range(count)]
    pool = ExamplePool(seeds, language)
    for number in range(machine):
        pool.add(make_record(language, number))
    return pool


def draw_many(pool: ExamplePool, count: int, examples: int = 3, seed: str = "s") -> list[Draw]:
    return [pool.draw(Random(f"{seed}/{n}"), examples, Decoding()) for n in range(count)]  # noqa: S311


def count_machine(draw: Draw) -> int:
    return sum(example.output == "machine" for example in draw.examples)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("examples", "machine"), [(1, 0), (2, 0), (3, 1), (4, 1), (8, 2)])
def test_a_quarter_of_the_examples_comes_from_the_pool(
    language: Language, examples: int, machine: int
) -> None:
    # Self-Instruct: 6 seed tasks and 2 machine-generated ones of 8.
    pool = make_pool(language, {"code": 6, "rewriting": 6}, machine=20)

    for draw in draw_many(pool, 20, examples):
        assert len(draw.examples) == examples
        assert count_machine(draw) == machine


def test_empty_pool_leaves_all_places_to_seed_tasks() -> None:
    pool = make_pool("en", {"code": 6, "rewriting": 6})

    assert {(len(draw.examples), count_machine(draw)) for draw in draw_many(pool, 20)} == {(3, 0)}


def test_examples_of_a_draw_differ_and_one_is_of_the_wanted_kind() -> None:
    pool = make_pool("ko", {"code": 2, "rewriting": 2, "translation": 2})

    for draw in draw_many(pool, 50):
        assert len({example.seed_ids for example in draw.examples}) == 3
        assert draw.task_type in {example.task_type for example in draw.examples}
        # As many kinds as examples: the others show what else there is.
        assert len({example.task_type for example in draw.examples}) == 3


def test_few_seed_tasks_are_each_shown_once() -> None:
    (draw,) = draw_many(make_pool("en", {"code": 2}), 1, examples=8)

    assert len(draw.examples) == 2


def test_kinds_are_asked_in_the_proportion_of_the_seed_tasks() -> None:
    pool = make_pool("en", {"code": 8, "rewriting": 4, "translation": 2, "language": 2})

    asked = Counter(draw.task_type for draw in draw_many(pool, 160))

    # 160 prompts over 16 seed tasks: ten a seed task, give or take one that is under way.
    assert asked["code"] == pytest.approx(80, abs=8)
    assert asked["rewriting"] == pytest.approx(40, abs=4)
    assert asked["translation"] == pytest.approx(20, abs=2)
    assert asked["language"] == pytest.approx(20, abs=2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_emphasised_kind_is_asked_so_many_times_its_share(language: Language) -> None:
    seeds = [make_seed(language, n, "code") for n in range(20)]
    seeds += [make_seed(language, 20 + n, "rewriting") for n in range(20)]
    # Twice of one to once of the other: two thirds.
    pool = ExamplePool(seeds, language, {"code": 2.0})
    kinds = Counter(draw.task_type for draw in draw_many(pool, 300))
    assert abs(kinds["code"] - 200) <= 5


def test_same_generator_gives_the_same_draw_and_another_one_another() -> None:
    kinds: dict[TaskType, int] = {"code": 9, "rewriting": 9}

    first = draw_many(make_pool("en", kinds, machine=9), 10)

    assert draw_many(make_pool("en", kinds, machine=9), 10) == first
    assert draw_many(make_pool("en", kinds, machine=9), 10, seed="t") != first


def test_lineage_of_a_draw_is_sorted_and_holds_that_of_its_pool_record() -> None:
    pool = make_pool("en", {"code": 3, "rewriting": 3}, machine=1)

    for draw in draw_many(pool, 10):
        assert {"a", "b"} < set(draw.seed_ids)
        assert list(draw.seed_ids) == sorted(draw.seed_ids)


@pytest.mark.parametrize(("language", "letter"), [("en", "x"), ("ko", "가")])
def test_long_texts_are_not_shown(language: Language, letter: str) -> None:
    long_text = letter * (MAX_EXAMPLE_BYTES // len(letter.encode()) + 1)
    short = [make_seed(language, number) for number in range(3)]
    pool = ExamplePool(
        [*short, make_seed(language, 9).model_copy(update={"output": long_text})], language
    )
    pool.add(make_record(language, 1, output=long_text))

    shown = {example.output for draw in draw_many(pool, 30) for example in draw.examples}

    assert shown == {seed.output for seed in short}


def test_languages_are_never_mixed() -> None:
    pool = ExamplePool([make_seed(language, n) for language in LANGUAGES for n in range(5)], "ko")

    for draw in draw_many(pool, 20):
        assert all("설명하세요" in example.instruction for example in draw.examples)


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompt_shows_ancestors_of_training_or_of_validation_data_alone(language: Language) -> None:
    pool = make_pool(language, {"code": 90, "rewriting": 90})
    for number, draw in enumerate(draw_many(pool, 60)):
        child = make_record(language, number).provenance.model_copy(
            update={"seed_ids": draw.seed_ids}
        )
        pool.add(make_record(language, number).model_copy(update={"provenance": child}))

    sides = [{is_held_out(id_) for id_ in draw.seed_ids} for draw in draw_many(pool, 400, seed="t")]

    assert all(len(side) == 1 for side in sides)
    # A tenth of 400, within four standard deviations.
    assert sides.count({True}) == pytest.approx(40, abs=24)
    assert any(count_machine(draw) for draw in draw_many(pool, 20, seed="u"))


def test_few_seed_tasks_are_not_divided() -> None:
    pool = make_pool("en", {"code": 12})

    shown = {id_ for draw in draw_many(pool, 100) for id_ in draw.seed_ids}

    assert shown == {f"en-{number}" for number in range(12)}
    assert {is_held_out(id_) for id_ in shown} == {True, False}
