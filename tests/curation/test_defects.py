"""Rules find hand-made defects that their writers made without having read the rules.

Each line of ``defects/RULE.LANGUAGE.jsonl`` is a record that has the defect or nearly has it.
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.curation.rules.catalogue import RULES
from pipeline.curation.rules.view import RecordView
from schemas.records import LANGUAGES, Language
from tests.curation.making import make_record

HERE = Path(__file__).parent / "defects"
RECALL = 0.95
FALSE_ALARMS = 0.05
# Sentences that are sound in grammar and void of sense need a reader; the judge is one. What
# patterns reach of these is held where it is.
REACHED = {("nonsense", "en"): 0.9, ("nonsense", "ko"): 0.93}


class Decisions(NamedTuple):
    found: list[bool]
    wrong: list[bool]


@cache
def decide(rule_id: str, language: Language) -> Decisions:
    rule = next(rule for rule in RULES if rule.id == rule_id)
    decisions = Decisions([], [])
    path = HERE / f"{rule_id}.{language}.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        record = make_record(
            case["instruction"], language, input_text=case["input"], output=case["output"]
        )
        fired = rule.find(RecordView(record)) is not None
        (decisions.found if case["fires"] else decisions.wrong).append(fired)
    return decisions


CLASSES = [
    pytest.param(rule.id, language, id=f"{rule.id}-{language}")
    for rule in RULES
    for language in LANGUAGES
    if language in rule.languages and (HERE / f"{rule.id}.{language}.jsonl").exists()
]


@pytest.mark.parametrize(("rule_id", "language"), CLASSES)
def test_defects_of_a_class_are_found(rule_id: str, language: Language) -> None:
    found = decide(rule_id, language).found

    assert len(found) >= 30
    assert sum(found) >= REACHED.get((rule_id, language), RECALL) * len(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_near_misses_of_all_classes_pass(language: Language) -> None:
    wrong = [
        fired
        for rule in RULES
        if (HERE / f"{rule.id}.{language}.jsonl").exists()
        for fired in decide(rule.id, language).wrong
    ]

    assert len(wrong) >= 100
    assert sum(wrong) <= FALSE_ALARMS * len(wrong)
