"""What became of the records of one version in another.

A record is its content: language, instruction, input and output, see its id. What both versions
hold is unchanged, whatever stands beside it. An edit is known by the draft that it was made on: by
its answer and the place in it, as ``derived_from`` may name another record that the draft was made
from; imports have no answer, and are made from nothing but what was edited. Cost: linear in the
records, a second for 100,000.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipeline.publishing.statistics.drift import Shift, find_drift
from pipeline.publishing.statistics.figures import VersionStatistics
from schemas.records import Draft, InstructionRecord, Reason, Rejection


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
_DraftKey = tuple[str, int]
"""Completion and place in it; of imports an id that the text had, and -1."""
_Text = InstructionRecord | Draft


def compare_versions(older: Versioned, newer: Versioned) -> Difference:
    """Tell what became of each record, and which figures moved.

    Records need not have different ids: copies are counted.
    """
    apart = _set_apart(older.kept, newer.kept)
    before = _map_edits(older, newer)
    changed, added = _pair(apart, before)
    replaced = Counter(change.before.id for change in changed)
    dropped = _Rejected(newer.rejected, before)
    lost: list[Loss] = []
    for record in apart.older:
        if replaced[record.id]:
            replaced[record.id] -= 1
        else:
            why = dropped.find(record)
            lost.append(Loss(record, why.reason, why.detail) if why else Loss(record, None))
    once_dropped = _Rejected(older.rejected, before)
    return Difference(
        older=older.name,
        newer=newer.name,
        added=added,
        lost=lost,
        changed=changed,
        unchanged=apart.common,
        regained=[record for record in added if once_dropped.find(record) is not None],
        drift=find_drift(older.statistics, newer.statistics),
    )


class _Rejected:
    """The rejections of a version, by text and by the draft that the text comes from."""

    def __init__(self, rejections: Sequence[Rejection], before: Mapping[str, str]) -> None:
        self._before = before
        self._by_id: dict[str, Rejection] = {}
        self._by_draft: defaultdict[_DraftKey, list[Rejection]] = defaultdict(list)
        for one in rejections:
            self._by_id.setdefault(one.draft.id, one)
            for key in _trace(one.draft, before):
                self._by_draft[key].append(one)

    def find(self, record: InstructionRecord) -> Rejection | None:
        """Find the rejection of a record, or of what an edit made of it or was made on."""
        same = self._by_id.get(record.id)
        if same is not None:
            return same
        for key in _trace(record, self._before):
            for one in self._by_draft.get(key, ()):
                if _is_edited(record, one.draft):
                    return one
        return None


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


def _pair(apart: _Apart, before: Mapping[str, str]) -> tuple[list[Change], list[InstructionRecord]]:
    """Pair records with what they were, edits before other answers; return the rest too."""
    partners = _pair_edits(apart, before)
    used = set(partners.values())
    same_task: defaultdict[_TaskKey, deque[int]] = defaultdict(deque)
    for place, record in enumerate(apart.older):
        if place not in used:
            same_task[_task_of(record)].append(place)
    for place, record in enumerate(apart.newer):
        if place not in partners and same_task.get(_task_of(record)):
            partners[place] = same_task[_task_of(record)].popleft()
    changed = [Change(apart.older[partners[one]], apart.newer[one]) for one in sorted(partners)]
    return changed, [one for place, one in enumerate(apart.newer) if place not in partners]


def _pair_edits(apart: _Apart, before: Mapping[str, str]) -> dict[int, int]:
    """Map places of newer records to those of older ones with another text of the same draft."""
    by_draft: defaultdict[_DraftKey, list[int]] = defaultdict(list)
    for place, record in enumerate(apart.older):
        for key in _trace(record, before):
            by_draft[key].append(place)
    partners: dict[int, int] = {}
    used: set[int] = set()
    for place, record in enumerate(apart.newer):
        candidates = (one for key in _trace(record, before) for one in by_draft.get(key, ()))
        for candidate in candidates:
            if candidate not in used and _is_edited(record, apart.older[candidate]):
                partners[place] = candidate
                used.add(candidate)
                break
    return partners


def _is_edited(one: _Text, other: _Text) -> bool:
    """Tell whether a reader made the difference; a reader may also take an edit back."""
    return one.provenance.edited or other.provenance.edited


def _task_of(record: InstructionRecord) -> _TaskKey:
    return record.language, record.instruction, record.input


def _map_edits(older: Versioned, newer: Versioned) -> dict[str, str]:
    """Map ids of edited texts that either version has seen to those that they had before."""
    before: dict[str, str] = {}
    for version in (newer, older):
        texts: list[_Text] = [*version.kept, *(one.draft for one in version.rejected)]
        for text in texts:
            if text.provenance.edited:
                before.setdefault(text.id, text.provenance.derived_from)
    return before


def _trace(text: _Text, before: Mapping[str, str]) -> list[_DraftKey]:
    """Name the draft that a text comes from; of imports all texts that it is known to have had."""
    origin = text.provenance
    if origin.strategy != "import":
        return [(origin.completion_id, origin.position)]
    ids = [text.id]
    earlier = origin.derived_from if origin.edited else None
    while earlier and earlier not in ids:
        ids.append(earlier)
        earlier = before.get(earlier)
    return [(id_, -1) for id_ in ids]
