"""The Korean text tasks: enough items, none twice, none of them a seed, and fit to be marked."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from schemas.records import SeedTask
from training.evaluation.answers.constraints import is_met
from training.evaluation.answers.marks import mark_text
from training.evaluation.answers.rouge_l import rouge_l
from training.evaluation.tasks.items import EvaluationTask, TaskCard, TaskItem

ROOT = Path(__file__).parents[2]
BUILT_IN = ROOT / "training/evaluation/tasks/built_in"
NAMES = ["arithmetic-ko", "extraction-ko", "instruction-following-ko"]
SHORT_NAMES = NAMES[:2]


@cache
def read_task(name: str) -> EvaluationTask:
    card = TaskCard.model_validate_json((BUILT_IN / f"{name}.card.json").read_bytes())
    lines = (BUILT_IN / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    items = [TaskItem.model_validate_json(line) for line in lines]
    return EvaluationTask(
        name=name,
        card=card,
        items=tuple(item for item in items if item.split == "test"),
        shots=tuple(item for item in items if item.split == "shots"),
    )


@cache
def read_seeds() -> tuple[SeedTask, ...]:
    lines = (ROOT / "seeds/ko.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(SeedTask.model_validate_json(line) for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_task_has_items_to_score_and_to_show(name: str) -> None:
    task = read_task(name)

    assert task.card.language == "ko"
    assert name == f"{task.card.family}-ko"
    assert len(task.items) >= 150
    assert len(task.shots) >= 24
    assert len({item.text for item in (*task.items, *task.shots)}) == len(task.items + task.shots)


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_task_is_put_in_several_wordings(name: str) -> None:
    wordings = read_task(name).card.wordings

    assert len({wording.instruction for wording in wordings}) >= 3
    assert all(wording.instruction for wording in wordings)


@pytest.mark.parametrize("name", NAMES)
def test_references_get_full_marks(name: str) -> None:
    task = read_task(name)
    for item in (*task.items, *task.shots):
        for reference in item.references:
            assert mark_text(item, task.card.metric, reference, "ko") == 100, item.id


@pytest.mark.parametrize("name", NAMES)
def test_repeating_the_task_is_no_answer(name: str) -> None:
    # Small base models do so more often than not.
    task = read_task(name)
    for item in (*task.items, *task.shots):
        assert mark_text(item, task.card.metric, item.text, "ko") == 0, item.id


def test_no_instruction_meets_its_own_constraints() -> None:
    # Nor then does an answer that repeats it in slightly other words.
    task = read_task("instruction-following-ko")
    for item in (*task.items, *task.shots):
        assert not all(is_met(constraint, item.text) for constraint in item.constraints), item.id


def test_arithmetic_answers_are_whole_numbers_and_seldom_the_same() -> None:
    answers = Counter(item.references for item in read_task("arithmetic-ko").items)

    assert all(len(references) == 1 and int(references[0]) >= 0 for references in answers)
    assert max(answers.values()) <= 10


def test_extraction_groups_the_questions_about_one_passage() -> None:
    passages: dict[str, set[str]] = {}
    for item in (task := read_task("extraction-ko")).items + task.shots:
        passages.setdefault(item.group, set()).add(item.text.split("\n")[0])

    assert "" not in passages
    assert all(len(texts) == 1 for texts in passages.values())
    assert len({text for texts in passages.values() for text in texts}) == len(passages)


def test_extracted_answers_are_in_their_passage() -> None:
    for item in (task := read_task("extraction-ko")).items + task.shots:
        passage = "".join(item.text.split("\n질문:")[0].split())
        assert any("".join(text.split())[:2] in passage for text in item.references), item.id


def test_instructions_are_followed_in_all_ways_that_korean_knows() -> None:
    task = read_task("instruction-following-ko")
    kinds = {constraint.kind for item in task.items for constraint in item.constraints}

    assert len(kinds) == 13
    assert all(1 <= len(item.constraints) <= 3 for item in task.items + task.shots)
    assert [wording.instruction for wording in task.card.wordings] == [""]
    assert any(
        constraint.kind == "sentence_endings" and constraint.texts == ("요",)
        for item in task.items
        for constraint in item.constraints
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_item_is_a_near_copy_of_a_seed_or_of_another(name: str) -> None:
    task = read_task(name)
    texts = [item.text.split("\n질문:")[0] for item in (*task.items, *task.shots)]
    known = [seed.instruction for seed in read_seeds()] + [
        seed.input for seed in read_seeds() if seed.input
    ]
    for place, text in enumerate(texts):
        others = [other for other in texts[:place] if other != text]
        assert rouge_l(text, known, "ko") < 0.6, text
        assert rouge_l(text, others, "ko") < 0.8, text


@pytest.mark.parametrize("name", NAMES)
def test_lineage_names_seeds(name: str) -> None:
    ids = {seed.id for seed in read_seeds()}
    lineage = read_task(name).card.lineage

    assert lineage
    assert ids.issuperset(lineage)
