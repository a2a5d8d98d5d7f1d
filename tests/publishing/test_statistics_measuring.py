"""The figures of a version."""

import random
from itertools import pairwise

import pytest

from pipeline.publishing.statistics.diversity import SAMPLE, measure_diversity
from pipeline.publishing.statistics.figures import Phrase
from pipeline.publishing.statistics.measuring import LENGTH_EDGES, measure_version
from schemas.manifest import GenerationRun, RoundYield
from schemas.records import InstructionRecord, Language, Neighbour, Provenance, TaskType


def _record(
    instruction: str,
    language: Language = "en",
    *,
    output: str = "Yes.",
    task_type: TaskType = "code",
    strategy: str = "alpaca",
) -> InstructionRecord:
    origin = Provenance(
        strategy=strategy, teacher="test", completion_id="test:1", task_type=task_type
    )
    return InstructionRecord(
        instruction=instruction, output=output, language=language, provenance=origin
    )


def test_lengths_are_counted_in_characters_by_nearest_rank() -> None:
    records = [_record("List fruits.", output="x" * length) for length in range(1, 101)]

    lengths = measure_version(records, {}, []).languages["en"].lengths["output"]

    assert (lengths.shortest, lengths.p5, lengths.median) == (1, 5, 50)
    assert (lengths.p95, lengths.longest, lengths.filled) == (95, 100, 100)


def test_korean_lengths_count_syllables() -> None:
    records = [_record("시를 써 줘.", "ko", output="눈이 온다.")]

    assert measure_version(records, {}, []).languages["ko"].lengths["output"].median == 6


def test_column_that_is_empty_throughout_is_absent() -> None:
    lengths = measure_version([_record("List fruits.")], {}, []).languages["en"].lengths

    assert set(lengths) == {"instruction", "output"}


def test_histogram_holds_every_record_each_between_its_edges() -> None:
    records = [_record("List fruits.", output="x" * length) for length in (1, 2, 3, 2_000_000)]

    histogram = measure_version(records, {}, []).languages["en"].lengths["output"].histogram

    assert histogram.edges == LENGTH_EDGES
    assert sum(histogram.counts) == 4
    assert histogram.counts[0] == 1  # 1 lies in [1, 1.41)
    assert histogram.counts[2:4] == (1, 1)  # 2 in [2, 2.83), 3 in [2.83, 4)
    assert histogram.counts[-1] == 1


def test_edges_grow_by_a_constant_factor() -> None:
    steps = [after / before for before, after in pairwise(LENGTH_EDGES)]

    assert steps == pytest.approx([2**0.5] * len(steps))


def test_languages_without_records_are_absent() -> None:
    assert set(measure_version([_record("시를 써 줘.", "ko")], {}, []).languages) == {"ko"}
    assert measure_version([], {}, []).languages == {}


def test_phrases_are_counted_commonest_first() -> None:
    records = [
        _record(text) for text in ("Write a poem.", "Write two poems.", "Name a town.", "The rain.")
    ]

    diversity = measure_diversity(records, "en")

    assert diversity.phrases == (
        Phrase(verb="write", noun="poem", count=2),
        Phrase(verb="name", noun="town", count=1),
    )
    assert (diversity.looked_at, diversity.parsed) == (4, 3)


def test_distinct_words_equal_the_values_worked_out_by_hand() -> None:
    # a b a | a b: words a, b of 5; pairs ab, ba of 3.
    english = measure_diversity([_record("go on go"), _record("Go on")], "en")
    # 시 를 쓰 어 주 어: five of six morphemes differ, and all pairs.
    korean = measure_diversity([_record("시를 써 줘.", "ko")], "ko")

    assert (english.distinct_1, english.distinct_2) == (2 / 5, 2 / 3)
    assert (korean.distinct_1, korean.distinct_2) == (1.0, 1.0)


def test_similarity_is_that_of_the_records_that_were_compared() -> None:
    one, two, three = (_record(text) for text in ("Name a town.", "Name a river.", "Add 2 and 3."))
    nearest = {one.id: Neighbour("seed", 0.8), two.id: Neighbour(one.id, 1.0)}

    similarity = measure_version([one, two, three], nearest, []).languages["en"].similarity

    assert similarity is not None
    assert (similarity.looked_at, similarity.median, similarity.p95) == (2, 0.8, 1.0)
    assert [place for place, n in enumerate(similarity.histogram.counts) if n] == [16, 19]


def test_same_records_in_any_order_have_the_same_bytes() -> None:
    words = ("poem", "story", "letter", "joke")
    records = [
        _record(f"Write a {words[number % 4]} about {number} birds.", task_type="creative-writing")
        for number in range(40)
    ]
    records += [_record("시를 써 줘.", "ko", output=f"{number}") for number in range(20)]
    shuffled = random.Random(1).sample(records, len(records))  # noqa: S311

    measured = measure_version(records, {}, []).model_dump_json()

    assert measure_version(shuffled, {}, []).model_dump_json() == measured


def test_no_more_than_the_sample_is_read_and_it_is_the_same_one() -> None:
    records = [_record("Write a poem.", output=str(number)) for number in range(SAMPLE + 50)]

    diversity = measure_diversity(records, "en")

    assert diversity.looked_at == diversity.phrases[0].count == SAMPLE


def test_rounds_of_all_runs_follow_each_other() -> None:
    first, second = RoundYield(drafts=4, admitted=3), RoundYield(drafts=5, admitted=1)

    statistics = measure_version([], {}, [_run(first), _run(second)])

    assert statistics.rounds == (first, second)


def _run(one_round: RoundYield) -> GenerationRun:
    return GenerationRun(
        teacher="test",
        config={},
        admission={},
        seeds=(),
        documents=(),
        generated=one_round.drafts,
        admitted={"en": one_round.admitted},
        unanswered=(),
        prompt_tokens=0,
        completion_tokens=0,
        rounds=(one_round,),
        stopped_because="test",
        forecast=None,
    )
