"""Read the answers of Self-Instruct's steps and filter instances as its authors do.

The filters are those of ``prepare_for_finetuning.py`` in their repository. That input and output
are equal, or the output empty, curation tells of any draft; here it only keeps such an instance
from being weighed against the others. Linear in the text.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.generation.sampling import MAX_EXAMPLE_BYTES, Draw
from pipeline.generation.strategies.reading.drafting import Pieces, clean, is_no_input
from pipeline.generation.strategies.reading.loose_json import find_instances
from pipeline.generation.strategies.reading.numbered_answers import Numbered, find_numbered
from pipeline.generation.strategies.reading.numbered_list import find_tasks
from pipeline.generation.strategies.self_instruct.asking import TASK_COUNT
from pipeline.generation.strategies.self_instruct.prompts import one_line
from schemas.exchange import Completion, Exchange
from schemas.records import Defect

# The words that are asked for, and what teachers say instead that answer without a schema.
_LABEL = ("label", "class", "yes", "true", "분류", "예", "네")
_OTHER = ("text", "no", "false", "서술", "아니", "아뇨")


class Invented(NamedTuple):
    """What the first step brought."""

    tasks: list[str]
    """Instructions that are followed up, at most eight."""
    others: list[Pieces]
    """Those that are not: cut, copied, too long, or more than were asked for."""


def read_tasks(draw: Draw, completion: Completion) -> Invented:
    """Sort the new instructions; one that was shown or written already is not followed up."""
    seen = {_fold(example.instruction) for example in draw.examples}
    invented = Invented([], [])
    is_cut = completion.finish_reason == "length"
    for entry in find_numbered(completion.text, TASK_COUNT, is_cut=is_cut):
        task = one_line(clean(entry.text))
        defect = _find_defect(entry, task, seen)
        seen.add(_fold(task))
        is_bearable = 0 < len(task.encode()) <= MAX_EXAMPLE_BYTES
        if defect or not is_bearable or len(invented.tasks) == TASK_COUNT:
            invented.others.append(Pieces(task, "", "", defect=defect))
        else:
            invented.tasks.append(task)
    return invented


def _find_defect(entry: Numbered, task: str, seen: set[str]) -> Defect | None:
    if entry.is_cut:
        return "truncated"
    return "copies-source" if _fold(task) in seen else None


def read_kinds(task_count: int, completion: Completion) -> list[bool]:
    """Tell for each task whether it is a classification; empty when there is no verdict at all."""
    answers = find_numbered(completion.text, task_count, is_cut=False)
    said = {answer.number: answer.text.strip(" \"'“”‘’*.").lower() for answer in answers}
    verdicts = [said.get(number, "") for number in range(1, task_count + 1)]
    if not any(verdict.startswith((*_LABEL, *_OTHER)) for verdict in verdicts):
        return []
    return [verdict.startswith(_LABEL) for verdict in verdicts]


def read_instances(task: str, exchange: Exchange) -> list[Pieces]:
    """Find the instances of one task and mark those that the paper filters."""
    text = exchange.completion.text
    found = find_instances(text)
    if not found and exchange.prompt.task_type != "classification":
        found = find_tasks(text, is_cut=exchange.completion.finish_reason == "length")
    found = [
        pieces._replace(instruction=task, input="" if is_no_input(pieces.input) else pieces.input)
        for pieces in found
    ]
    marked = [
        pieces._replace(defect="trailing-colon") if _ends_in_colon(pieces) else pieces
        for pieces in found
    ]
    if not _has_conflict([pieces for pieces in marked if _is_valid(pieces)]):
        return marked
    return [
        pieces._replace(defect="conflicting-outputs") if _is_valid(pieces) else pieces
        for pieces in marked
    ]


def _ends_in_colon(pieces: Pieces) -> bool:
    return pieces.input.strip().endswith((":", "：")) or pieces.output.strip().endswith((":", "："))


def _is_valid(pieces: Pieces) -> bool:
    """Tell whether an instance passes the filters that look at it alone."""
    is_whole = not pieces.is_cut and pieces.defect is None
    return is_whole and pieces.output.strip() not in {"", pieces.input.strip()}


def _has_conflict(instances: Sequence[Pieces]) -> bool:
    """Tell whether one input that is not empty has two outputs; then all instances are in doubt."""
    outputs: dict[str, str] = {}
    return any(
        outputs.setdefault(pieces.input.strip(), pieces.output.strip()) != pieces.output.strip()
        for pieces in instances
        if pieces.input.strip()
    )


def _fold(instruction: str) -> str:
    return one_line(instruction).casefold().rstrip(".!?。！？")
