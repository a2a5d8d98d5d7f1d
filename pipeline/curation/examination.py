"""What a draft says by itself: the stages that need no other record.

Schema, language and rules look at one draft at a time, so they can be asked in any order and on
any machine; duplicates and novelty then decide in the order of the drafts. Cost: linear in the
texts.
"""

from typing import NamedTuple

from pipeline.curation.config import CurationConfig
from pipeline.curation.language import LanguageReader, find_mismatch
from pipeline.curation.rules.catalogue import find_broken_rules
from pipeline.curation.validation import validate
from schemas.records import Draft, InstructionRecord, Reason, Rejection, Stage


class Objection(NamedTuple):
    """Why a valid record is dropped, whatever the others are."""

    stage: Stage
    reason: Reason
    detail: str
    score: float | None = None
    also: tuple[Reason, ...] = ()
    """Other rules that it breaks."""


class Examined(NamedTuple):
    """A valid record and what it is reproached with, if anything."""

    record: InstructionRecord
    objection: Objection | None


class Examiner:
    """Asks the configured stages."""

    def __init__(self, config: CurationConfig) -> None:
        """Load what the stages need."""
        self._config = config
        self._reader = LanguageReader(config.language) if "language" in config.stage else None

    def examine(self, draft: Draft) -> Examined | Rejection:
        """Make a record of a draft and say what is wrong with it, or reject it as no record."""
        record = validate(draft, self._config.validation)
        if isinstance(record, Rejection):
            return record
        return Examined(record, self._find_mismatch(record) or self._find_broken_rule(record))

    def _find_mismatch(self, record: InstructionRecord) -> Objection | None:
        if self._reader is None:
            return None
        mismatch = find_mismatch(record, self._reader)
        return None if mismatch is None else Objection("language", *mismatch)

    def _find_broken_rule(self, record: InstructionRecord) -> Objection | None:
        if "rules" not in self._config.stage:
            return None
        broken = find_broken_rules(record, self._config.rules)
        if not broken:
            return None
        (rule, evidence), *others = broken
        return Objection("rules", rule.id, evidence, also=tuple(each.rule.id for each in others))
