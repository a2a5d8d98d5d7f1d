"""What readers had to do with one record of a version: who decided what, and what they overruled.

A version holds the decisions that it applies, but not why a draft that a reader brought back had
been dropped: that stands in the version where the reader found it, which may not be here.
Cost: linear in the decisions, and in the rejections of that version.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from flows.resources import find_dataset
from flows.settings import Settings
from pipeline.publishing.opening import read_applied_decisions
from pipeline.publishing.versions import open_version
from schemas.errors import PacaloomError
from schemas.records import Draft, InstructionRecord, Language, Provenance, Rejection
from schemas.review import DecisionTable, ReviewDecision, StandingDecision

_BY_READER = Provenance(strategy="review", teacher="reader", completion_id="review")
"""An id does not depend on where a text comes from."""


class ReadersPart(NamedTuple):
    """What readers decided about a text, and about those that it was edited from."""

    decisions: tuple[ReviewDecision, ...] = ()
    """Those that stand, oldest first; empty where nobody decided anything."""
    overruled: Rejection | None = None
    """Why the draft had been dropped in the version where a reader found it, as far as that is
    here and its settings are those of this one."""


def find_readers_part(
    folder: Path, text: InstructionRecord | Draft, settings: Settings, *, is_kept: bool
) -> ReadersPart:
    """Find what readers decided about a record or a rejected draft of a version."""
    applied = read_applied_decisions(folder)
    trail = _trace_back(text.id, text.language, applied)
    if not trail or not is_kept:
        return ReadersPart(trail)
    first = trail[0].record
    read = dict.fromkeys(one.dataset for one in reversed(applied) if one.record == first)
    curation = open_version(folder).curation
    found = (_find_overruled(first, dataset, curation, settings) for dataset in read)
    return ReadersPart(trail, next((one for one in found if one is not None), None))


def _trace_back(
    text_id: str, language: Language, decisions: Sequence[ReviewDecision]
) -> tuple[ReviewDecision, ...]:
    """Go from a text to those that readers made it of, backwards in the order of decisions."""
    table = DecisionTable(decisions)
    edits: dict[str, list[StandingDecision]] = {}
    for one in table.list_standing():
        if (made := _find_made(one.decision, language)) is not None:
            edits.setdefault(made, []).append(one)
    about_it = table.find(text_id)
    # What stands about the text itself can only say whether it is kept: an edit made another text.
    trail = [about_it] if about_it and about_it.decision.edited is None else []
    known = text_id
    place = trail[0].place if trail else len(decisions)
    while earlier := [one for one in edits.get(known, ()) if one.place < place]:
        trail.append(earlier[-1])
        known, place = earlier[-1].decision.record, earlier[-1].place
    return tuple(one.decision for one in reversed(trail))


def _find_made(decision: ReviewDecision, language: Language) -> str | None:
    """Name the text that an edit made, if it is one."""
    if decision.edited is None:
        return None
    return Draft(**decision.edited.model_dump(), language=language, provenance=_BY_READER).id


def _find_overruled(
    record: str, dataset: str, curation: dict[str, JsonValue], settings: Settings
) -> Rejection | None:
    # pyarrow takes 0.3 s to import, which `./pacaloom why --help` need not pay.
    from pipeline.publishing.tables import read_ids, read_rejections

    try:
        folder = find_dataset(dataset, settings)
        if open_version(folder).curation != curation:
            return None
        tables = (folder / "data" / f"{side}.parquet" for side in ("train", "validation"))
        # Its twin was kept there, and nothing was brought back.
        if any(record in read_ids(table) for table in tables):
            return None
        rejections = read_rejections(folder)
    except PacaloomError:
        return None
    return next((one for one in rejections if one.draft.id == record), None)
