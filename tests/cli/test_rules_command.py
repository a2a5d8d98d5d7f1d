"""`rules` lists what curation asks, and shows one rule with the records that it judges."""

import json
from pathlib import Path

from pipeline.curation.rules.alpaca import ALPACA_RULES
from pipeline.curation.rules.catalogue import RULES
from tests.cli.command import run_pacaloom, run_warm


def test_every_rule_is_listed_in_its_order_with_the_profiles_that_ask_it(tmp_path: Path) -> None:
    done = run_warm("rules", outputs=tmp_path, COLUMNS="200")

    rules = json.loads(done.stdout)["rules"]
    assert done.stdout.count("\n") == 1
    assert [rule["id"] for rule in rules] == [rule.id for rule in (*RULES, *ALPACA_RULES)]
    profiles = {rule["severity"]: rule["profiles"] for rule in rules[: len(RULES)]}
    assert profiles["fatal"] == ["standard", "strict", "lenient", "alpaca"]
    assert profiles["serious"] == ["standard", "strict", "alpaca"]
    assert rules[-1]["profiles"] == ["strict", "alpaca"]
    assert all(rule.id in done.stderr and rule.explanation[:30] in done.stderr for rule in RULES)


def test_one_rule_is_shown_with_records_of_both_languages(tmp_path: Path) -> None:
    refusal = next(rule for rule in RULES if rule.id == "refusal")

    done = run_pacaloom("rules", "refusal", outputs=tmp_path, COLUMNS="200")

    (shown,) = json.loads(done.stdout)["rules"]
    for part, examples in (("examples", refusal.examples), ("near_misses", refusal.near_misses)):
        assert shown[part] == [example._asdict() for example in examples]
        assert {example["language"] for example in shown[part]} == {"en", "ko"}
    assert done.stderr.count("breaks it") == len(refusal.examples)


def test_alpacas_filter_of_the_same_name_stands_beside_our_rule(tmp_path: Path) -> None:
    done = run_warm("rules", "instruction-too-short", outputs=tmp_path)

    languages = [rule["languages"] for rule in json.loads(done.stdout)["rules"]]
    assert languages == [["en", "ko"], ["en"]]


def test_unknown_rule_is_a_mistake_that_names_the_rules(tmp_path: Path) -> None:
    done = run_warm("rules", "rudeness", outputs=tmp_path)

    assert done.status == 2
    assert done.stdout == ""
    assert "'rudeness'" in done.stderr
    assert "personal-data" in done.stderr


def test_rules_and_their_names_are_completed(tmp_path: Path) -> None:
    done = run_pacaloom("completion", "bash", outputs=tmp_path)

    assert done.status == 0
    assert "rules" in done.stdout
    assert "hallucinated-link" in done.stdout.split("_shtab_pacaloom_rules_pos_0_choices=")[1]
