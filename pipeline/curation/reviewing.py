"""Apply what readers decided: the last stage of curation, which overrules all others.

A decision is about a text, named by the id of the record or rejected draft that had it. An edit
makes a new text; decisions about that one, made later by readers of the next version, apply in
their turn, so that the whole file can be applied to the same drafts again and again. Each step goes
forward in the file, hence edits that undo each other come to an end.

Readers have the last word: what they accept or write is not put before the other stages again.
Only a text that another record has already is refused, as one version holds each once.

An edited record keeps the completion, place and seed tasks that it came from. It also keeps what it
was derived from, because a document or parent ties it to its relatives when a version is split;
where there is none, the id that it had before its first edit takes that place, and with it the
record stays on its side. Cost: linear.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import ValidationError

from schemas.manifest import ReviewReport
from schemas.records import Draft, InstructionRecord, Rejection, to_draft
from schemas.review import DecisionTable, ReviewDecision, ReviewedText
from schemas.storage import describe_validation_error


class Reviewed(NamedTuple):
    """Both halves after the review; together they account for every input exactly once."""

    kept: list[InstructionRecord]
    """In input order, edited ones in their place; then what was brought back, in its order."""
    dropped: list[Rejection]
    """In input order without what was brought back; then what readers dropped."""
    report: ReviewReport | None
    """None where nobody had decided anything."""


class _Fate(NamedTuple):
    """What the decisions make of one text."""

    draft: Draft
    """With its final text."""
    before: Draft
    """What the last edit was made on."""
    is_edited: bool
    """It says something else now; what was edited there and back is what it was."""
    is_rejected: bool
    note: str
    """Of the last decision."""
    places: frozenset[int]
    """Of all decisions that were applied."""


class _Candidate(NamedTuple):
    """A record that the review keeps, unless a reader rejects it or it says what another says."""

    record: InstructionRecord
    """As it would be kept."""
    fate: _Fate | None = None
    """None where nobody decided."""
    was_dropped: bool = False

    @property
    def is_edited(self) -> bool:
        return self.fate is not None and self.fate.is_edited

    @property
    def is_rejected(self) -> bool:
        return self.fate is not None and self.fate.is_rejected


def apply_decisions(
    kept: Sequence[InstructionRecord],
    dropped: Sequence[Rejection],
    decisions: Sequence[ReviewDecision],
) -> Reviewed:
    """Keep, drop, edit and bring back what readers decided upon.

    A decision applies to the kept records of its id where there are any, else to the first rejected
    draft of it: its twins stay rejected. Rejecting what is rejected already changes nothing. A
    draft that can be no record, such as one without an answer, can be edited but not accepted; it
    stays rejected, and its detail says that a reader wanted it.

    Args:
        kept: What all other stages have kept.
        dropped: What they have dropped.
        decisions: All of them, in the order in which they were made.
    """
    if not decisions:
        return Reviewed(list(kept), list(dropped), None)
    table = DecisionTable(decisions)
    candidates = [_look_at(record, table) for record in kept]
    back, remaining = _bring_back({record.id for record in kept}, dropped, table)
    survivors, rejections = _settle([*candidates, *back])
    used = {place for one in (*candidates, *back) if one.fate for place in one.fate.places}
    present = {rejection.draft.id for rejection in dropped}
    unused = sum(
        one.place not in used and one.decision.record not in present
        for one in table.list_standing()
    )
    return Reviewed(
        [one.record for one in survivors],
        [*remaining, *rejections],
        ReviewReport(
            accepted=sum(one.fate is not None and not one.is_edited for one in survivors),
            edited=sum(one.is_edited for one in survivors),
            rejected=sum(one.reason == "rejected-by-reader" for one in rejections),
            restored=sum(one.was_dropped for one in survivors),
            unused=unused,
        ),
    )


def _look_at(record: InstructionRecord, table: DecisionTable) -> _Candidate:
    if table.find(record.id) is None:
        return _Candidate(record)
    fate = _follow(to_draft(record), table)
    return _Candidate(_to_record(fate.draft) if fate.is_edited else record, fate)


def _bring_back(
    kept_ids: set[str], dropped: Sequence[Rejection], table: DecisionTable
) -> tuple[list[_Candidate], list[Rejection]]:
    """Divide rejections into those that readers want back and all others."""
    back: list[_Candidate] = []
    remaining: list[Rejection] = []
    seen = set(kept_ids)
    for rejection in dropped:
        id_ = rejection.draft.id
        standing = table.find(id_)
        if standing is None or standing.decision.verdict == "reject" or id_ in seen:
            remaining.append(rejection)
            continue
        fate = _follow(rejection.draft, table)
        try:
            back.append(_Candidate(_to_record(fate.draft), fate, was_dropped=True))
        except ValidationError as error:
            fault = describe_validation_error(error)
            detail = f"{rejection.detail}; a reader accepted it, but it is no record: {fault}"
            remaining.append(rejection.model_copy(update={"detail": detail}))
        else:
            seen.add(id_)
    return back, remaining


def _follow(first: Draft, table: DecisionTable) -> _Fate:
    """Apply what stands about a text, and to each text that comes of it what was decided later."""
    draft = before = first
    note = ""
    is_rejected = False
    places: list[int] = []
    standing = table.find(first.id)
    while standing is not None and standing.place > max(places, default=-1):
        place, decision = standing
        places.append(place)
        note = decision.note
        is_rejected = decision.verdict == "reject"
        if decision.edited is not None:
            before, draft = draft, _edit(draft, decision.edited)
        standing = table.find(draft.id)
    is_edited = draft.id != first.id
    return _Fate(
        draft if is_edited else first, before, is_edited, is_rejected, note, frozenset(places)
    )


def _edit(draft: Draft, text: ReviewedText) -> Draft:
    origin = draft.provenance
    return Draft(
        **text.model_dump(),
        language=draft.language,
        provenance=origin.model_copy(
            update={"edited": True, "derived_from": origin.derived_from or draft.id}
        ),
    )


def _to_record(draft: Draft) -> InstructionRecord:
    return InstructionRecord(
        instruction=draft.instruction,
        input=draft.input,
        output=draft.output,
        language=draft.language,
        provenance=draft.provenance,
    )


def _settle(
    candidates: Sequence[_Candidate],
) -> tuple[list[_Candidate], list[Rejection]]:
    """Drop what readers rejected, and edits that say what another record says."""
    taken = {one.record.id for one in candidates if not one.is_edited and not one.is_rejected}
    survivors: list[_Candidate] = []
    rejections: list[Rejection] = []
    for one in candidates:
        if one.fate is not None and one.fate.is_rejected:
            rejections.append(_reject(one.fate))
        elif one.fate is not None and one.is_edited and one.record.id in taken:
            rejections.append(_reject_as_duplicate(one.fate))
        else:
            taken.add(one.record.id)
            survivors.append(one)
    return survivors, rejections


def _reject(fate: _Fate) -> Rejection:
    return Rejection(
        draft=fate.draft,
        stage="review",
        reason="rejected-by-reader",
        detail=" ".join(fate.note.split()) or "a reader rejected it and gave no reason",
    )


def _reject_as_duplicate(fate: _Fate) -> Rejection:
    """Reject the text that was edited, so that its reader finds it and can take the edit back."""
    return Rejection(
        draft=fate.before,
        stage="review",
        reason="exact-duplicate",
        detail=f"a reader edited it into what {fate.draft.id} says already",
        score=1.0,
        collides_with=fate.draft.id,
    )
