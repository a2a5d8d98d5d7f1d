import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curation.contamination.contamination import (
    ContaminationConfig,
    ProtectedItem,
    drop_contaminated,
)
from schemas.records import InstructionRecord, Language, Rejection
from tests.curation.making import make_record

EN = "The climax was meant to frighten us, but the whole hall giggled at the rubber shark."
KO = "극장 개봉은 3월이었고 집에서는 5월 둘째 주부터 볼 수 있었어요."
EN_SHORT = "Splendid entertainment."
KO_SHORT = "최악의 카메라."
ITEMS = [
    ProtectedItem("en-long", (EN,), "reviews"),
    ProtectedItem("ko-long", (KO,), "reviews"),
    ProtectedItem("en-short", (EN_SHORT,), "reviews"),
    ProtectedItem("ko-short", (KO_SHORT,), "reviews"),
    ProtectedItem("en-word", ("Yes!",), "reviews"),
    ProtectedItem("ko-word", ("네.",), "reviews"),
]
CONFIG = ContaminationConfig()
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def find_leak(
    record: InstructionRecord, items: list[ProtectedItem] | None = None
) -> Rejection | None:
    kept, dropped = drop_contaminated([record], ITEMS if items is None else items, CONFIG)
    assert len(kept) + len(dropped) == 1
    return dropped[0] if dropped else None


COPIES = [
    pytest.param(lambda text: text, id="as-it-is"),
    pytest.param(lambda text: unicodedata.normalize("NFD", text), id="decomposed"),
    pytest.param(lambda text: text.upper(), id="case"),
    pytest.param(lambda text: text.translate(WIDE), id="full-width"),
    pytest.param(lambda text: text.replace(" ", "  \n"), id="white-space"),
    pytest.param(lambda text: text.replace(" ", ""), id="no-spaces"),
    pytest.param(lambda text: text.replace(" ", "\u200b "), id="zero-width"),
    pytest.param(lambda text: "".join(c for c in text if c.isalnum() or c == " "), id="no-marks"),
    pytest.param(lambda text: text.replace(" ", " - "), id="marks-added"),
]


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize(
    ("text", "language", "item"),
    [
        (EN, "en", "en-long"),
        (KO, "ko", "ko-long"),
        (EN_SHORT, "en", "en-short"),
        (KO_SHORT, "ko", "ko-short"),
        ("Yes!", "en", "en-word"),
        ("네.", "ko", "ko-word"),
    ],
)
def test_copy_is_found_whatever_its_letters_look_like(
    copy: Callable[[str], str], text: str, language: Language, item: str
) -> None:
    as_instruction = find_leak(make_record(copy(text), language))
    as_input = find_leak(make_record("분류 Classify", language, input_text=copy(text)))

    for leak in (as_instruction, as_input):
        assert leak is not None
        assert (leak.reason, leak.collides_with, leak.score) == ("contaminated-exact", item, 1.0)


@pytest.mark.parametrize(
    ("instruction", "language", "item"),
    [
        (f"Is this positive or negative? {EN} Answer in one word.", "en", "en-long"),
        (f"다음 평이 긍정인지 답하세요. {KO} 한 단어로 답하세요.", "ko", "ko-long"),
        (f"Is this review positive or negative?\n\n{EN_SHORT}\n\nLabel:", "en", "en-short"),
        (f"이 영화평은 긍정인가요, 부정인가요? {KO_SHORT} 한 단어로 답하세요.", "ko", "ko-short"),
        ("이 영화평은 긍정인가요, 부정인가요? 최악의 카메라 한 단어로만", "ko", "ko-short"),
    ],
)
def test_item_with_text_before_and_behind_is_found(
    instruction: str, language: Language, item: str
) -> None:
    leak = find_leak(make_record(instruction, language))

    assert leak is not None
    assert (leak.reason, leak.collides_with) == ("contaminated-exact", item)


@pytest.mark.parametrize(
    ("instruction", "language"),
    [
        pytest.param("Explain why splendid entertainment is rare.", "en", id="inside-a-sentence"),
        pytest.param("세상에서 최악의카메라맨을 뽑는다면 누구일까요", "ko", id="inside-a-word"),
        pytest.param("Answer yes or no: is water wet? Yes! or no!", "en", id="one-word"),
        pytest.param("네. 아니요. 중 하나로만 답하세요.", "ko", id="one-syllable"),
        pytest.param("Describe the climax that was meant to frighten us.", "en", id="few-words"),
        pytest.param("극장 개봉은 보통 언제 하나요?", "ko", id="few-syllables"),
    ],
)
def test_what_merely_sounds_alike_is_kept(instruction: str, language: Language) -> None:
    assert find_leak(make_record(instruction, language)) is None


def test_prefix_of_a_longer_task_is_another_task() -> None:
    items = [ProtectedItem("story", ("Write a short story.",), "tasks")]

    assert find_leak(make_record("Write a short story about an honest bee.", "en"), items) is None
    assert find_leak(make_record("Write a short story. Thanks!", "en"), items) is not None


@pytest.mark.parametrize(
    ("instruction", "language", "share"),
    [
        # Of 16 words the last is changed, of 27 syllables and numbers the first.
        (EN.replace("rubber shark", "rubber crab"), "en", 15 / 16),
        (KO.replace("극장", "국장"), "ko", 26 / 27),
    ],
)
def test_changed_word_leaves_an_overlap_that_is_measured(
    instruction: str, language: Language, share: float
) -> None:
    leak = find_leak(make_record(instruction, language))

    assert leak is not None
    assert leak.reason == "contaminated-overlap"
    assert leak.score == pytest.approx(share)
    assert f"{share:.0%}" in leak.detail


def test_detail_quotes_the_words_that_are_shared() -> None:
    leak = find_leak(make_record(f"Classify this: {EN.replace('The climax', 'Its end')}", "en"))

    assert leak is not None
    assert "of en-long of reviews: was meant to frighten us" in leak.detail


def test_answer_that_holds_a_long_item_is_a_leak_and_a_short_one_is_not() -> None:
    instruction = "Write two film reviews for me."
    long = find_leak(make_record(instruction, "en", output=f"1. {EN}\n2. I liked it."))
    short = find_leak(make_record(instruction, "en", output=f"1. {EN_SHORT}\n2. I liked it."))
    korean = find_leak(make_record("영화평을 하나 지어 줘.", "ko", output=f"예: {KO}"))

    assert (long and long.detail.split(" holds ")[0]) == "the output"
    assert korean is not None
    assert short is None


def test_item_of_instruction_and_input_is_found_in_one_field_or_two() -> None:
    items = [ProtectedItem("t1", ("Sort these words.\npear apple plum fig",), "tasks")]

    apart = make_record("Sort these words.", "en", input_text="pear, apple, plum, fig")
    together = make_record("Sort these words: pear apple plum fig", "en")
    other = make_record("Sort these words.", "en", input_text="dog cat cow hen")

    assert [find_leak(one, items) is not None for one in (apart, together, other)] == [
        True,
        True,
        False,
    ]


def test_numbers_keep_their_borders() -> None:
    items = [ProtectedItem("sum", ("What is 1 5 plus 2?",), "sums")]

    assert find_leak(make_record("What is 15 plus 2?", "en"), items) is None


def test_laughter_in_common_is_no_overlap() -> None:
    items = [ProtectedItem("a", ("아싸 1등 " + "ㅋ" * 30,), "reviews")]

    assert find_leak(make_record("이게 영화냐 " + "ㅋ" * 40, "ko"), items) is None


def with_origin(derived_from: str = "", seed_ids: tuple[str, ...] = ()) -> InstructionRecord:
    record = make_record("Name a bird that cannot fly.", "en")
    origin = {"derived_from": derived_from, "seed_ids": seed_ids}
    return record.model_copy(update={"provenance": record.provenance.model_copy(update=origin)})


def test_record_made_from_an_item_or_from_its_source_is_dropped() -> None:
    items = [ProtectedItem("item-1", ("새 이름을 대세요.",), "birds", derived_from="doc-7")]

    made = [
        find_leak(with_origin("item-1"), items),
        find_leak(with_origin(seed_ids=("en-001", "item-1")), items),
        find_leak(with_origin("doc-7"), items),
    ]

    assert [leak and leak.reason for leak in made] == ["contaminated-lineage"] * 3
    assert find_leak(with_origin("doc-8", ("doc-7",)), items) is None


def test_further_reasons_are_named_beside_the_first() -> None:
    record = make_record(EN, "en")
    origin = record.provenance.model_copy(update={"derived_from": "en-long"})

    leak = find_leak(record.model_copy(update={"provenance": origin}))

    assert leak is not None
    assert (leak.reason, leak.also) == ("contaminated-exact", ("contaminated-lineage",))


def test_question_that_many_items_share_is_still_found_whole() -> None:
    question = "Translate the following sentence into French: {}"
    items = [ProtectedItem(str(n), (question.format(n),), "tasks") for n in range(40)]

    leak = find_leak(make_record(f"Now {question.format(39)}.", "en"), items)

    assert leak is not None
    assert leak.collides_with == "39"


def test_nothing_protected_and_nothing_to_look_at_are_fine() -> None:
    record = make_record(EN, "en")

    assert drop_contaminated([record], [], CONFIG) == ([record], [])
    assert drop_contaminated([], ITEMS, CONFIG) == ([], [])
    assert find_leak(record, [ProtectedItem("marks", ("?!", ""), "odd")]) is None


def test_huge_records_and_progress() -> None:
    seen: list[tuple[int, int]] = []
    records = [make_record("과일 fruit " * 100_000 + EN, "en")] + [make_record(KO, "ko")] * 3000

    kept, dropped = drop_contaminated(
        records, ITEMS, CONFIG, lambda done, total, note="": seen.append((done, total))
    )

    assert (len(kept), len(dropped)) == (0, 3001)
    assert seen == [(2000, 3001), (3001, 3001)]


@settings(max_examples=80, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(), max_size=30), max_size=6),
    protected=st.lists(st.text(st.characters(), max_size=30), max_size=6),
)
def test_any_records_end_kept_or_dropped_and_copies_are_dropped(
    texts: list[str], protected: list[str]
) -> None:
    # Only what validation lets through becomes a record; protected texts may be anything.
    records = [make_record(f"a{text}", "en") for text in texts if text.isprintable()]
    copies = [
        make_record(text, "en")
        for text in protected
        if text.isprintable() and re.search("[A-Za-z0-9가-힣]", text)
    ]
    items = [ProtectedItem(str(n), (text,), "any") for n, text in enumerate(protected)]

    kept, dropped = drop_contaminated([*records, *copies], items, CONFIG)

    assert len(kept) + len(dropped) == len(records) + len(copies)
    assert not {id(copy) for copy in copies} & {id(record) for record in kept}


def test_config_loads_nothing_heavy() -> None:
    code = (
        "import sys, pipeline.curation.contamination.contamination; "
        "print([name for name in ('numpy', 'numba') if name in sys.modules])"
    )
    root = Path(__file__).parents[2]

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
