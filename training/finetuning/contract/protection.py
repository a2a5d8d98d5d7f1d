"""Keep evaluation items and validation rows out of the training rows.

Texts are compared as hashes after NFC, case folding and collapsing of white space: this finds the
item itself, not a paraphrase, for which the curation's contamination stage looks. Cost: linear,
about 10 µs a row.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from training.finetuning.contract.faults import Fault
from training.finetuning.data import Row

_LONG_ENOUGH = 12
"""Letters from which on a text proves where it comes from; "Yes." and "재밌어요" are anybody's."""


class Protected(NamedTuple):
    """What may not be trained on, without the texts themselves."""

    digests: Mapping[bytes, str]
    """Hash of a normalised text to the name of its evaluation task."""
    lineage: frozenset[str] = frozenset()
    """Ids of the seed tasks, documents and records that evaluation items are or descend from."""


NOTHING_PROTECTED = Protected({})


def protect(texts: Mapping[str, Iterable[str]], lineage: Iterable[str] = ()) -> Protected:
    """Hash the texts of evaluation items.

    Args:
        texts: By name of the task: what an item asks about, without labels and templates.
        lineage: Ids that no training row may descend from.
    """
    digests: dict[bytes, str] = {}
    for task, items in texts.items():
        for item in items:
            if normalised := normalise(item):
                digests.setdefault(_digest(normalised), task)
    return Protected(digests, frozenset(lineage))


def normalise(text: str) -> str:
    """Take away what formats and people vary: composition of letters, case, white space."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return " ".join(folded.split())


def find_evaluation_items(rows: Sequence[Row], protected: Protected) -> list[Fault]:
    """Find training rows that are or contain an evaluation item, or descend from one.

    A text of fewer than 12 letters counts only where it is the whole instruction or input.
    """
    if not protected.digests and not protected.lineage:
        return []
    return [fault for row in rows if (fault := _match(row, protected))]


def _match(row: Row, protected: Protected) -> Fault | None:
    for place, text in _comparable_texts(row):
        if task := protected.digests.get(_digest(text)):
            detail = f"its {place} is an item of the evaluation task {task!r}"
            return Fault("evaluation-item", row.id, "train", detail)
    if shared := sorted(protected.lineage.intersection(row.lineage)):
        detail = f"it descends from {shared[0]!r}, as an evaluation item does"
        return Fault("evaluation-item", row.id, "train", detail)
    return None


def _comparable_texts(row: Row) -> Iterator[tuple[str, str]]:
    """Give the texts of a row that might be an item, with what to call them."""
    instruction, context = normalise(row.instruction), normalise(row.input)
    yield "instruction", instruction
    if context:
        yield "input", context
        yield "instruction with its input", f"{instruction} {context}"
    output = normalise(row.output)
    if _is_long(output):
        yield "output", output
    for whole, text in (("instruction", row.instruction), ("input", row.input)):
        if "\n" in text:
            for line in text.splitlines():
                if _is_long(normalised := normalise(line)):
                    yield f"{whole} has a line that", normalised


def _is_long(normalised: str) -> bool:
    return len(normalised.replace(" ", "")) >= _LONG_ENOUGH


def find_leaks(train: Sequence[Row], validation: Sequence[Row], by_lineage: bool) -> list[Fault]:
    """Find validation rows whose prompt is trained on, or whose relatives are.

    Args:
        train: The rows that are trained on.
        validation: The rows that are held out.
        by_lineage: Whether the version promises that no seed task, document or source record has
            descendants in both.
    """
    prompts = {_prompt_digest(row): row.id for row in train}
    keys = {key: row.id for row in train for key in row.lineage} if by_lineage else {}
    faults: list[Fault] = []
    for row in validation:
        if twin := prompts.get(_prompt_digest(row)):
            detail = f"training row {twin} asks the same"
            faults.append(Fault("in-both-splits", row.id, "validation", detail))
        elif shared := next((key for key in row.lineage if key in keys), None):
            detail = f"it descends from {shared!r}, as training row {keys[shared]} does"
            faults.append(Fault("shared-lineage", row.id, "validation", detail))
    return faults


def _prompt_digest(row: Row) -> bytes:
    # Normalised text holds no line end, so it marks where the input begins.
    return _digest(f"{row.language}\n{normalise(row.instruction)}\n{normalise(row.input)}")


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
