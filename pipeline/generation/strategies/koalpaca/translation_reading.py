"""Read both waves of ``koalpaca_translate`` and tell which translations are broken.

A translation is broken when words were left as they were, when a word has a sense that it does not
have in its task, when the input got lost, was invented or repeats the instruction, and when the
output that was written for it equals its input. Linear in the texts.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.generation.sampling import Draw, Example
from pipeline.generation.strategies.koalpaca.homonyms import has_wrong_sense
from pipeline.generation.strategies.koalpaca.translation_prompts import Task
from pipeline.generation.strategies.koalpaca.untranslated import drop_kept_lines, is_untranslated
from pipeline.generation.strategies.reading.drafting import Pieces, clean, is_no_input
from pipeline.generation.strategies.reading.near_copy import is_near_copy
from pipeline.generation.strategies.reading.numbered_answers import find_long
from pipeline.generation.strategies.reading.numbered_json import Item, find_items
from schemas.exchange import Completion
from schemas.records import Defect, Language


class Translated(NamedTuple):
    """What became of one source task in the first wave."""

    task: Task
    defect: Defect | None = None


def read_translations(draw: Draw, completion: Completion) -> list[Translated]:
    """Find and judge the translation of each source task, in the order of the draw."""
    items = find_items(completion.text, "input", len(draw.examples))
    return [
        _judge(source, items.get(number), completion, draw.language)
        for number, source in enumerate(draw.examples, 1)
    ]


def _judge(
    source: Example, item: Item | None, completion: Completion, language: Language
) -> Translated:
    if item is None:
        return Translated(Task("", ""), _missing(completion))
    instruction, given = (
        clean(item.parts.get(part, "")).strip() for part in ("instruction", "input")
    )
    task = Task(instruction, "" if is_no_input(given) else given)
    if item.is_cut:
        return Translated(task, "truncated")
    if not instruction:
        return Translated(task, "unparseable")
    return Translated(task, "broken-translation" if _is_broken(source, task, language) else None)


def _missing(completion: Completion) -> Defect:
    """Say why a task is not in an answer: it was cut off before it, or the teacher skipped it."""
    return "truncated" if completion.finish_reason == "length" else "unparseable"


def _is_broken(source: Example, task: Task, language: Language) -> bool:
    original = Task(source.instruction, source.input)
    given = drop_kept_lines(original.instruction, original.input, task.input)
    return (
        bool(original.input) != bool(task.input)
        or _repeats_instruction(original, task, language)
        or (language == "ko" and has_wrong_sense(original, task))
        or any(
            is_untranslated("\n".join(original), text, language)
            for text in (task.instruction, given)
        )
    )


def _repeats_instruction(original: Task, task: Task, language: Language) -> bool:
    """Tell an input that was replaced by the instruction, as small teachers do with 'I will …'."""
    other: Language = "en" if language == "ko" else "ko"
    return is_near_copy(task.input, task.instruction, language) and not is_near_copy(
        original.input, original.instruction, other
    )


def join_outputs(
    draw: Draw, translated: Sequence[Translated], completion: Completion
) -> list[Pieces]:
    """Give each sound translation its output; the others were not asked for and stay without."""
    outputs = _read_outputs(completion, sum(each.defect is None for each in translated))
    number = 0
    pieces: list[Pieces] = []
    for source, each in zip(draw.examples, translated, strict=True):
        number += each.defect is None
        output = outputs.get(number) if each.defect is None else None
        pieces.append(_join(source, each.task, output, completion))
    return pieces


def _join(source: Example, task: Task, output: Item | None, completion: Completion) -> Pieces:
    if output is None:
        return Pieces(*task, "", defect=_missing(completion))
    text = output.parts.get("output", "")
    # Of a text that needs no correction input and output are equal by right, in both languages.
    is_same = text.split() == task.input.split() and source.output.split() != source.input.split()
    is_broken = bool(task.input) and is_same
    return Pieces(*task, text, output.is_cut, "broken-translation" if is_broken else None)


def _read_outputs(completion: Completion, count: int) -> dict[int, Item]:
    """Read the array, or else a plain numbered list, as endpoints without schemas give it."""
    items = find_items(completion.text, "output", count)
    if items:
        return items
    is_cut = completion.finish_reason == "length"
    answers = find_long(completion.text, count, is_cut=is_cut)
    found: dict[int, Item] = {}
    for answer in answers:
        found.setdefault(answer.number, Item({"output": answer.text}, answer.is_cut))
    return found
