"""``rules``: what each rule of curation looks for, with records that break it and that do not."""

import json
from collections.abc import Sequence
from typing import get_args

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import escape_json, make_visible
from pipeline.curation.rules.alpaca import ALPACA_RULES
from pipeline.curation.rules.catalogue import RULES, Profile, RulesConfig
from pipeline.curation.rules.rule import Example, Rule

_EVERY_RULE = (*RULES, *ALPACA_RULES)
_PROFILES: tuple[Profile, ...] = get_args(Profile)


def run_rules(arguments: Sequence[str]) -> int:
    """List all rules or show one; the last line on standard output is a JSON object."""
    wanted: str | None = build_rules_parser().parse_args(list(arguments)).rule
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    # Two of Alpaca's filters have the names of rules of ours: both are shown.
    rules = [rule for rule in _EVERY_RULE if wanted in (None, rule.id)]
    if wanted is None:
        console.print(_list("In the order in which they are asked", RULES))
        console.print(_list("Stanford Alpaca's, for the profiles alpaca and strict", ALPACA_RULES))
    else:
        for rule in rules:
            _show(console, rule)
    described = [_describe(rule, with_examples=wanted is not None) for rule in rules]
    print(escape_json(json.dumps({"rules": described}, ensure_ascii=False)))
    return 0


def build_rules_parser() -> Parser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom rules",
        description="List the rules that curation asks of each record by itself, in their order,\n"
        "or show one with records that break it and records that look alike and do not.",
        epilog="`pacaloom curate` chooses among them by --rules.profile; its --rules.on and\n"
        "--rules.off add and leave out single ones.\n\n"
        "examples:\n"
        "  pacaloom rules\n"
        "  pacaloom rules refusal\n"
        "  pacaloom curate --name first --what-if rules.off=[refusal]",
        formatter_class=TeachingFormatter,
    )
    names = dict.fromkeys(rule.id for rule in _EVERY_RULE)
    parser.add_argument(
        "rule", nargs="?", choices=list(names), metavar="RULE", help="the rule to show"
    )
    return parser


def _list(title: str, rules: Sequence[Rule]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("rule", "severity", "in"):
        table.add_column(heading, no_wrap=True)
    # Folded, because rich crops a line that ends in wide letters otherwise.
    table.add_column("why such a record is dropped", overflow="fold", ratio=1)
    for rule in rules:
        table.add_row(rule.id, rule.severity, ", ".join(rule.languages), rule.explanation)
    return table


def _show(console: Console, rule: Rule) -> None:
    facts = f"{rule.severity}; in {', '.join(rule.languages)}; profiles: {_tell_profiles(rule)}"
    console.print(f"{rule.id}: {facts}")
    console.print(rule.explanation)
    table = Table(show_lines=True)
    for heading in ("", "language"):
        table.add_column(heading, no_wrap=True)
    for heading in ("instruction", "input", "output"):
        table.add_column(heading, overflow="fold", ratio=1)
    for what, examples in (("breaks it", rule.examples), ("does not", rule.near_misses)):
        for one in examples:
            texts = (one.instruction, one.input, one.output)
            table.add_row(what, one.language, *(Text(make_visible(text)) for text in texts))
    console.print(table)


def _tell_profiles(rule: Rule) -> str:
    asked = _profiles(rule)
    others = [profile for profile in _PROFILES if profile not in asked]
    if len(asked) <= len(others):
        return ", ".join(asked)
    return f"all but {', '.join(others)}" if others else "all"


def _profiles(rule: Rule) -> list[Profile]:
    """Name the profiles that ask a rule, in any language."""
    return [
        profile
        for profile in _PROFILES
        if any(
            rule is asked
            for rules in RulesConfig(profile=profile).asked.values()
            for asked in rules
        )
    ]


def _describe(rule: Rule, *, with_examples: bool) -> dict[str, object]:
    facts: dict[str, object] = {
        "id": rule.id,
        "severity": rule.severity,
        "languages": rule.languages,
        "profiles": _profiles(rule),
        "explanation": rule.explanation,
    }
    if with_examples:
        facts["examples"] = _to_json(rule.examples)
        facts["near_misses"] = _to_json(rule.near_misses)
    return facts


def _to_json(examples: Sequence[Example]) -> list[dict[str, str]]:
    return [example._asdict() for example in examples]
