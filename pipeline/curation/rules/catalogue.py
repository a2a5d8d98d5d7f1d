"""All rules, in the order in which they are asked, and the profiles that choose among them.

Most specific first: the first rule that is broken names the reason, the others go into ``also``.
"""

from functools import cached_property
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from pipeline.curation.rules.alpaca import ALPACA_RULES
from pipeline.curation.rules.answer import ANSWER_RULES
from pipeline.curation.rules.arithmetic import ARITHMETIC_RULES
from pipeline.curation.rules.attachment import ATTACHMENT_RULES
from pipeline.curation.rules.code import CODE_RULES
from pipeline.curation.rules.credentials import CREDENTIAL_RULES
from pipeline.curation.rules.ending import ENDING_RULES
from pipeline.curation.rules.instruction import INSTRUCTION_RULES
from pipeline.curation.rules.korean import KOREAN_RULES
from pipeline.curation.rules.leftovers import LEFTOVER_RULES
from pipeline.curation.rules.merged import MERGED_RULES
from pipeline.curation.rules.missing import MISSING_RULES
from pipeline.curation.rules.nonsense import NONSENSE_RULES
from pipeline.curation.rules.personal import PERSONAL_RULES
from pipeline.curation.rules.refusal import REFUSAL_RULES
from pipeline.curation.rules.rule import Rule, Severity
from pipeline.curation.rules.sight import SIGHT_RULES
from pipeline.curation.rules.translationese import TRANSLATIONESE_RULES
from pipeline.curation.rules.view import RecordView
from schemas.frozen import Frozen
from schemas.records import LANGUAGES, InstructionRecord, Language, Reason

RULES: tuple[Rule, ...] = (
    *INSTRUCTION_RULES,
    *SIGHT_RULES,
    *MISSING_RULES,
    *MERGED_RULES,
    *LEFTOVER_RULES,
    *NONSENSE_RULES,
    *ANSWER_RULES,
    *REFUSAL_RULES,
    *CODE_RULES,
    *ENDING_RULES,
    *ATTACHMENT_RULES,
    *CREDENTIAL_RULES,
    *PERSONAL_RULES,
    *ARITHMETIC_RULES,
    *KOREAN_RULES,
    *TRANSLATIONESE_RULES,
)
"""Our own; Alpaca's stand in ``ALPACA_RULES``."""

Profile = Literal["standard", "strict", "lenient", "alpaca"]


class _Choice(NamedTuple):
    severities: tuple[Severity, ...]
    """Of our own rules, those of these severities are asked."""
    alpaca_in: tuple[Language, ...] = ()
    """Languages whose records Alpaca's filters judge instead of our own rules."""


_PROFILES: dict[Profile, _Choice] = {
    "lenient": _Choice(("fatal",)),
    "standard": _Choice(("fatal", "serious")),
    "strict": _Choice(("fatal", "serious", "minor")),
    "alpaca": _Choice(("fatal", "serious"), alpaca_in=("en",)),
}


class RulesConfig(Frozen):
    """Which rules are asked."""

    profile: Profile = "standard"
    """``lenient`` asks only what no record of use can have, ``standard`` also what is mostly a
    defect, ``strict`` also Stanford Alpaca's filters on English, which are matters of taste
    (keywords, first characters). ``alpaca`` judges English records by the filters of
    Stanford Alpaca and nothing else, to compare with its data; Korean ones as ``standard``, as
    Alpaca's filters are for English alone."""
    off: tuple[Reason, ...] = ()
    """Rules to leave out, by their names in `./pacaloom rules`. Each one left out keeps more
    records."""
    on: tuple[Reason, ...] = ()
    """Rules to ask besides those of the profile, by the same names. Each one drops more records."""

    @model_validator(mode="after")
    def _switches_name_rules(self) -> Self:
        known = {rule.id for rule in (*RULES, *ALPACA_RULES)}
        strange = [reason for reason in (*self.off, *self.on) if reason not in known]
        if strange:
            raise ValueError(f"{strange[0]!r} is no rule; there are: {', '.join(sorted(known))}")
        both = [reason for reason in self.off if reason in self.on]
        if both:
            raise ValueError(f"{both[0]!r} is both on and off; name it once")
        return self

    @cached_property
    def asked(self) -> dict[Language, tuple[Rule, ...]]:
        """The rules for the records of each language, in their order."""
        return {language: self._asked_in(language) for language in LANGUAGES}

    def _asked_in(self, language: Language) -> tuple[Rule, ...]:
        severities, alpaca_in = _PROFILES[self.profile]
        own = ALPACA_RULES if language in alpaca_in else RULES
        asked = [rule for rule in own if own is ALPACA_RULES or rule.severity in severities]
        ids = {rule.id for rule in asked}
        # Strict asks Alpaca's filters too, where we have no rule of the same name.
        added = ALPACA_RULES if own is RULES else ()
        for rule in (*RULES, *ALPACA_RULES):
            is_wanted = rule.id in self.on or (rule in added and rule.severity in severities)
            if is_wanted and rule.id not in ids:
                asked.append(rule)
                ids.add(rule.id)
        return tuple(r for r in asked if language in r.languages and r.id not in self.off)


class Broken(NamedTuple):
    """A rule that a record breaks."""

    rule: Rule
    evidence: str


def find_broken_rules(record: InstructionRecord, config: RulesConfig) -> list[Broken]:
    """Return all rules that a record breaks, in the order of the rules, each with the evidence.

    The first names the reason of a rejection; were it off, the next would.
    """
    view = RecordView(record)
    return [
        Broken(rule, evidence)
        for rule in config.asked[record.language]
        if (evidence := rule.find(view)) is not None
    ]
