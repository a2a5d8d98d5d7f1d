"""Lay out all records of a version as columns, for the table, its filters and its search.

Cost: linear in the text.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pipeline.publishing.edition import Edition
from schemas.judgements import Assessment
from schemas.records import (
    LANGUAGES,
    STAGES,
    Draft,
    InstructionRecord,
    Neighbour,
    Provenance,
    Reason,
    Rejection,
)

MOST_CHARACTERS = 100_000
"""Characters of a text that the page holds; of longer ones it holds the beginning and says so."""

SIDES = ("rejected", "train", "validation")
_BLOCK_CHARACTERS = 600_000
_NOTHING_FOUND = Assessment()
_DECIMALS = 4


class Row(NamedTuple):
    """One record or rejected draft and what is known of it."""

    side: str
    task: InstructionRecord | Draft
    rejection: Rejection | None
    assessment: Assessment
    nearest: Neighbour | None


class Names(NamedTuple):
    """The values of the columns that hold few different ones; rows hold places in these."""

    sides: Sequence[str]
    languages: Sequence[str]
    stages: Sequence[str]
    reasons: Sequence[str]
    task_types: Sequence[str]
    strategies: Sequence[str]
    teachers: Sequence[str]


def collect_rows(edition: Edition) -> list[Row]:
    """Line up all records: train, validation, then rejected drafts in their order."""
    return [
        *(_kept_row(edition, "train", record) for record in edition.splits.train),
        *(_kept_row(edition, "validation", record) for record in edition.splits.validation),
        *(_rejected_row(edition, rejection) for rejection in edition.rejected),
    ]


def collect_names(rows: Sequence[Row]) -> Names:
    """Find the values that occur, in a fixed order."""
    origins = [row.task.provenance for row in rows]
    reasons: set[Reason] = set()
    for row in rows:
        if row.rejection is not None:
            reasons |= {row.rejection.reason, *row.rejection.also}
    return Names(
        sides=SIDES,
        languages=LANGUAGES,
        stages=STAGES,
        reasons=sorted(reasons),
        task_types=sorted({origin.task_type for origin in origins}),
        strategies=sorted({origin.strategy for origin in origins}),
        teachers=sorted({origin.teacher for origin in origins}),
    )


def lay_out(rows: Sequence[Row], names: Names) -> Iterator[dict[str, list[object]]]:
    """Yield blocks of rows in order, each as columns; small enough to be unpacked in one frame."""
    places = [_places(values) for values in names]
    block: dict[str, list[object]] = {}
    characters = 0
    for row in rows:
        for column, value in _cells(row, *places).items():
            block.setdefault(column, []).append(value)
        task = row.task
        characters += len(task.instruction) + len(task.input) + len(task.output)
        if characters >= _BLOCK_CHARACTERS:
            yield block
            block, characters = {}, 0
    if block:
        yield block


def _kept_row(edition: Edition, side: str, record: InstructionRecord) -> Row:
    assessment = edition.assessments.get(record.id, _NOTHING_FOUND)
    return Row(side, record, None, assessment, edition.nearest.get(record.id))


def _rejected_row(edition: Edition, rejection: Rejection) -> Row:
    assessment = edition.assessments.get(rejection.draft.id, _NOTHING_FOUND)
    nearest = None
    if rejection.collides_with is not None and rejection.score is not None:
        nearest = Neighbour(rejection.collides_with, rejection.score)
    return Row("rejected", rejection.draft, rejection, assessment, nearest)


def _places(values: Sequence[str]) -> dict[str, int]:
    return {value: place for place, value in enumerate(values)}


def _cells(
    row: Row,
    sides: Mapping[str, int],
    languages: Mapping[str, int],
    stages: Mapping[str, int],
    reasons: Mapping[str, int],
    task_types: Mapping[str, int],
    strategies: Mapping[str, int],
    teachers: Mapping[str, int],
) -> dict[str, object]:
    task, origin, rejection = row.task, row.task.provenance, row.rejection
    texts = (task.instruction, task.input, task.output)
    judgement, difficulty = row.assessment
    return {
        "id": task.id,
        "side": sides[row.side],
        "language": languages[task.language],
        "task": task_types[origin.task_type],
        "strategy": strategies[origin.strategy],
        "teacher": teachers[origin.teacher],
        "instruction": texts[0][:MOST_CHARACTERS],
        "input": texts[1][:MOST_CHARACTERS],
        "output": texts[2][:MOST_CHARACTERS],
        "lengths": list(map(len, texts)) if max(map(len, texts)) > MOST_CHARACTERS else None,
        "stage": stages[rejection.stage] if rejection else -1,
        "reason": reasons[rejection.reason] if rejection else -1,
        "detail": rejection.detail[:MOST_CHARACTERS] if rejection else "",
        "decided": _rounded(rejection.score) if rejection else None,
        "collides": rejection.collides_with if rejection else None,
        "also": [reasons[one] for one in rejection.also] if rejection else None,
        "nearest": row.nearest.id if row.nearest else None,
        "similarity": _rounded(row.nearest.score) if row.nearest else None,
        "grades": [list(grade) for grade in judgement] if judgement else None,
        "score": _rounded(judgement.score) if judgement else None,
        "difficulty": _rounded(difficulty),
        "completion": origin.completion_id,
        "position": origin.position,
        "seeds": list(origin.seed_ids),
        "origin": _rare_origin(origin, task),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)


def _rare_origin(origin: Provenance, task: InstructionRecord | Draft) -> list[object] | None:
    """Say what few records have; None for the others."""
    defect = task.defect if isinstance(task, Draft) else None
    values: list[object] = [
        list(origin.earlier_completion_ids),
        origin.derived_from,
        origin.source_licence,
        origin.edited,
        defect,
    ]
    return values if any(values) else None
