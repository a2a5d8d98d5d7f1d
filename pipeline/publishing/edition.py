"""All that readers of one version are shown: what card, pictures, report and review work on."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pipeline.publishing.difference import Difference
from pipeline.publishing.splits import Splits
from pipeline.publishing.statistics.figures import VersionStatistics
from schemas.exchange import Exchange
from schemas.judgements import Assessment
from schemas.manifest import DatasetManifest
from schemas.records import InstructionRecord, Neighbour, Rejection, SeedTask
from schemas.review import ReviewDecision

FindExchange = Callable[[str], Exchange | None]
"""Finds prompt and answer by completion id; None where no journal of this machine holds them."""


class Edition(NamedTuple):
    """One version, whole, in memory."""

    manifest: DatasetManifest
    """Its ``files`` may still be missing: they are hashed when all are written."""
    splits: Splits
    rejected: Sequence[Rejection]
    assessments: Mapping[str, Assessment]
    """By record id."""
    nearest: Mapping[str, Neighbour]
    """By id of a kept record: the most similar other record or seed task. May be a sample."""
    seeds: Mapping[str, SeedTask]
    """By id, as far as they are on this machine."""
    find_exchange: FindExchange
    statistics: VersionStatistics
    difference: Difference | None
    """To the version before it under its name; None for the first one."""
    decisions: Sequence[ReviewDecision] = ()
    """What readers decided and this version applies, in order."""

    @property
    def kept(self) -> list[InstructionRecord]:
        """All kept records, train before validation."""
        return [*self.splits.train, *self.splits.validation]


def find_no_exchange(completion_id: str) -> Exchange | None:
    """Know nothing, for versions whose journal is not here."""
    return None
