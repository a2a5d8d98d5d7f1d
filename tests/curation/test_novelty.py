"""Every decision is compared with a loop over rouge_score, as in Alpaca's generate_instruction."""

import gzip
import json
from itertools import product
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer  # pyright: ignore[reportMissingTypeStubs]

from pipeline.curation.novelty.index import Match, Task
from pipeline.curation.novelty.novelty import KnownTasks, LanguageTask, NoveltyConfig
from pipeline.curation.novelty.similarity import SimilarityIndex
from pipeline.curation.novelty.tokens import tokenize
from schemas.records import Language

CORPUS = Path(__file__).parents[2] / "../shared/data/corpora/en_instructions.jsonl.gz"
SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)


def oracle_f1(first: str, second: str) -> float:
    return cast("float", SCORER.score(first, second)["rougeL"].fmeasure)  # pyright: ignore[reportUnknownMemberType]


def oracle_f1_of_tokens(first: list[str], second: list[str]) -> float:
    score = rouge_scorer._score_lcs(first, second)  # pyright: ignore
    return cast("float", score.fmeasure)


def oracle_nearest(text: list[str], kept: list[list[str]], threshold: float) -> Match | None:
    best = Match("", threshold)
    for place, other in enumerate(kept):
        f1 = oracle_f1_of_tokens(text, other)
        if f1 > best.score:
            best = Match(str(place), f1)
    return best if best.id else None


def assert_same_decisions(texts: list[list[str]], threshold: float) -> int:
    """Admit texts one by one; return how many were kept."""
    index = SimilarityIndex(threshold)
    kept: list[list[str]] = []
    for text in texts:
        expected = oracle_nearest(text, kept, threshold)
        assert index.nearest(text) == expected
        if expected is None:
            index.add(str(len(kept)), text)
            kept.append(text)
    return len(kept)


@pytest.mark.parametrize(
    ("first", "repeat", "language"),
    [
        pytest.param("List three fruits.", "List three fruits!", "en", id="punctuation"),
        pytest.param(
            "Write a short poem about the sea.",
            "Write a short poem about the moon.",
            "en",
            id="noun",
        ),
        pytest.param(
            "과일 세 가지를 말해 줘.", "과일을 세 가지 말해 줘", "ko", id="particle-moved"
        ),
        pytest.param("과일 세 가지를 말해 줘.", "과일 세가지를 말해주세요", "ko", id="ending"),
        pytest.param(
            "PYTHON의 장점을 설명해 줘", "Python의 장점을 설명해 줘", "ko", id="latin-case"
        ),
    ],
)
def test_repeat_names_its_survivor_and_the_f1(first: str, repeat: str, language: Language) -> None:
    known = KnownTasks(NoveltyConfig())
    known.add([LanguageTask(language, Task("survivor", first, b""))])

    (standing,) = known.sift([LanguageTask(language, Task("next", repeat, b""))])

    assert (standing.kind, standing.of) == ("repeat", "survivor")
    assert standing.score == oracle_f1_of_tokens(
        tokenize(first, language), tokenize(repeat, language)
    )


@pytest.mark.parametrize(
    ("first", "second", "language"),
    [
        pytest.param("List three fruits.", "List three rivers in Asia.", "en", id="english"),
        pytest.param("서울 날씨 알려 줘", "부산 날씨 알려 줘", "ko", id="another-city"),
        pytest.param("3을 설명해 줘", "3", "ko", id="shared-digit"),
    ],
)
def test_another_task_is_new(first: str, second: str, language: Language) -> None:
    known = KnownTasks(NoveltyConfig())
    known.add([LanguageTask(language, Task("first", first, b""))])

    (standing,) = known.sift([LanguageTask(language, Task("next", second, b""))])

    assert standing.kind == "new"


def test_languages_never_match() -> None:
    known = KnownTasks(NoveltyConfig())
    known.add([LanguageTask("en", Task("english", "Python 3 list", b""))])

    (standing,) = known.sift([LanguageTask("ko", Task("next", "Python 3 list", b""))])

    assert standing.kind == "new"


def test_korean_tokens_are_syllables_and_whole_runs_of_other_letters() -> None:
    assert tokenize("GPT-4와 漢字 3개!", "ko") == ["gpt", "4", "와", "漢", "字", "3", "개"]


def test_f1_of_seven_tenths_is_decided_by_rounding_as_in_rouge_score() -> None:
    # F1 is exactly 7/10 for all of these; float64 puts it on either side of 0.7.
    decisions: set[bool] = set()
    for first, second in product(range(1, 61), repeat=2):
        common, rest = divmod(7 * (first + second), 20)
        if rest or common > min(first, second):
            continue
        shared = [f"s{place}" for place in range(common)]
        one = shared + [f"a{place}" for place in range(first - common)]
        other = [f"b{place}" for place in range(second - common)] + shared
        index = SimilarityIndex(0.7)
        index.add("one", one)
        expected = oracle_f1_of_tokens(other, one) > 0.7
        assert (index.nearest(other) is not None) == expected
        decisions.add(expected)

    assert decisions == {True, False}


words = st.lists(st.sampled_from("abcd"), max_size=14)


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(words, max_size=12),
    threshold=st.sampled_from([0.3, 0.5, 0.7, 0.8, 0.9, 1.0]),
)
def test_small_alphabets_are_decided_as_by_rouge_score(
    texts: list[list[str]], threshold: float
) -> None:
    assert_same_decisions(texts, threshold)


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

    assert_same_decisions([text, changed, changed[::-1], text + changed], 0.7)


def test_texts_without_tokens_match_nothing() -> None:
    index = SimilarityIndex(0.7)
    index.add("empty", [])

    assert index.nearest([]) is None
    assert index.nearest(["a"]) is None


def test_index_grows_past_its_first_allocation() -> None:
    index = SimilarityIndex(0.7)
    texts = [[f"{place}-{word}" for word in range(5)] for place in range(700)]
    for place, text in enumerate(texts):
        index.add(str(place), text)

    assert [index.nearest(text) for text in texts] == [
        Match(str(place), 1.0) for place in range(700)
    ]


def test_learning_a_corpus_changes_no_answer() -> None:
    texts = [
        f"write {a} about the {b} and the {c}".split() for a, b, c in product("abc", "xyz", "pq")
    ]
    plain, learned = SimilarityIndex(0.7), SimilarityIndex(0.7)
    learned.learn(texts)
    for place, text in enumerate(texts):
        assert plain.nearest(text) == learned.nearest(text)
        plain.add(str(place), text)
        learned.add(str(place), text)


@pytest.mark.skipif(not CORPUS.exists(), reason="../shared/data/corpora is not on this machine")
def test_real_instructions_are_decided_as_by_alpaca() -> None:
    # 600 are some 150,000 pairs for the oracle, 6 to 12 s.
    with gzip.open(CORPUS, "rt", encoding="utf-8") as lines:
        texts = [
            json.loads(line)["instruction"] for line, _ in zip(lines, range(600), strict=False)
        ]

    kept = assert_same_decisions([tokenize(text, "en") for text in texts], 0.7)

    assert 300 < kept < 600


@pytest.mark.parametrize(
    "text",
    ["The K in 5 K’s naïve café", "don't stop", "x_1 + y-2 = 3.5%", "İstanbul", "한글 mixed 글자"],
)
def test_english_tokens_are_those_of_rouge_score(text: str) -> None:
    for other in ("k in 5 k s na", "don t", "x 1 y 2 3 5", "i stanbul", "mixed"):
        expected = oracle_f1(text, other)
        got = oracle_f1_of_tokens(tokenize(text, "en"), tokenize(other, "en"))
        assert got == expected
