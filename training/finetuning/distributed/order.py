"""What the processes of a run are told, and what they tell: JSON in a file, one event a line.

Nothing in either is secret: keys stay in the environment, which the processes inherit.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.frozen import Frozen
from training.finetuning.contract.protection import Protected
from training.finetuning.recipe import Recipe
from training.finetuning.tracking import Tracker

ORDER = "order.json"
EVENTS = "events.jsonl"


class Order(Frozen):
    """The arguments of ``training.finetuning.sft.finetune``; paths are absolute."""

    dataset: Path
    student: str
    student_path: Path
    recipe: Recipe
    root: Path
    name: str
    code_version: str
    report_to: tuple[Tracker, ...] = ()
    resume: Path | None = None
    protected: dict[str, str] = Field(default_factory=dict[str, str])
    """Hashes of evaluation items in hex digits, with the names of their tasks."""
    lineage: tuple[str, ...] = ()
    """What no training row may descend from."""


def name_protected(protected: Protected) -> dict[str, str]:
    """Write the hashes of evaluation items for an order."""
    return {digest.hex(): task for digest, task in protected.digests.items()}


def read_protected(order: Order) -> Protected:
    """Read what an order says may not be trained on."""
    digests = {bytes.fromhex(digest): task for digest, task in order.protected.items()}
    return Protected(digests, frozenset(order.lineage))


class Started(Frozen):
    """A process runs."""

    kind: Literal["started"] = "started"
    rank: int
    pid: int


class Stepped(Frozen):
    """A step is done, told by the first process."""

    kind: Literal["stepped"] = "stepped"
    done: int
    total: int
    note: str


class Said(Frozen):
    """A line for people, told by the first process."""

    kind: Literal["said"] = "said"
    message: str


class Finished(Frozen):
    """The version is published."""

    kind: Literal["finished"] = "finished"
    version: Path


class Interrupted(Frozen):
    """The run stopped between two steps, with a checkpoint."""

    kind: Literal["interrupted"] = "interrupted"


class Failed(Frozen):
    """The run cannot go on, for a reason that a line can tell."""

    kind: Literal["failed"] = "failed"
    message: str
    is_users: bool
    """Whether the request itself cannot be met (exit status 2)."""


Event = Started | Stepped | Said | Finished | Interrupted | Failed
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def tell(folder: Path, event: Event) -> None:
    """Append an event; lines of several processes do not mix."""
    line = (event.model_dump_json() + "\n").encode()
    # One write to a file opened for appending is one piece, whoever else writes.
    descriptor = os.open(folder / EVENTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


class EventReader:
    """Read the events of a run as they come."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS
        self._position = 0

    def read(self) -> list[Event]:
        """Return the events since the last call, without waiting for any."""
        if not self._path.is_file():
            return []
        with self._path.open("rb") as file:
            file.seek(self._position)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._position += len(whole) + len(newline)
        return [_EVENT.validate_json(line) for line in whole.splitlines()]
