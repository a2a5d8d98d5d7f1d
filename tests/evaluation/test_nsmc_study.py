"""The records of the study on real reviews: what is asked, how often, and what is kept out."""

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.nsmc.measuring import ask_others, ask_reviews, weigh_texts, write_labels
from benchmarks.nsmc.mixtures import Sizes, make_rows, training_reviews
from benchmarks.nsmc.naive_bayes import classify
from benchmarks.nsmc.own_rows import make_own_rows
from benchmarks.nsmc.rows import (
    DATA,
    DataMissingError,
    Review,
    Row,
    read_reviews,
    take_balanced,
)
from benchmarks.nsmc.sentiment_rows import NEGATIVE, POSITIVE, make_plain_rows, make_varied_rows
from benchmarks.nsmc.summing_up import (
    Model,
    describe_cell,
    describe_gains,
    describe_others,
    describe_writing,
)
from benchmarks.nsmc.task import SEEN, UNSEEN, make_task, measured_reviews
from training.evaluation.answerers import LocalModel
from training.evaluation.prompts import open_with

needs_data = pytest.mark.skipif(
    not (DATA / "nsmc/train.jsonl").is_file(), reason=f"the public data are not in {DATA}"
)


def make_reviews(count: int) -> list[Review]:
    labels = (POSITIVE, NEGATIVE)
    return [Review(f"r{n}", f'{n}번째로 본 {{영화}} "이야기"', labels[n % 2]) for n in range(count)]


def text_of(row: Row) -> str:
    return f"{row.instruction}\n{row.input}"


@pytest.fixture(scope="module")
def varied() -> list[Row]:
    return make_varied_rows(make_reviews(4000), seed=3)


def test_each_label_is_the_answer_equally_often_in_every_form(varied: list[Row]) -> None:
    answers = Counter((row.kind, row.output) for row in varied)

    for kind in ("asked", "in the instruction", "line"):
        right = answers[f"review: {kind}", POSITIVE]
        assert right == answers[f"review: {kind}", NEGATIVE]
        assert right > 100


def test_neither_label_is_usually_named_first(varied: list[Row]) -> None:
    named = [
        row.instruction.index(POSITIVE) < row.instruction.index(NEGATIVE)
        for row in varied
        if row.kind == "review: asked" and POSITIVE in row.instruction
    ]

    assert 0.45 < sum(named) / len(named) < 0.55


def test_the_order_in_which_labels_are_named_does_not_tell_the_answer(varied: list[Row]) -> None:
    first_is_right = [
        (row.instruction.index(POSITIVE) < row.instruction.index(NEGATIVE))
        == (row.output == POSITIVE)
        for row in varied
        if row.kind == "review: asked" and POSITIVE in row.instruction
    ]

    assert 0.45 < sum(first_is_right) / len(first_is_right) < 0.55


def test_every_review_is_used_at_most_once(varied: list[Row]) -> None:
    used = Counter(
        number
        for row in varied
        for number in {word for word in text_of(row).split() if word.endswith("번째로")}
    )

    assert set(used.values()) <= {1, 2}


def test_review_text_is_never_read_as_a_template(varied: list[Row]) -> None:
    assert all('{영화} "이야기"' in text_of(row) for row in varied)


def test_no_record_has_the_bare_arrow_of_the_unseen_wording(varied: list[Row]) -> None:
    assert not any("->" in text_of(row) + row.output for row in varied)


def test_the_unseen_instruction_shares_no_content_word_with_a_trained_one(
    varied: list[Row],
) -> None:
    own = ("관객", "인터넷", "소감", "마음에", "실망", "적어라")
    assert all(word in UNSEEN[1].instruction for word in own)

    asked = {row.instruction for row in varied if row.kind == "review: asked"}

    assert not [text for text in asked for word in own if word in text]


def test_the_seen_wordings_are_among_the_trained_ones(varied: list[Row]) -> None:
    asked = {row.instruction for row in varied}

    assert {wording.instruction for wording in SEEN} <= asked


def test_particles_agree_with_drawn_nouns_and_labels(varied: list[Row]) -> None:
    wrong = ("평가을 ", "평가은 ", "글를 ", "리뷰을 ", "리뷰은 ", "긍정로 ", "만족로 ")

    assert not [row for row in varied for form in wrong if form in row.instruction]


def test_the_same_seed_gives_the_same_rows() -> None:
    reviews = make_reviews(60)

    assert make_varied_rows(reviews, 5) == make_varied_rows(reviews, 5)
    assert make_varied_rows(reviews, 5) != make_varied_rows(reviews, 6)


def test_plain_rows_ask_every_review_alike() -> None:
    rows = make_plain_rows(make_reviews(4), "긍정 또는 부정?")

    assert [row.output for row in rows] == [POSITIVE, NEGATIVE] * 2
    assert {row.instruction for row in rows} == {"긍정 또는 부정?"}


def test_own_rows_are_different_and_half_korean() -> None:
    rows = make_own_rows(200, seed=1)

    assert len(set(rows)) == 200
    assert 90 <= sum(row.language == "ko" for row in rows) <= 110


def test_own_rows_are_right_about_sums() -> None:
    for row in make_own_rows(300, seed=2):
        if row.kind == "arithmetic":
            first, sign, second = row.input.split()
            expected = int(first) + int(second) if sign == "+" else int(first) - int(second)
            assert int(row.output) == expected


def test_a_balanced_take_keeps_order_and_halves() -> None:
    reviews = [Review(str(n), "글", POSITIVE if n < 6 else NEGATIVE) for n in range(9)]

    assert [one.id for one in take_balanced(reviews, 4)] == ["0", "1", "6", "7"]


def test_naive_bayes_equals_the_value_worked_out_by_hand() -> None:
    # Grams of "가나" are 가, 나, 가나, of "나다" 나, 다, 나다; five are known. For "가" that is
    # (1 + 1) / (3 + 5) against (0 + 1) / (3 + 5), with even priors.
    train = [Review("1", "가나", POSITIVE), Review("2", "나다", NEGATIVE)]

    (scores,) = classify(train, ["가"])

    assert scores[POSITIVE] - scores[NEGATIVE] == pytest.approx(0.693147, abs=1e-6)


@needs_data
def test_no_measured_review_and_no_worked_example_is_learned_from() -> None:
    learned = {one.id for one in training_reviews(Sizes().reviews)}
    task = make_task(SEEN)

    assert not learned & {item.id for item in (*task.items, *task.shots)}
    assert Counter(one.label for one in measured_reviews()) == {POSITIVE: 200, NEGATIVE: 200}


@needs_data
def test_no_prompt_of_the_unseen_wordings_is_in_the_mixture() -> None:
    rows = make_rows("mixture", Sizes())
    texts = [text_of(row) for row in rows]

    assert not any('" -> ' in text or text.rstrip().endswith('" ->') for text in texts)
    assert not any(UNSEEN[1].instruction in text for text in texts)
    task = make_task(UNSEEN)
    prompt = open_with(task, UNSEEN[0]).render_prompt(task.items[0].text)
    assert prompt == f"{json.dumps(task.items[0].text, ensure_ascii=False)} ->"


@needs_data
def test_the_set_of_general_records_holds_no_review() -> None:
    reviews = {one.text for one in training_reviews(Sizes().reviews)}

    assert not [row for row in make_rows("general", Sizes()) if row.input in reviews]


def test_missing_data_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="is missing"):
        read_reviews("nsmc/train.jsonl", tmp_path)


@needs_data
def test_an_untrained_model_goes_through_every_measurement(llama: Path, tmp_path: Path) -> None:
    model = LocalModel(llama)
    both = [
        Model(
            name,
            ask_reviews(model, name == "base", tmp_path, limit=4),
            ask_others(model, tmp_path, limit=2),
            weigh_texts(model, limit=2),
            write_labels(model, limit=2),
        )
        for name in ("base", "student")
    ]
    base, student = both

    gains = describe_gains(student, base.reviews)
    _, together = describe_others(student, base)

    assert {gain.wording for gain in gains} == {"asked", "sorted", "arrow", "told"}
    assert len(gains) == 8
    # A model is exactly as good as itself.
    assert (together.difference, together.low, together.high) == (0, 0, 0)
    assert describe_cell("student", student.reviews[0]) == describe_cell("student", base.reviews[0])
    assert len(describe_writing(student)) == 4
    assert {one.language for one in student.texts} == {"en", "ko"}
