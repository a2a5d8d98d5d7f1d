"""Prompts and answers behind records, from the journals of this machine."""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.paths import journal_path
from flows.settings import Settings
from pipeline.generation.journal.file import JournalError
from pipeline.generation.journal.reading import look_up, reading
from pipeline.publishing.edition import FindExchange
from schemas.exchange import Exchange


@contextmanager
def open_exchanges(names: Sequence[str], settings: Settings) -> Generator[FindExchange]:
    """Lend a look-up by completion id in the journals of some names.

    A journal that is not here, or that a run writes to at the moment, is left out: whoever reads
    stories of records can do without.

    Raises:
        JournalWriteError: On a look-up: a journal is damaged.
    """
    with ExitStack() as stack:
        journals = [
            (path, connection)
            for path in (journal_path(settings.outputs, name) for name in names)
            if path.is_file()
            for connection in _open(stack, path)
        ]

        def find(completion_id: str) -> Exchange | None:
            for path, connection in journals:
                if (stored := look_up(path, connection, completion_id)) is not None:
                    return stored.exchange
            return None

        yield find


def _open(stack: ExitStack, path: Path) -> list[sqlite3.Connection]:
    try:
        return [stack.enter_context(reading(path))]
    except JournalError:
        return []
