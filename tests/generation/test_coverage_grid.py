"""The grid of topics: what is asked next, what counts as covered, and what is left out."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.generation.coverage import Cell, Coverage
from pipeline.generation.strategies.topics.english_topics import ENGLISH_TOPICS
from pipeline.generation.strategies.topics.korean_topics import KOREAN_TOPICS
from pipeline.generation.strategies.topics.topic_grid import Topic, make_cells
from schemas.records import TaskType

KINDS: tuple[TaskType, ...] = ("code", "rewriting")
SMALL = [Cell(topic, kind, "easy") for topic in ("a", "b") for kind in KINDS]


def take_many(coverage: Coverage, count: int, seed: int = 0) -> list[Cell]:
    rng = Random(seed)  # noqa: S311
    return [coverage.take(rng) for _ in range(count)]


def test_every_cell_is_asked_once_before_any_is_asked_twice() -> None:
    coverage = Coverage(SMALL, {})

    assert set(take_many(coverage, 4)) == set(SMALL)
    assert set(take_many(coverage, 4)) == set(SMALL)


def test_seed_tasks_cover_their_kind_and_no_topic() -> None:
    # Two seed tasks of code: the two cells of rewriting come first, then both kinds in turn.
    taken = take_many(Coverage(SMALL, {"code": 2}), 4)

    assert [cell.task_type for cell in taken[:2]] == ["rewriting", "rewriting"]
    assert {cell.topic for cell in taken[:2]} == {"a", "b"}


def test_a_kind_with_more_cells_is_asked_more_often() -> None:
    cells = [Cell(str(n), "code", "easy") for n in range(3)] + [Cell("0", "rewriting", "easy")]

    kinds = Counter(cell.task_type for cell in take_many(Coverage(cells, {}), 40))

    assert kinds == {"code": 30, "rewriting": 10}


def test_an_admitted_record_covers_its_cell_as_a_draft_under_way_does() -> None:
    coverage = Coverage(SMALL, {})
    for cell in take_many(coverage, 4):
        coverage.settle(cell, 1)

    assert set(take_many(coverage, 4)) == set(SMALL)


def test_a_cell_whose_prompt_brought_nothing_comes_again_before_the_others() -> None:
    coverage = Coverage(SMALL, {})
    first, *_ = take_many(coverage, 4)

    coverage.settle(first, 0)

    assert take_many(coverage, 1) == [first]


def test_a_cell_that_never_brings_anything_does_not_keep_the_others_from_their_turn() -> None:
    coverage = Coverage(SMALL, {})
    asked: Counter[Cell] = Counter()
    rng = Random(1)  # noqa: S311
    for _ in range(100):
        cell = coverage.take(rng)
        asked[cell] += 1
        coverage.settle(cell, 0 if cell == SMALL[0] else 1)

    # A failure counts a quarter, so four tries weigh as much as one record elsewhere.
    assert asked[SMALL[0]] == pytest.approx(4 * asked[SMALL[1]], rel=0.3)


@given(st.lists(st.integers(0, 3), max_size=60), st.integers())
def test_same_history_and_generator_choose_the_same_cells(admitted: list[int], seed: int) -> None:
    def play() -> list[Cell]:
        coverage, rng, cells = Coverage(SMALL, {"code": 1}), Random(seed), list[Cell]()  # noqa: S311
        for count in admitted:
            cells.append(coverage.take(rng))
            coverage.settle(cells[-1], count)
        return cells

    assert play() == play()


@pytest.mark.parametrize("topics", [ENGLISH_TOPICS, KOREAN_TOPICS], ids=["en", "ko"])
def test_full_grid_spreads_over_kinds_and_topics_from_the_start(topics: dict[str, Topic]) -> None:
    taken = take_many(Coverage(make_cells(topics), {}), 2 * len(topics))

    per_topic = Counter(cell.topic for cell in taken)
    per_kind = Counter(cell.task_type for cell in taken)
    assert len(per_kind) == 14
    assert len(per_topic) > 0.9 * len(topics)
    assert max(per_topic.values()) <= 4


@pytest.mark.parametrize("topics", [ENGLISH_TOPICS, KOREAN_TOPICS], ids=["en", "ko"])
def test_there_are_about_sixty_topics_with_different_names_and_matters(
    topics: dict[str, Topic],
) -> None:
    assert 55 <= len(topics) <= 70
    assert len({topic.name for topic in topics.values()}) == len(topics)
    assert len({topic.matters for topic in topics.values()}) == len(topics)


def test_korean_topics_are_written_in_hangul_and_some_are_found_in_korea_alone() -> None:
    assert all("가" <= topic.name[0] <= "힣" for topic in KOREAN_TOPICS.values())
    assert {"honorifics", "seollal", "jeonse", "suneung"} <= set(KOREAN_TOPICS) - set(
        ENGLISH_TOPICS
    )
    assert {"tipping", "idioms"} <= set(ENGLISH_TOPICS) - set(KOREAN_TOPICS)


def test_kinds_that_make_no_sense_for_a_topic_are_left_out() -> None:
    kinds = {cell.task_type for cell in make_cells({"t": Topic("w", "poems", "rhyme")})}

    assert "language" in kinds
    assert not kinds & {"arithmetic", "code", "unspecified"}
    assert len(make_cells({"t": Topic("nc", "tax", "forms")})) == (11 + 2) * 3


def test_an_emphasised_kind_is_covered_so_many_times_its_share() -> None:
    cells = [Cell(str(n), kind, "easy") for n in range(50) for kind in ("code", "reasoning")]
    coverage = Coverage(cells, {}, {"reasoning": 3.0})
    rng = Random(0)  # noqa: S311
    kinds = Counter(coverage.take(rng).task_type for _ in range(120))
    assert abs(kinds["reasoning"] - 90) <= 2
