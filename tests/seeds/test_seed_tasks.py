"""The seed tasks are what seeds/README.md says, and far from the evaluation items."""

import unicodedata
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from rouge_score.rouge_scorer import RougeScorer

from pipeline.generation.seeds import load_seed_tasks
from schemas.records import LANGUAGES, Language, SeedTask
from training.evaluation.tasks.loading import load_task

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_SEEDS = ROOT.parent / "shared" / "data" / "stanford_alpaca" / "seed_tasks.jsonl"


def load(language: Language) -> list[SeedTask]:
    return load_seed_tasks(ROOT / "seeds" / f"{language}.jsonl")


def shingles(text: str, width: int) -> set[str]:
    joined = "".join(text.split()).lower()
    return {joined[i : i + width] for i in range(max(len(joined) - width + 1, 1))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_counts_are_as_promised(language: Language) -> None:
    seeds = load(language)
    types = Counter(seed.task_type for seed in seeds)

    assert [seed.id for seed in seeds] == [f"{language}-{n:03d}" for n in range(1, 176)]
    assert all(seed.language == language for seed in seeds)
    assert types["classification"] >= 40
    assert types["unspecified"] == 0
    assert len(types) == 14
    assert sum(bool(seed.input) for seed in seeds) >= 90


@pytest.mark.parametrize("language", LANGUAGES)
def test_classification_names_its_labels_and_answers_with_one(language: Language) -> None:
    for seed in load(language):
        if seed.task_type == "classification":
            assert 2 <= len(seed.labels) <= 6, seed.id
            assert sum(seed.output.startswith(label) for label in seed.labels) >= 1, seed.id
        else:
            assert seed.labels == (), seed.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_composed_and_free_of_control_characters(language: Language) -> None:
    for seed in load(language):
        text = seed.instruction + seed.input + seed.output
        assert unicodedata.is_normalized("NFC", text), seed.id
        bad = [c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Co"} and c not in "\n\t"]
        assert bad == [], seed.id


@pytest.mark.parametrize(("language", "width"), [("en", 5), ("ko", 3)])
def test_no_seed_is_near_another_or_an_evaluation_item(language: Language, width: int) -> None:
    seeds = load(language)
    asked = [shingles(seed.instruction + seed.input, width) for seed in seeds]
    task = load_task(f"movie-sentiment-{language}")
    items = [shingles(item.text, width) for item in (*task.items, *task.shots)]

    def jaccard(one: set[str], other: set[str]) -> float:
        return len(one & other) / len(one | other)

    assert max(jaccard(one, other) for one, other in combinations(asked, 2)) < 0.5
    assert max(jaccard(one, item) for one in asked for item in items) < 0.3


@pytest.mark.skipif(not PUBLIC_SEEDS.is_file(), reason="needs ../shared/data/stanford_alpaca")
def test_english_seeds_are_not_the_public_ones() -> None:
    scorer = RougeScorer(["rougeL"])
    public = load_seed_tasks(PUBLIC_SEEDS)
    ours = load("en")

    highest = max(
        scorer.score(theirs.instruction, seed.instruction)["rougeL"].fmeasure
        for theirs in public
        for seed in ours
    )
    assert highest <= 0.6
