"""All rules, in the order in which they are asked: the first that is broken names the reason."""

from typing import Literal, NamedTuple

from pipeline.curation.rules.alpaca import ALPACA_RULES
from pipeline.curation.rules.answer import ANSWER_RULES
from pipeline.curation.rules.arithmetic import ARITHMETIC_RULES
from pipeline.curation.rules.ending import ENDING_RULES
from pipeline.curation.rules.instruction import INSTRUCTION_RULES
from pipeline.curation.rules.korean import KOREAN_RULES
from pipeline.curation.rules.leftovers import LEFTOVER_RULES
from pipeline.curation.rules.personal import PERSONAL_RULES
from pipeline.curation.rules.rule import Rule
from schemas.frozen import Frozen
from schemas.records import InstructionRecord, Reason

RULES: tuple[Rule, ...] = (
    *INSTRUCTION_RULES,
    *LEFTOVER_RULES,
    *ANSWER_RULES,
    *ENDING_RULES,
    *PERSONAL_RULES,
    *ARITHMETIC_RULES,
    *KOREAN_RULES,
)


RuleSet = Literal["pacaloom", "alpaca"]

_SETS: dict[RuleSet, tuple[Rule, ...]] = {
    "pacaloom": RULES,
    "alpaca": (
        *ALPACA_RULES,
        *(rule._replace(languages=("ko",)) for rule in RULES if "ko" in rule.languages),
    ),
}


class RulesConfig(Frozen):
    """Which rules are asked."""

    set: RuleSet = "pacaloom"
    """``alpaca`` judges English records by the filters of Stanford Alpaca and nothing else, to
    compare with its data; Korean ones by our own rules, as Alpaca's are for English alone."""
    off: tuple[Reason, ...] = ()
    """Rules to leave out, by the reason that they give. Each one left out keeps more records."""


class Broken(NamedTuple):
    """A rule that a record breaks."""

    rule: Rule
    evidence: str


def find_broken_rule(record: InstructionRecord, config: RulesConfig) -> Broken | None:
    """Return the first rule that a record breaks, with the evidence."""
    for rule in _SETS[config.set]:
        if record.language in rule.languages and rule.id not in config.off:
            evidence = rule.find(record)
            if evidence is not None:
                return Broken(rule, evidence)
    return None
