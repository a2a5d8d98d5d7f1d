"""Draws of one parent and of one kind from the pool."""

from random import Random

import pytest

from pipeline.generation.sampling import ExamplePool
from schemas.records import InstructionRecord, Language, Provenance, TaskType
from tests.generation.scripted_run import make_seed

LANGUAGES: tuple[Language, ...] = ("en", "ko")


def make_record(language: Language, number: int, task_type: TaskType) -> InstructionRecord:
    provenance = Provenance(
        strategy="topics", teacher="m", completion_id="c", seed_ids=("a",), task_type=task_type
    )
    return InstructionRecord(
        instruction=f"{number}?", output="!", language=language, provenance=provenance
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_parent_is_any_seed_task_or_record_and_carries_its_id(language: Language) -> None:
    pool = ExamplePool([make_seed(language, 1), make_seed(language, 2)], language)
    record = make_record(language, 1, "code")
    pool.add(record)

    parents = [pool.draw_parent(Random(n)) for n in range(60)]  # noqa: S311

    assert {parent.id for parent in parents} == {f"{language}-1", f"{language}-2", record.id}
    assert {parent.seed_ids for parent in parents if parent.id == record.id} == {("a",)}
    assert pool.draw_seed(Random(0)).id.startswith(language)  # noqa: S311


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples_of_a_kind_are_three_seed_tasks_to_one_record(language: Language) -> None:
    seeds = [make_seed(language, n, "code" if n < 5 else "rewriting") for n in range(9)]
    pool = ExamplePool(seeds, language)
    for number in range(20):
        pool.add(make_record(language, number, "code" if number % 2 else "rewriting"))

    for number in range(20):
        drawn = pool.draw_of_type(Random(number), "code", 4)  # noqa: S311
        assert {example.task_type for example in drawn} == {"code"}
        assert sum(example.seed_ids == ("a",) for example in drawn) == 1
        assert len(drawn) == len(set(drawn)) == 4


def test_kind_without_seed_tasks_is_shown_others_and_few_are_each_shown_once() -> None:
    pool = ExamplePool([make_seed("ko", n, "rewriting") for n in range(2)], "ko")

    assert len(pool.draw_of_type(Random(0), "code", 8)) == 2  # noqa: S311
