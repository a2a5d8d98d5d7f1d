"""A pattern in parts finds what the same pattern in one piece finds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curation.rules.parts import part, search

PARTS = (
    part(r"\b(?:see|click) the photo\b", ("photo",), ("see", "click")),
    part(r"\bphoto above\b", ("photo",), ("above",)),
    part(r"첨부(?:한|된) (?:사진|그림)", ("첨부",), ("사진", "그림")),
    part(r"(?:위|아래) 사진", ("사진",)),
)
WHOLE = re.compile("|".join(each.pattern.pattern for each in PARTS), re.IGNORECASE)
WORDS = ("See", "click", "the", "photo", "above", "첨부한", "첨부된", "사진", "그림", "위", "아래")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("Photo above. See the photo.", "Photo above", id="the-first-place-wins"),
        pytest.param("see the photo above", "see the photo", id="not-the-last-part"),
        pytest.param("아래 사진과 첨부한 그림", "아래 사진", id="korean"),
    ],
)
def test_first_match_of_all_parts_is_found(text: str, found: str) -> None:
    match = search(PARTS, text, text.lower())

    assert match is not None
    assert match[0] == found


@pytest.mark.parametrize("text", ["A photo of the sea.", "사진을 설명하세요."])
def test_words_of_a_part_are_no_match_by_themselves(text: str) -> None:
    assert search(PARTS, text, text.lower()) is None


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_parts_find_what_the_whole_pattern_finds(words: list[str]) -> None:
    text = " ".join(words)
    found, expected = search(PARTS, text, text.lower()), WHOLE.search(text)

    assert (found and found.span()) == (expected and expected.span())
