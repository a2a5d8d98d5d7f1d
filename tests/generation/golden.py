"""Prompts as files under ``golden/``, so that a change of wording is seen and read in the diff.

Name a test that uses :func:`assert_golden` with the word "golden" in it. When a change is meant,
``python -m tests.generation.golden`` runs all these tests and writes what they compare; a word
behind it narrows that down as ``pytest -k`` does. Then read the diff.
"""

import json
import sys
from difflib import unified_diff
from pathlib import Path

import pytest

from pipeline.generation.sampling import Draw, Example
from schemas.exchange import Decoding, Prompt
from schemas.records import Language

_FOLDER = Path(__file__).with_suffix("")

EXAMPLES: dict[Language, tuple[Example, ...]] = {
    "en": (
        Example("Name three birds that cannot fly.", "", "Ostrich, penguin, kiwi.",
                "brainstorming", ("en-1",)),
        Example("Shorten the sentence to five words at most.",
                'The meeting, which we had planned for "Tuesday", was put off.\nIt is on Friday.',
                "Meeting moved to Friday.", "rewriting", ("en-2",)),
        Example("Is the review positive or negative?", "I would buy it again.", "positive",
                "classification", ("en-3",)),
    ),
    "ko": (
        Example("날지 못하는 새를 세 가지 말해 주세요.", "", "타조, 펭귄, 키위입니다.",
                "brainstorming", ("ko-1",)),
        Example("다음 문장을 다섯 어절 이내로 줄이세요.",
                '"화요일"에 하려던 회의가 미뤄졌습니다.\n금요일에 합니다.',
                "회의가 금요일로 미뤄졌습니다.", "rewriting", ("ko-2",)),
        Example("이 후기는 긍정인가요, 부정인가요?", "다음에 또 살 거예요.", "긍정",
                "classification", ("ko-3",)),
    ),
}  # fmt: skip


def make_draw(language: Language) -> Draw:
    """Make the draw that golden prompts show: three examples, one of them without an input."""
    return Draw(language, "classification", EXAMPLES[language], Decoding(), 5)


def show(prompt: Prompt) -> str:
    """Lay a prompt out as text: each message under its role, the schema last."""
    parts = [f"[{message.role}]\n{message.content}" for message in prompt.messages]
    if prompt.raw:
        parts.append(f"[raw]\n{prompt.raw}")
    if prompt.response_schema is not None:
        schema = json.dumps(prompt.response_schema, ensure_ascii=False, indent=1)
        parts.append(f"[schema]\n{schema}")
    return "\n\n".join(parts)


def assert_golden(name: str, text: str) -> None:
    """Compare a text with the file ``golden/NAME`` and fail with their difference."""
    path = _FOLDER / name
    wanted = path.read_text("utf-8") if path.exists() else ""
    if wanted == text + "\n":
        return
    lines = unified_diff(
        wanted.splitlines(), text.splitlines(), f"golden/{name}", "now", lineterm=""
    )
    pytest.fail(
        "\n".join([*lines, "If this is meant: python -m tests.generation.golden"]), pytrace=False
    )


def _write_golden(name: str, text: str) -> None:
    (_FOLDER / name).write_text(text + "\n", "utf-8")


def _rewrite(words: list[str]) -> int:
    """Run the golden tests with a comparison that writes."""
    with pytest.MonkeyPatch.context() as patch:
        # Before collection, so that the test modules import the one that writes.
        patch.setattr("tests.generation.golden.assert_golden", _write_golden)
        wanted = " and ".join(["golden", *words])
        return pytest.main(
            ["-q", "--continue-on-collection-errors", str(_FOLDER.parent), "-k", wanted]
        )


if __name__ == "__main__":
    sys.exit(_rewrite(sys.argv[1:]))
