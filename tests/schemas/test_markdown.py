"""Escaped text comes back as it was where nothing renders it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.markdown import plain, read_plain


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        (r"**Make reviews\/0001 the champion?**", "**Make reviews/0001 the champion?**"),
        (
            r"- 나아짐: 399문항에서 +15.9점 (p \= 1.6e-14)",
            "- 나아짐: 399문항에서 +15.9점 (p = 1.6e-14)",
        ),
        (r"C:\\temp 가\나", r"C:\temp 가\나"),
    ],
)
def test_escapes_are_not_shown_on_a_terminal(markdown: str, shown: str) -> None:
    assert read_plain(markdown) == shown


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_what_was_escaped_is_read_as_it_was(text: str) -> None:
    assert read_plain(plain(text)) == text
