"""The nearest other task of each kept record, against a look at every pair."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curation.novelty import nearest as module
from pipeline.curation.novelty.index import Task
from pipeline.curation.novelty.korean_index import KoreanIndex
from pipeline.curation.novelty.nearest import find_nearest
from schemas.records import Language, Neighbour
from tests.curation.making import make_record, make_seed
from tests.curation.novelty_oracle import oracle_f1, oracle_tokens

_ENGLISH = st.lists(st.sampled_from("name a the small town river by it".split()), min_size=1)  # noqa: SIM905
_KOREAN = st.lists(
    st.sampled_from("서울 부산 날씨를 강을 알려 설명해 짧게 두 가지".split()),  # noqa: SIM905
    min_size=1,
    max_size=8,
)


def test_seed_and_record_are_both_neighbours_and_the_first_of_equals_wins() -> None:
    seed = make_seed("en-1", "Name a small town.", "en")
    one, two = make_record("Name a big town.", "en"), make_record("Name a big river.", "en")

    # 4 tokens each: seed and one share 3, one and two 3, seed and two 2.
    assert find_nearest([one, two], [seed]) == {
        one.id: Neighbour("en-1", 0.75),
        two.id: Neighbour(one.id, 0.75),
    }


def test_korean_record_has_a_korean_neighbour() -> None:
    seed = make_seed("ko-1", "서울 날씨를 알려 줘.", "ko")
    near, far = make_record("서울의 날씨를 알려 주세요.", "ko"), make_record("시를 써 줘.", "ko")
    english = make_record("Name a town.", "en")

    found = find_nearest([near, far, english], [seed])

    assert found[near.id].id == "ko-1"
    assert found[near.id].score > found[far.id].score
    assert english.id not in found


def test_lone_record_has_no_neighbour() -> None:
    assert find_nearest([make_record("시를 써 줘.", "ko")], []) == {}
    assert find_nearest([], []) == {}


def test_copies_of_a_record_are_one_task() -> None:
    one, other = make_record("Name a town.", "en"), make_record("Add two numbers.", "en")

    assert find_nearest([one, one, other], [])[one.id].id == other.id


def test_instruction_without_a_token_has_a_neighbour_at_no_similarity() -> None:
    one, other = make_record("?!", "en"), make_record("Name a town.", "en")

    assert find_nearest([one, other], [])[one.id] == Neighbour(other.id, 0.0)


@given(texts=st.lists(_ENGLISH.map(" ".join), min_size=2, max_size=8, unique=True))
@settings(max_examples=60, deadline=None)
def test_english_neighbour_is_that_of_a_loop_over_rouge_score(texts: list[str]) -> None:
    records = [make_record(text, "en") for text in texts]
    tokens = [oracle_tokens(text, "en") for text in texts]

    found = find_nearest(records, [])

    for place, record in enumerate(records):
        scores = [
            -1.0 if other == place else oracle_f1(tokens[place], tokens[other])
            for other in range(len(records))
        ]
        best = scores.index(max(scores))
        assert found[record.id] == Neighbour(records[best].id, scores[best])


@given(texts=st.lists(_KOREAN.map(" ".join), min_size=2, max_size=8, unique=True))
@settings(max_examples=60, deadline=None)
def test_korean_neighbour_is_that_of_a_look_at_all(texts: list[str]) -> None:
    records = [make_record(text, "ko") for text in texts]
    index = KoreanIndex(0.7)
    index.add([Task(record.id, record.instruction, b"") for record in records])

    found = find_nearest(records, [])

    for record in records:
        every = index.survey(record.instruction, len(records)).nearest
        best = next(match for match in every if match.id != record.id)
        assert found[record.id] == Neighbour(best.id, best.score)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_beyond_the_budget_the_lowest_ids_are_compared(
    language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.BUDGET, language, 60)
    records = [make_record(f"{number}", language) for number in range(20)]

    assert list(find_nearest(records, [])) == sorted(record.id for record in records)[:3]


def test_progress_comes_to_its_end() -> None:
    told: list[tuple[int, int]] = []
    records = [make_record(f"Name {number} towns.", "en") for number in range(450)]

    find_nearest(records, [], lambda done, total, note="": told.append((done, total)))

    assert told == [(200, 450), (400, 450), (450, 450)]
