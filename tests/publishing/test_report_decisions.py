"""The page says what readers decided, and not who they are."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.publishing.report.report import ReviewMode, render_report
from schemas.review import ReviewDecision, ReviewedText, ReviewVerdict
from tests.browser.editions import make_edition

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TEXT = ReviewedText(instruction="봄꽃은?", output="개나리입니다.")


def decide(record: str, verdict: ReviewVerdict, minute: int, note: str = "") -> ReviewDecision:
    return ReviewDecision(
        record=record.rjust(16, "0"),
        verdict=verdict,
        edited=TEXT if verdict == "edit" else None,
        note=note,
        author="김서연",
        time=NOON + timedelta(minutes=minute),
        dataset="fruits/0001-0123456789ab",
    )


DECISIONS = [
    decide("a1", "edit", 0, "꽃 이름이 틀렸다."),
    decide("b2", "reject", 1),
    decide("c3", "accept", 2),
    decide("a1", "reject", 3),
    decide("a1", "withdraw", 4),
    decide("c3", "withdraw", 5),
]


@pytest.mark.parametrize("is_review", [False, True])
def test_page_holds_standing_decisions_without_author_and_time(is_review: bool) -> None:
    edition = make_edition()._replace(decisions=() if is_review else DECISIONS)

    page = "".join(render_report(edition, review=ReviewMode(DECISIONS) if is_review else None))

    found = re.search(r'id="overview-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    assert json.loads(found[1])["decisions"] == [
        {
            "record": "a1".rjust(16, "0"),
            "verdict": "edit",
            "edited": {"instruction": "봄꽃은?", "input": "", "output": "개나리입니다."},
            "note": "꽃 이름이 틀렸다.",
        },
        {"record": "b2".rjust(16, "0"), "verdict": "reject", "edited": None, "note": ""},
    ]
    assert "김서연" not in page
    assert "12:00" not in page
