"""Share a journal: exchanges as JSON lines, gzip-compressed when the file's name ends in ``.gz``.

The first line names the format and counts the exchanges; each of the others is one exchange with
the time when it came. Prompts and answers are all there is: addresses, keys, spendings and batches
stay behind. A line is believed only when its key is the hash of its own prompt and model, so an
import may add answers but cannot pass one question's answer off as another's.

Import goes in chunks, each a transaction: what was imported before a fault or a kill stays, and
the same import again skips it. Cost: about 60 µs an exchange each way, compression apart; memory
is that of one chunk.
"""

import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Literal, NamedTuple, TypeVar

from pydantic import Field, ValidationError, field_validator

from pipeline.generation.journal.journal import Journal
from pipeline.generation.journal.reading import read_exchanges, reading
from pipeline.generation.journal.rows import StoredExchange
from schemas.errors import UserError
from schemas.exchange import Completion, Exchange, Prompt
from schemas.frozen import Frozen
from schemas.progress import Progress, no_progress
from schemas.storage import atomic_path, describe_validation_error

_CHUNK = 500
_BEYOND_SQLITE = 2**63
_YEAR_10000_S = 253_402_300_800

Line = TypeVar("Line", bound=Frozen)


class ExportHeader(Frozen):
    """The first line of an export."""

    format: Literal["pacaloom-journal-export/1"] = "pacaloom-journal-export/1"
    exchanges: int = Field(ge=0)


class ExportLine(Frozen):
    """Each other line."""

    arrived_s: float = Field(ge=0, lt=_YEAR_10000_S)
    """Unix time."""
    prompt: Prompt
    completion: Completion

    @field_validator("completion")
    @classmethod
    def _fits_the_table(cls, completion: Completion) -> Completion:
        usage = completion.usage
        if max(usage.prompt_tokens, usage.completion_tokens, completion.attempts) >= _BEYOND_SQLITE:
            raise ValueError("wanted counts below 2^63, found a larger one")
        return completion


class ImportCounts(NamedTuple):
    """What an import did."""

    added: int
    present: int
    """Skipped, because the journal had an answer to the same prompt."""
    different: int
    """Those of the present whose answer here is another one; ours stays."""


class ExportFileError(UserError):
    """The file is no export, or damaged; the message names line and field."""


def export_journal(path: Path, target: Path, progress: Progress = no_progress) -> int:
    """Write every exchange in the order in which they came; the same journal gives the same bytes.

    Returns:
        How many there are.

    Raises:
        JournalError: There is no such journal, or a running process has it.
        JournalWriteError: It is damaged; no file is written.
        StorageError: The file cannot be written.
    """
    with reading(path) as connection:
        total: int = connection.execute("SELECT count(*) FROM completions").fetchone()[0]
        with atomic_path(target) as temporary, _writing(temporary, target) as file:
            file.write(ExportHeader(exchanges=total).model_dump_json() + "\n")
            for done, ((prompt, completion), arrived_s) in enumerate(
                read_exchanges(path, connection), start=1
            ):
                line = ExportLine(arrived_s=arrived_s, prompt=prompt, completion=completion)
                file.write(line.model_dump_json() + "\n")
                if done % _CHUNK == 0:
                    progress(done, total)
    progress(total, total)
    return total


def import_journal(path: Path, source: Path, progress: Progress = no_progress) -> ImportCounts:
    """Add the exchanges of an export to a journal, which is made when it is absent.

    Raises:
        ExportFileError: The file is no export, is cut, or a line does not fit.
        JournalError: The journal is not ours, or a running process has it.
        JournalWriteError: It cannot be written.
    """
    counts = ImportCounts(0, 0, 0)
    with _reading(source) as lines:
        header = _parse(next(lines, ""), ExportHeader, source, 1)
        stored = _read_lines(lines, header, source)
        # Read before the journal is opened, so that a file of another kind makes none.
        chunk = list(islice(stored, _CHUNK))
        with Journal(path) as journal:
            while chunk:
                new = _add(journal, chunk)
                counts = ImportCounts(*map(sum, zip(counts, new, strict=True)))
                progress(counts.added + counts.present, header.exchanges)
                chunk = list(islice(stored, _CHUNK))
    return counts


def _add(journal: Journal, chunk: list[StoredExchange]) -> ImportCounts:
    completions = [stored.exchange.completion for stored in chunk]
    known = journal.get_all([completion.id for completion in completions])
    added = journal.copy_in(chunk)
    different = sum(
        answer is not None and answer.text != completion.text
        for answer, completion in zip(known, completions, strict=True)
    )
    return ImportCounts(added, len(chunk) - added, different)


def _read_lines(
    lines: Iterator[str], header: ExportHeader, source: Path
) -> Generator[StoredExchange]:
    number = 1
    for number, text in enumerate(lines, start=2):
        line = _parse(text, ExportLine, source, number)
        key = line.prompt.key(line.completion.model)
        if line.completion.id != key:
            raise ExportFileError(
                f"{source}:{number}: completion.id: wanted {key}, the hash of prompt and model, "
                f"found {line.completion.id!r}. Ask for the export again."
            )
        yield StoredExchange(Exchange(line.prompt, line.completion), line.arrived_s)
    if number - 1 != header.exchanges:
        raise ExportFileError(
            f"{source}: wanted {header.exchanges} exchanges as its first line says, found "
            f"{number - 1}. Ask for the export again; what was found is imported."
        )


def _parse(text: str, model: type[Line], source: Path, number: int) -> Line:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        what = " This is no export of a journal." if number == 1 else ""
        raise ExportFileError(
            f"{source}:{number}: {describe_validation_error(error)}.{what}"
        ) from error


@contextmanager
def _reading(source: Path) -> Generator[Iterator[str]]:
    """Lend the lines; what cannot be read is a clear error, wherever in the file it is."""
    try:
        with source.open("rb") as raw, _unpacked(raw, source) as file:
            yield iter(file)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise ExportFileError(f"{source}: {error.strerror}.") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ExportFileError(
            f"{source} is cut or damaged: {error}. Ask for the export again; what came before is "
            "imported."
        ) from error


def _unpacked(raw: IO[bytes], source: Path) -> io.TextIOWrapper:
    binary = gzip.GzipFile(fileobj=raw) if source.suffix == ".gz" else raw
    # Only a line feed ends a line: texts may hold other separators.
    return io.TextIOWrapper(binary, encoding="utf-8", newline="\n")


@contextmanager
def _writing(temporary: Path, target: Path) -> Generator[IO[str]]:
    with temporary.open("wb") as raw:
        if target.suffix != ".gz":
            with io.TextIOWrapper(raw, encoding="utf-8", newline="\n") as file:
                yield file
            return
        # No name and no time in its header, so that the same journal gives the same bytes.
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as file,
        ):
            yield file
