import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curation.near_duplicates import (
    NearDuplicatesConfig,
    drop_near_duplicates,
    jaccard,
    shingles,
)
from schemas.records import InstructionRecord, Language
from tests.curation.making import make_record

CONFIG = NearDuplicatesConfig()
EN = (
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen. It takes place in "
    "the chloroplasts of green plants, and nearly all life on Earth depends on it."
)
KO = (
    "광합성은 빛과 물과 이산화 탄소로 당과 산소를 만드는 과정입니다. "
    "녹색 식물의 엽록체에서 일어나며, "
    "지구에 사는 거의 모든 생물이 여기에 기대어 살아갑니다."
)


@pytest.mark.parametrize(
    ("first", "second", "language"),
    [
        pytest.param(EN, EN.replace("sugar", "glucose"), "en", id="english-word"),
        pytest.param(EN, EN.upper().replace(" ", "  "), "en", id="english-case-and-space"),
        pytest.param(KO, KO.replace("당과", "포도당과"), "ko", id="korean-word"),
        pytest.param(KO, KO.replace("만드는 과정입니다", "만듭니다"), "ko", id="korean-ending"),
    ],
)
def test_near_copy_names_the_first_record_and_the_jaccard(
    first: str, second: str, language: Language
) -> None:
    records = [
        make_record("What is photosynthesis?", language, output=first),
        make_record("What is photosynthesis?", language, output=second),
    ]

    result = drop_near_duplicates(records, CONFIG)

    assert result.kept == records[:1]
    (dropped,) = result.dropped
    assert (dropped.reason, dropped.collides_with) == ("near-duplicate", records[0].id)
    assert dropped.score == jaccard(shingles(records[0]), shingles(records[1]))


@pytest.mark.parametrize(
    ("first", "second", "language"),
    [
        pytest.param(EN, EN[::-1], "en", id="english"),
        pytest.param(KO, KO[::-1], "ko", id="korean"),
        pytest.param("What is 2 + 2? 4", "What is 7 + 9? 16", "en", id="short"),
    ],
)
def test_different_records_stay(first: str, second: str, language: Language) -> None:
    records = [make_record("A", language, output=first), make_record("B", language, output=second)]

    assert drop_near_duplicates(records, CONFIG).kept == records


def test_languages_are_never_compared() -> None:
    records = [make_record("What?", "en", output=EN), make_record("What?", "ko", output=EN)]

    assert drop_near_duplicates(records, CONFIG).kept == records


def test_nearest_of_several_survivors_is_named() -> None:
    # Two survivors that differ from each other, and a third text nearer to the second.
    config = NearDuplicatesConfig(threshold=0.6)
    words = [f"word{place}" for place in range(60)]
    far = " ".join(["other"] * 1 + [f"changed{place}" for place in range(19)] + words[20:])
    records = [
        make_record("A", "en", output=far),
        make_record("A", "en", output=" ".join(words)),
        make_record("A", "en", output=" ".join([*words[:-1], "end"])),
    ]

    result = drop_near_duplicates(records, config)

    assert result.kept == records[:2]
    assert result.dropped[0].collides_with == records[1].id


def test_jaccard_and_shingles_equal_the_values_worked_out_by_hand() -> None:
    record = make_record("abcd", "ko", output="a b")

    # "abcd\n\na b" with white space folded is "abcd a b".
    assert shingles(record) == {"abc", "bcd", "cd ", "d a", " a ", "a b"}
    assert jaccard({"a", "b", "c"}, {"b", "c", "d"}) == pytest.approx(0.5)


def test_no_record_at_all_is_fine() -> None:
    assert drop_near_duplicates([], CONFIG) == ([], [])


@settings(max_examples=20, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, 150), st.sampled_from("abc한글 ")), max_size=40))
def test_decision_is_that_of_the_exact_jaccard(edits: list[tuple[int, str]]) -> None:
    text = list(EN)
    for place, letter in edits:
        text[place] = letter
    records: list[InstructionRecord] = [
        make_record("A", "en", output=EN),
        make_record("A", "en", output="".join(text)),
    ]
    similarity = jaccard(shingles(records[0]), shingles(records[1]))

    result = drop_near_duplicates(records, CONFIG)

    # Below 0.95 the bands may overlook a pair (one in 400 at 0.8), but they never invent one.
    if similarity < CONFIG.threshold:
        assert len(result.kept) == 2
    elif similarity > 0.95:
        assert len(result.kept) == 1
