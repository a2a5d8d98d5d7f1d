"""Follow each record to the seed tasks: record → answer → prompt → seed tasks.

Every answer that a record names must be in a journal under the hash of its own prompt; it must be
the teacher's that the record names, to a prompt of the strategy, language and seed tasks that the
record names; and these seed tasks must be in the seed files of then. Records whose words are not in
their answers are counted: whether the answer, read as its strategy reads it, says exactly what the
record says only a replay can tell (:mod:`flows.verification`). Cost: 0.2 ms an answer.
"""

import sqlite3
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from flows.wording import says
from pipeline.generation.journal.file import JournalWriteError
from pipeline.generation.journal.reading import look_up, reading
from schemas.exchange import Exchange
from schemas.progress import Progress
from schemas.records import Draft, InstructionRecord

Link = Literal["record → answer", "answer → prompt", "prompt → seed tasks"]
CHAIN: tuple[Link, ...] = ("record → answer", "answer → prompt", "prompt → seed tasks")
_IMPORTED = "import"
_REPORTED_EVERY = 100
_ANSWERS_KEPT = 1000
"""Records of one answer mostly stand side by side."""


class Break(NamedTuple):
    """The first link that does not hold."""

    link: Link
    detail: str


class Followed(NamedTuple):
    """How far records could be followed."""

    followed: int
    """Records and drafts that lead to their prompts."""
    answers: int
    """Different answers that they name."""
    imported: int
    """From files of records, which no teacher's answer stands behind."""
    unanswered: int
    """Whose answers are in a journal that is not here."""
    unseeded: int
    """Of those followed, whose seed tasks are in a file that is not here."""
    reworded: Sequence[str]
    """Ids of those followed whose words are not in their answers."""
    broken: Break | None = None


class Seeds(NamedTuple):
    """The seed tasks that prompts may have shown."""

    ids: Collection[str]
    missing: Sequence[str]
    """Files that are not here as they were."""


class _BrokenError(Exception):
    def __init__(self, link: Link, detail: str) -> None:
        self.found = Break(link, detail)
        super().__init__(detail)


def follow(
    drafts: Sequence[InstructionRecord | Draft],
    journals: Sequence[Path],
    seeds: Seeds,
    progress: Progress,
    *,
    journals_missing: bool,
) -> Followed:
    """Follow every record until one link breaks.

    Args:
        drafts: Kept records and rejected drafts.
        journals: Where their answers may be.
        seeds: Where their seed tasks may be.
        progress: Told how many were followed.
        journals_missing: There are others that are not here, so that an answer may be in those.

    Raises:
        JournalError: A journal is none of ours, or a running process has it.
    """
    with ExitStack() as stack:
        tracer = _Tracer(
            [(path, stack.enter_context(reading(path))) for path in journals],
            seeds,
            journals_missing,
        )
        broken = None
        try:
            for done, draft in enumerate(drafts):
                tracer.trace(draft)
                if done % _REPORTED_EVERY == 0:
                    progress(done, len(drafts), "to their seed tasks")
            progress(len(drafts), len(drafts))
        except _BrokenError as error:
            broken = error.found
    return tracer.sum_up(broken)


class _Tracer:
    """Looks every answer up once."""

    def __init__(
        self,
        journals: Sequence[tuple[Path, sqlite3.Connection]],
        seeds: Seeds,
        journals_missing: bool,
    ) -> None:
        self._journals = journals
        self._seeds = seeds
        self._journals_missing = journals_missing
        self._find = lru_cache(_ANSWERS_KEPT)(self._look_up)
        self._answers: set[str] = set()
        self._reworded: list[str] = []
        self._followed = self._imported = self._unanswered = self._unseeded = 0

    def trace(self, draft: InstructionRecord | Draft) -> None:
        """Follow one record.

        Raises:
            _BrokenError: A link does not hold.
        """
        origin = draft.provenance
        if origin.strategy == _IMPORTED:
            self._imported += 1
            return
        ids = (*origin.earlier_completion_ids, origin.completion_id)
        found = [one for id_ in ids if (one := self._find(draft.id, id_)) is not None]
        if len(found) < len(ids):
            self._unanswered += 1
            return
        self._answers.update(ids)
        _compare(draft, found)
        self._check_seeds(draft)
        self._followed += 1
        if not origin.edited and not says(found, draft):
            self._reworded.append(draft.id)

    def sum_up(self, broken: Break | None) -> Followed:
        """Count what was followed."""
        return Followed(
            self._followed,
            len(self._answers),
            self._imported,
            self._unanswered,
            self._unseeded,
            self._reworded,
            broken,
        )

    def _look_up(self, record: str, id_: str) -> Exchange | None:
        for path, connection in self._journals:
            try:
                stored = look_up(path, connection, id_)
            except JournalWriteError as error:
                raise _BrokenError(
                    "answer → prompt", f"record {record} is of answer {id_}: {error}"
                ) from error
            if stored is not None:
                return stored.exchange
        if self._journals_missing:
            return None
        where = " or ".join(str(path) for path, _ in self._journals)
        raise _BrokenError(
            "record → answer", f"record {record} is of answer {id_}, which is not in {where}"
        )

    def _check_seeds(self, draft: InstructionRecord | Draft) -> None:
        unknown = [seed for seed in draft.provenance.seed_ids if seed not in self._seeds.ids]
        if not unknown:
            return
        if not self._seeds.missing:
            raise _BrokenError(
                "prompt → seed tasks",
                f"record {draft.id} descends from seed task {unknown[0]}, which is in none of the "
                "seed files",
            )
        self._unseeded += 1


def _compare(draft: InstructionRecord | Draft, found: Sequence[Exchange]) -> None:
    """Hold what a record says of its origin against the prompts; the last is its own."""
    origin = draft.provenance
    prompt, completion = found[-1]
    claims: tuple[tuple[Link, str, str, str], ...] = (
        ("record → answer", "teacher", origin.teacher, completion.model),
        ("answer → prompt", "strategy", origin.strategy, prompt.strategy),
        ("answer → prompt", "language", draft.language, prompt.language),
    )
    for link, name, stated, found_there in claims:
        if stated != found_there:
            raise _BrokenError(
                link,
                f"record {draft.id} names the {name} {stated}, answer {origin.completion_id} has "
                f"{found_there}",
            )
    foreign = sorted(set(origin.seed_ids).difference(*(one.prompt.seed_ids for one in found)))
    if foreign:
        raise _BrokenError(
            "answer → prompt",
            f"record {draft.id} descends from seed task {foreign[0]}, which the prompt of answer "
            f"{origin.completion_id} does not name",
        )
