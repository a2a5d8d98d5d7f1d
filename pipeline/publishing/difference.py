"""What became of the records of one version in another.

A record is its content: language, instruction, input and output, see its id. What both versions
hold is unchanged, whatever stands beside it. Cost: linear in the records, a second for 100,000.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pipeline.publishing.statistics.drift import Shift, find_drift
from pipeline.publishing.statistics.figures import VersionStatistics
from schemas.records import InstructionRecord, Provenance, Reason, Rejection


class Versioned(NamedTuple):
    """A version, as far as it is compared."""

    name: str
    """``NAME/VERSION``."""
    kept: Sequence[InstructionRecord]
    rejected: Sequence[Rejection]
    statistics: VersionStatistics


class Loss(NamedTuple):
    """A record that the newer version does not hold any more."""

    record: InstructionRecord
    reason: Reason | None
    """Why the newer version rejects it; None where it never came to it."""
    detail: str = ""
    """What the newer version found, in one line; empty where it never came to it."""


class Change(NamedTuple):
    """A record whose text differs between the versions."""

    before: InstructionRecord
    after: InstructionRecord


class Difference(NamedTuple):
    """What was added, dropped and changed between two versions; each record in one list only.

    ``unchanged + changed + lost`` are the records of the older version, and
    ``unchanged + changed + added`` those of the newer one.
    """

    older: str
    """``NAME/VERSION``."""
    newer: str
    added: Sequence[InstructionRecord]
    """In the newer version only, in its order."""
    lost: Sequence[Loss]
    """In the order of the older version."""
    changed: Sequence[Change]
    """Edited by a reader, or the same task with another answer; in the order of the newer one."""
    unchanged: int
    regained: Sequence[InstructionRecord]
    """Those of ``added`` that the older version had rejected, edited since or not."""
    drift: Sequence[Shift] = ()
    """Which figures differ by more than chance, what is missing now first."""


class _Apart(NamedTuple):
    """The records of both versions that are not in the other one."""

    older: list[InstructionRecord]
    newer: list[InstructionRecord]
    common: int


_TaskKey = tuple[str, str, str]


def compare_versions(older: Versioned, newer: Versioned) -> Difference:
    """Tell what became of each record, and which figures moved.

    Records need not have different ids: copies are counted.
    """
    apart = _set_apart(older.kept, newer.kept)
    origins = _gather_origins(older, newer)
    changed, added = _pair(apart, origins)
    replaced = Counter(change.before.id for change in changed)
    reasons = {one.draft.id: one for one in reversed(newer.rejected)}
    lost: list[Loss] = []
    for record in apart.older:
        if replaced[record.id]:
            replaced[record.id] -= 1
        else:
            why = reasons.get(record.id)
            lost.append(Loss(record, why.reason, why.detail) if why else Loss(record, None))
    once_rejected = {rejection.draft.id for rejection in older.rejected}
    return Difference(
        older=older.name,
        newer=newer.name,
        added=added,
        lost=lost,
        changed=changed,
        unchanged=apart.common,
        regained=[
            record
            for record in added
            if not once_rejected.isdisjoint((record.id, *_ancestors(record, origins)))
        ],
        drift=find_drift(older.statistics, newer.statistics),
    )


def _set_apart(older: Sequence[InstructionRecord], newer: Sequence[InstructionRecord]) -> _Apart:
    common = Counter(record.id for record in older) & Counter(record.id for record in newer)
    return _Apart(_beyond(older, common), _beyond(newer, common), common.total())


def _beyond(
    records: Sequence[InstructionRecord], common: Mapping[str, int]
) -> list[InstructionRecord]:
    left = Counter(common)
    rest: list[InstructionRecord] = []
    for record in records:
        if left[record.id]:
            left[record.id] -= 1
        else:
            rest.append(record)
    return rest


def _pair(
    apart: _Apart, origins: Mapping[str, Provenance]
) -> tuple[list[Change], list[InstructionRecord]]:
    """Pair records with what they were, edits before other answers; return the rest too."""
    free: defaultdict[str, deque[InstructionRecord]] = defaultdict(deque)
    for record in apart.older:
        free[record.id].append(record)
    before: dict[int, InstructionRecord] = {}
    for place, record in enumerate(apart.newer):
        found = next((one for one in _ancestors(record, origins) if free.get(one)), None)
        if found is not None:
            before[place] = free[found].popleft()
    same_task: defaultdict[_TaskKey, deque[InstructionRecord]] = defaultdict(deque)
    for record in (one for left in free.values() for one in left):
        same_task[_task_of(record)].append(record)
    for place, record in enumerate(apart.newer):
        if place not in before and same_task.get(_task_of(record)):
            before[place] = same_task[_task_of(record)].popleft()
    changed = [Change(before[place], apart.newer[place]) for place in sorted(before)]
    return changed, [one for place, one in enumerate(apart.newer) if place not in before]


def _task_of(record: InstructionRecord) -> _TaskKey:
    return record.language, record.instruction, record.input


def _gather_origins(older: Versioned, newer: Versioned) -> dict[str, Provenance]:
    """Map what either version has seen to its origin, for edits of what was edited before."""
    origins: dict[str, Provenance] = {}
    for version in (newer, older):
        for record in version.kept:
            if record.provenance.edited:
                origins.setdefault(record.id, record.provenance)
        for rejection in version.rejected:
            if rejection.draft.provenance.edited:
                origins.setdefault(rejection.draft.id, rejection.draft.provenance)
    return origins


def _ancestors(record: InstructionRecord, origins: Mapping[str, Provenance]) -> Iterator[str]:
    """List the ids that a record had before readers edited it, the latest first."""
    seen = {record.id}
    origin: Provenance | None = record.provenance
    while origin is not None and origin.edited and origin.derived_from not in seen:
        seen.add(origin.derived_from)
        yield origin.derived_from
        origin = origins.get(origin.derived_from)
