"""What the rules find, what they wrongly turn away, and what they cost.

Recall and false alarms are those on ``tests/curation/defects``, hand-made cases whose writers had
not read the rules (they were then used to mend them, so the figures of a class not seen yet would
be lower). Real records are people's own: Stanford's seed tasks and Self-Instruct's user-oriented
tasks with their answers by all rules, and instructions of public corpora by the rules on
instructions. Their rejections are an upper bound of false ones: some have the defect.

    .venv/bin/python -m benchmarks.rules
"""

import argparse
import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.endpoint import ROOT
from pipeline.curation.rules.catalogue import RULES, RulesConfig, find_broken_rules
from pipeline.curation.rules.rule import Rule
from pipeline.curation.rules.view import RecordView
from schemas.records import LANGUAGES, InstructionRecord, Language, Provenance

SHARED = ROOT / "../shared/data"
DEFECTS = ROOT / "tests/curation/defects"
_ANSWER: dict[Language, str] = {
    "en": "It depends on the place and the season, so plan ahead and take your time.",
    "ko": "때와 장소에 따라 다르므로 미리 준비하고 천천히 살펴보면 좋습니다.",
}
_ON_INSTRUCTIONS = frozenset(
    {"instruction-too-short", "instruction-too-long", "needs-image-or-file", "nonsense"}
    | {"merged-instructions"}
)
_REAL = 2000
_TIMED = 10_000
_SHOWN = 12
_SHORTEST_TIMED, _LONGEST_TIMED = 200, 400


def make(language: Language, instruction: str, given: str, output: str) -> InstructionRecord:
    """Make a record of its columns."""
    origin = Provenance(strategy="import", teacher="benchmark", completion_id="benchmark")
    return InstructionRecord(
        instruction=instruction, input=given, output=output, language=language, provenance=origin
    )


def read_seeds() -> Iterator[InstructionRecord]:
    """Our own seed tasks."""
    for language in LANGUAGES:
        for line in (ROOT / f"seeds/{language}.jsonl").read_text(encoding="utf-8").splitlines():
            task = json.loads(line)
            yield make(language, task["instruction"], task["input"], task["output"])


def read_answered() -> Iterator[InstructionRecord]:
    """People's tasks with people's answers."""
    for name in (
        "stanford_alpaca/seed_tasks.jsonl",
        "self_instruct/user_oriented_instructions.jsonl",
    ):
        for line in (SHARED / name).read_text(encoding="utf-8").splitlines():
            task = json.loads(line)
            first = task["instances"][0]
            if first["output"].strip():
                yield make("en", task["instruction"], first["input"], first["output"])


def read_instructions(language: Language, count: int) -> list[InstructionRecord]:
    """Instructions of public corpora, which have no inputs, with a sound answer."""
    with gzip.open(SHARED / f"corpora/{language}_instructions.jsonl.gz", "rt") as lines:
        texts = [json.loads(line)["instruction"] for line in lines]
    chosen = random.Random(4).sample([text for text in texts if text.strip()], count)  # noqa: S311
    return [make(language, text, "", _ANSWER[language]) for text in chosen]


def count_rejected(records: Iterable[InstructionRecord], of: frozenset[str] | None) -> Counter[str]:
    """Count records by the first of the asked rules that they break, and all under "records"."""
    counts: Counter[str] = Counter()
    for record in records:
        counts["records"] += 1
        broken = find_broken_rules(record, RulesConfig())
        reasons = [each.rule.id for each in broken if of is None or each.rule.id in of]
        if reasons:
            counts["rejected"] += 1
            counts[reasons[0]] += 1
    return counts


def show_defects() -> None:
    """Print recall and false alarms of each class and language."""
    print(f"{'class':28} lang  found      wrongly fired")
    for path in sorted(DEFECTS.glob("*.jsonl")):
        rule_id, language = path.name.split(".")[:2]
        rule = next((rule for rule in RULES if rule.id == rule_id), None)
        if rule is None:
            continue
        found, wrong = judge_cases(path, language)
        print(
            f"{rule_id:28} {language}    {sum(found):2}/{len(found)} {sum(found) / len(found):4.0%}"
            f"   {sum(wrong)}/{len(wrong)}"
        )


def judge_cases(path: Path, language: str) -> tuple[list[bool], list[bool]]:
    """Ask the rule that a file of cases is named after: defects and near misses."""
    rule = next(rule for rule in RULES if rule.id == path.name.split(".")[0])
    answers: dict[bool, list[bool]] = {True: [], False: []}
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        tongue: Language = "ko" if language == "ko" else "en"
        record = make(tongue, case["instruction"], case["input"], case["output"])
        answers[case["fires"]].append(rule.find(RecordView(record)) is not None)
    return answers[True], answers[False]


def show_rejected(name: str, counts: Counter[str]) -> None:
    """Print one line of counts."""
    total, rejected = counts.pop("records"), counts.pop("rejected", 0)
    print(f"{name:34} {rejected:3} of {total:,} ({rejected / total:.2%})  {dict(counts)}")


def time_rules(records: list[InstructionRecord]) -> float:
    """Return CPU microseconds a record, the best of three rounds."""
    config = RulesConfig()
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for record in records:
            find_broken_rules(record, config)
        best = min(best, time.process_time() - start)
    return best / len(records) * 1e6


def time_rule(rule: Rule, records: list[InstructionRecord]) -> float:
    """Return CPU microseconds a record; the first of two rounds pays for the shared readings."""
    views = [RecordView(record) for record in records]
    spent = 0.0
    for _ in range(2):
        start = time.process_time()
        for view in views:
            rule.find(view)
        spent = time.process_time() - start
    return spent / len(records) * 1e6


def show_cost(records: list[InstructionRecord]) -> None:
    """Print microseconds a record, of all and of those with outputs of about 300 characters."""
    many = (records * (_TIMED // len(records) + 1))[:_TIMED]
    print(f"all, {_TIMED:,} records: {time_rules(many):.0f} µs a record")
    for language in LANGUAGES:
        middle = [
            record
            for record in records
            if record.language == language
            and _SHORTEST_TIMED <= len(record.output) <= _LONGEST_TIMED
        ]
        print(
            f"{language}, {len(middle)} records with outputs of {_SHORTEST_TIMED} to "
            f"{_LONGEST_TIMED} characters: {time_rules(middle):.0f} µs a record"
        )
        costs = {rule.id: time_rule(rule, middle) for rule in RulesConfig().asked[language]}
        dearest = sorted(costs.items(), key=lambda one: -one[1])[:_SHOWN]
        print("    " + ", ".join(f"{rule_id} {cost:.1f}" for rule_id, cost in dearest))


def main() -> None:
    """Run all parts; those on real records are skipped where the data is absent."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    show_defects()
    seeds = [*read_seeds()]
    print()
    show_rejected("our seed tasks", count_rejected(seeds, None))
    timed = seeds
    if SHARED.exists():
        answered = [*read_answered()]
        show_rejected("answered tasks of people", count_rejected(answered, None))
        rest = (_REAL - len(answered)) // 2
        for language in LANGUAGES:
            texts = read_instructions(language, rest)
            show_rejected(f"instructions, {language}", count_rejected(texts, _ON_INSTRUCTIONS))
        timed = [*seeds, *answered]
    else:
        print(f"real records: skipped, {SHARED} is absent")
    print()
    show_cost(timed)


if __name__ == "__main__":
    main()
