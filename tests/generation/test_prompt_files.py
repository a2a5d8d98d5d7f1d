"""The comparison with golden files itself."""

from pathlib import Path

import pytest

from schemas.exchange import Decoding, Message, Prompt
from tests.generation import golden
from tests.generation.golden import assert_golden, show


def test_equal_text_passes_and_a_differing_one_fails_with_the_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "_FOLDER", tmp_path)
    (tmp_path / "a.txt").write_text("하나\n둘\n", "utf-8")

    assert_golden("a.txt", "하나\n둘")
    with pytest.raises(pytest.fail.Exception, match=r"(?s)-둘.*\+셋.*tests\.generation\.golden"):
        assert_golden("a.txt", "하나\n셋")
    with pytest.raises(pytest.fail.Exception, match=r"\+하나"):
        assert_golden("missing.txt", "하나")


def test_prompt_is_shown_with_roles_and_schema() -> None:
    prompt = Prompt(
        messages=(Message(role="user", content="Hi.\nYou?"),),
        decoding=Decoding(),
        strategy="alpaca",
        language="en",
        response_schema={"type": "string"},
    )

    assert show(prompt) == '[user]\nHi.\nYou?\n\n[schema]\n{\n "type": "string"\n}'
