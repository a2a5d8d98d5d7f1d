"""What English instructions ask for, against labels made by hand of our own seed tasks."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from pipeline.generation.seeds import load_seed_tasks
from pipeline.publishing.statistics.english import EnglishReader
from pipeline.publishing.statistics.english_nouns import singularise
from schemas.storage import read_jsonl

ROOT = Path(__file__).parents[2]


class Label(BaseModel):
    """What a person read in an instruction."""

    id: str
    verb: str
    noun: str | None
    """None where people could well disagree."""


@pytest.fixture(scope="module")
def reader() -> EnglishReader:
    return EnglishReader()


def test_people_read_most_seed_tasks_alike(reader: EnglishReader) -> None:
    seeds = {seed.id: seed.instruction for seed in load_seed_tasks(ROOT / "seeds/en.jsonl")}
    labels = list(read_jsonl(Path(__file__).parent / "asked/en.jsonl", Label))
    found = [(label, reader.read(seeds[label.id]).asked) for label in labels]
    paired = [(label, asked) for label, asked in found if label.noun is not None]

    assert len(labels) >= 100
    assert sum(label.verb == asked.verb for label, asked in found) >= 0.97 * len(found)
    assert sum((label.verb, label.noun) == asked for label, asked in paired) >= 0.92 * len(paired)


@pytest.mark.parametrize(
    ("instruction", "verb", "noun"),
    [
        pytest.param("Write a short poem about rain.", "write", "poem", id="order"),
        pytest.param("Please, write me a short poem.", "write", "poem", id="receiver"),
        pytest.param("Can you write two short poems?", "write", "poem", id="polite-question"),
        pytest.param("I would like you to list five towns.", "list", "town", id="wish-to-do"),
        pytest.param("I need a regular expression.", "need", "expression", id="wish"),
        pytest.param("Given a list of towns, sort them by size.", "sort", "", id="preface"),
        pytest.param("Briefly explain how bees find flowers.", "explain", "", id="clause"),
        pytest.param("What is the capital of France?", "what", "capital", id="question"),
        pytest.param("Is the whale a fish?", "whether", "whale", id="yes-or-no"),
        pytest.param("How does a lock work?", "how", "lock", id="does"),
        pytest.param("Diesel costs 1.60 a litre.", "", "", id="statement"),
        pytest.param("Look at the timetable.", "look", "", id="preposition"),
        pytest.param("Make up a saying about rain.", "make", "saying", id="particle"),
        pytest.param("Fix `parse_all()` now", "fix", "", id="code"),
        pytest.param("... !?", "", "", id="signs"),
        pytest.param("시를 써 줘.", "", "", id="korean"),
    ],
)
def test_first_sentence_that_asks_decides(
    reader: EnglishReader, instruction: str, verb: str, noun: str
) -> None:
    assert reader.read(instruction).asked == (verb, noun)


def test_words_are_in_lower_case_and_without_signs(reader: EnglishReader) -> None:
    assert list(reader.read("List THREE fruits, don't stop!").words) == [
        "list", "three", "fruits", "don", "t", "stop",
    ]  # fmt: skip


def test_megabyte_is_read_in_its_first_sentences(reader: EnglishReader) -> None:
    assert reader.read("Write a poem. " + "word " * 200_000).asked == ("write", "poem")


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("stories", "story"), ("boxes", "box"), ("houses", "house"), ("children", "child"),
        ("news", "news"), ("classes", "class"), ("analysis", "analysis"), ("phrases", "phrase"),
        ("matrices", "matrix"), ("status", "status"), ("cities", "city"), ("heroes", "hero"),
    ],
)  # fmt: skip
def test_nouns_are_told_in_the_singular(plural: str, singular: str) -> None:
    assert singularise(plural) == singular
