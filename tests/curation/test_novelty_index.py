"""Every decision is compared with a loop over rouge_score, as in Alpaca's generate_instruction."""

import gzip
import json
import random
from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curation.index_files import IndexFileError
from pipeline.curation.novelty.index import Match, Neighbourhood, Standing, Task
from pipeline.curation.novelty.similarity import SimilarityIndex
from pipeline.curation.novelty.similarity_kernel import ENTRIES
from pipeline.curation.novelty.token_index import TokenIndex
from pipeline.curation.novelty.tokens import Rows
from schemas.records import LANGUAGES, Language
from tests.curation.novelty_oracle import OracleIndex, oracle_f1

CORPUS = Path(__file__).parents[2] / "../shared/data/corpora"
# Few words, so that most texts are near each other; in both languages one token each.
WORDS = {"en": ("a", "be", "sea", "dog"), "ko": ("가", "나", "list", "漢")}


def to_tasks(texts: Sequence[str], first: int = 0) -> list[Task]:
    return [Task(f"task-{place}", text, b"") for place, text in enumerate(texts, first)]


def assert_decided_as_by_rouge_score(
    tasks: Sequence[Task], threshold: float, language: Language
) -> list[Standing]:
    standings = TokenIndex(threshold, language).sift(tasks)
    assert standings == OracleIndex(threshold, language).sift(tasks)
    return standings


def boundary_pairs(lengths: int) -> list[tuple[str, str, float]]:
    """Make pairs whose F1 is exactly 7/10; float64 puts it on either side of 0.7."""
    pairs: list[tuple[str, str, float]] = []
    for first in range(1, lengths):
        for second in range(1, lengths):
            common, rest = divmod(7 * (first + second), 20)
            if rest or common > min(first, second):
                continue
            shared = [f"s{place}" for place in range(common)]
            one = shared + [f"a{place}" for place in range(first - common)]
            other = [f"b{place}" for place in range(second - common)] + shared
            pairs.append((" ".join(one), " ".join(other), oracle_f1(one, other)))
    return pairs


def test_f1_of_seven_tenths_is_decided_by_rounding_as_in_rouge_score() -> None:
    decisions: set[bool] = set()
    for one, other, f1 in boundary_pairs(100):
        index = TokenIndex(0.7, "en")
        index.add([Task("one", one, b"")])
        (standing,) = index.sift([Task("other", other, b"")])
        assert standing == (Standing("repeat", "one", f1) if f1 > 0.7 else Standing("new"))
        decisions.add(f1 > 0.7)

    assert decisions == {True, False}


@st.composite
def batches(draw: st.DrawFn, language: Language) -> list[Task]:
    texts = draw(st.lists(st.lists(st.sampled_from(WORDS[language]), max_size=14), max_size=14))
    keys = st.sampled_from([b"", b"", b"", b"x", b"xy", b"\x00"])
    return [
        Task(f"task-{place}", " ".join(text), draw(keys), draw(st.integers(0, 4)) == 0)
        for place, text in enumerate(texts)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=120, deadline=None)
@given(data=st.data(), threshold=st.sampled_from([0.05, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0]))
def test_twins_barred_tasks_and_repeats_are_those_of_the_loop(
    language: Language, data: st.DataObject, threshold: float
) -> None:
    assert_decided_as_by_rouge_score(data.draw(batches(language)), threshold, language)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), cuts=st.sets(st.integers(0, 14)), known=st.integers(0, 3))
def test_cutting_into_calls_changes_no_decision(
    language: Language, data: st.DataObject, cuts: set[int], known: int
) -> None:
    tasks = data.draw(batches(language))
    whole, cut = TokenIndex(0.7, language), TokenIndex(0.7, language)
    whole.add(tasks[:known])
    for task in tasks[:known]:
        cut.add([task])
    parts = pairwise([0, *sorted(cuts), 14])

    assert [one for start, stop in parts for one in cut.sift(tasks[known:][start:stop])] == (
        whole.sift(tasks[known:])
    )


@settings(max_examples=30, deadline=None)
@given(
    length=st.sampled_from([1, 63, 64, 65, 128, 130]),
    edits=st.lists(st.tuples(st.integers(0, 129), st.sampled_from("abcxyz")), max_size=60),
)
def test_texts_longer_than_a_machine_word_are_decided_as_by_rouge_score(
    length: int, edits: list[tuple[int, str]]
) -> None:
    text = [f"w{place % 40}" for place in range(length)]
    changed = list(text)
    for place, word in edits:
        if place < length:
            changed[place] = word
    texts = [text, changed, changed[::-1], text + changed, (text + changed)[::-1]]

    assert_decided_as_by_rouge_score(to_tasks([" ".join(one) for one in texts]), 0.7, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_mixed_lengths_by_hundreds_are_decided_as_by_rouge_score(language: Language) -> None:
    # More records than ranks are made anew for, and all classes of lengths.
    draw = random.Random(0)  # noqa: S311 - test data, no secret
    pool = [f"{word}{place}" for place in range(12) for word in ("w", "x")]
    pool += [chr(0xAC00 + place) for place in range(10)] if language == "ko" else []
    texts: list[str] = []
    for _ in range(350):
        text = draw.choices(pool, k=int(draw.expovariate(0.08)) + 1)
        if texts and draw.random() < 0.5:
            text = draw.choice(texts).split()
            text[draw.randrange(len(text))] = draw.choice(pool)
        texts.append(" ".join(text))

    standings = assert_decided_as_by_rouge_score(to_tasks(texts), 0.7, language)

    assert {standing.kind for standing in standings} == {"new", "repeat"}


def test_texts_without_tokens_match_nothing() -> None:
    tasks = to_tasks(["", "🙂", "\ud800", "...", "a", "", "한글"])

    assert {one.kind for one in assert_decided_as_by_rouge_score(tasks, 0.7, "en")} == {"new"}


def test_floods_and_giants_are_decided() -> None:
    giant = " ".join(f"w{place % 5000}" for place in range(160_000))  # about 1 MB
    index = TokenIndex(0.7, "en")
    standings = index.sift(to_tasks([giant, "a " * 500_000, giant, giant[: len(giant) // 2 + 9]]))

    # Half of the tokens: F1 = 2 (1/2) / (1 + 1/2).
    assert [one.kind for one in standings] == ["new", "new", "repeat", "new"]
    flood = index.sift(to_tasks(["say it again"] * 100_000))
    assert flood[0].kind == "new"
    assert set(flood[1:]) == {Standing("repeat", "task-0", 1.0)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_survey_is_a_loop_over_all_known_tasks(language: Language) -> None:
    draw = random.Random(1)  # noqa: S311 - test data, no secret
    texts = [" ".join(draw.choices(WORDS[language], k=draw.randrange(12))) for _ in range(40)]
    texts.append(" ".join(WORDS[language] * 40))
    index, oracle = TokenIndex(0.7, language), OracleIndex(0.7, language)
    index.add(to_tasks(texts))
    oracle.add(to_tasks(texts))

    for text in texts:
        scores = oracle.scores(text)
        nearest = sorted(scores, key=lambda match: -match.score)[:10]
        mean = float(np.mean([match.score for match in scores]))
        assert index.survey(text) == Neighbourhood(nearest, mean)
    assert [match.id for match in index.survey(texts[3], 1).nearest] == [
        max(oracle.scores(texts[3]), key=lambda match: match.score).id
    ]


def test_calls_of_one_text_never_write_beside_the_posting_lists() -> None:
    # A list that is full takes a block of up to 1,024 places for one more entry, more than the one
    # text at hand accounts for; compiled loops write beyond an array without a word.
    index = SimilarityIndex(0.7)
    for _ in range(3000):
        index.add(Rows(np.zeros(1, np.int32), np.array([0, 1])), np.array([-1], np.int32))
        store = index._store  # pyright: ignore[reportPrivateUsage]
        assert store.counters[ENTRIES] <= len(store.entries)


def test_survey_of_nothing_is_empty() -> None:
    assert TokenIndex(0.7, "ko").survey("가나다") == Neighbourhood([], 0.0)


def test_survey_numbers_new_words_and_changes_no_decision() -> None:
    index = TokenIndex(0.7, "en")
    index.add([Task("one", "name a big river", b"")])

    assert index.survey("name words never seen", 1).nearest == [Match("one", 0.25)]
    assert index.sift([Task("two", "name words never seen", b"")]) == [Standing("new")]


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=25, deadline=None)
@given(data=st.data(), cut=st.integers(0, 14))
def test_loaded_index_goes_on_as_the_saved_one(
    tmp_path_factory: pytest.TempPathFactory, language: Language, data: st.DataObject, cut: int
) -> None:
    tasks = data.draw(batches(language))
    path = tmp_path_factory.mktemp("saved") / "known.index"
    index = TokenIndex(0.7, language)
    index.sift(tasks[:cut])
    index.save(path)
    loaded = TokenIndex.load(path, 0.7, language)

    assert loaded.survey("a 가 list") == index.survey("a 가 list")
    assert loaded.sift(tasks[cut:]) == index.sift(tasks[cut:])


@pytest.mark.parametrize(("threshold", "language"), [(0.71, "en"), (0.7, "ko")])
def test_index_of_another_threshold_or_language_is_refused(
    tmp_path: Path, threshold: float, language: Language
) -> None:
    TokenIndex(0.7, "en").save(tmp_path / "known.index")

    with pytest.raises(IndexFileError, match="wanted"):
        TokenIndex.load(tmp_path / "known.index", threshold, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_real_instructions_are_decided_as_by_alpaca(language: Language) -> None:
    path = CORPUS / f"{language}_instructions.jsonl.gz"
    if not path.exists():
        pytest.skip("../shared/data/corpora is not on this machine")
    # 400 are some 70,000 pairs for the oracle, about 3 s.
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["instruction"] for line in islice(lines, 400)]

    standings = assert_decided_as_by_rouge_score(to_tasks(texts), 0.7, language)

    assert {standing.kind for standing in standings} == {"new", "repeat"}
