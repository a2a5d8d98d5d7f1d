"""Kills, flipped bytes, forged rows: a journal opens, or says what is wrong and stays as it is."""

import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.generation.journal.exchange import export_journal
from pipeline.generation.journal.journal import Journal, JournalError, JournalWriteError
from pipeline.generation.journal.reading import find_exchange
from pipeline.generation.journal.statistics import read_statistics
from schemas.errors import PacaloomError
from schemas.exchange import Exchange
from tests.generation.journal_making import exchanges, make_exchange

ROOT = Path(__file__).resolve().parents[2]
KILLS = 24


@contextmanager
def opened_raw(path: Path) -> Generator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def fill(path: Path, count: int = 40) -> list[Exchange]:
    made = [make_exchange(number, "답" * 500) for number in range(count)]
    with Journal(path) as journal:
        journal.put_all(made)
    return made


def test_killed_writers_leave_whole_journals_with_all_that_was_said_to_be_written(
    tmp_path: Path,
) -> None:
    module = "tests.generation.journal_killing"
    subprocess.run(
        [sys.executable, "-m", module, str(tmp_path), str(KILLS), "7"], cwd=ROOT, check=True
    )

    journals = sorted(tmp_path.glob("*.sqlite"))
    found_answers = 0
    for path in journals:
        log = path.with_suffix(".written")
        written = log.read_text().split() if log.exists() else []
        with opened_raw(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with Journal(path) as journal:
            answers = len(journal)
            # A group is written whole, with its spending, or not at all.
            assert answers % 3 == 0
            assert answers >= (int(written[-1]) + 1 if written else 0)
            assert journal.read_spending("run").requests == answers // 3
            keys = [make_exchange(number).completion.id for number in range(answers)]
            assert None not in journal.get_all(keys)
        found_answers += answers
    assert journals
    assert found_answers


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("text = text || '!'", id="text"),
        pytest.param("text = ''", id="text-lost"),
        pytest.param("prompt_tokens = -1", id="negative-count"),
        pytest.param("completion_tokens = completion_tokens + 1", id="count"),
        pytest.param("finish_reason = 'length'", id="finish-reason"),
        pytest.param("latency_s = 9e999", id="infinite"),
        pytest.param("text = CAST(x'ff41' AS TEXT)", id="not-utf-8"),
    ],
)
def test_damaged_answer_is_named_by_its_key_wherever_it_is_read(
    tmp_path: Path, change: str
) -> None:
    path = tmp_path / "j.sqlite"
    made = fill(path)
    keys = [exchange.completion.id for exchange in made]
    with opened_raw(path) as connection:
        connection.execute(f"UPDATE completions SET {change} WHERE key = ?", (keys[7],))  # noqa: S608
    before = path.read_bytes()

    with Journal(path) as journal:
        with pytest.raises(JournalWriteError, match=f"answer {keys[7]} cannot be read"):
            journal.get_all(keys)
        assert journal.get(keys[6]) == made[6].completion
    with pytest.raises(JournalWriteError, match=keys[7] if "CAST" not in change else keys[6]):
        export_journal(path, tmp_path / "e.jsonl")

    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["j.sqlite"]


@pytest.mark.parametrize("change", ["prompt = '{}'", "prompt = replace(prompt, '질문', '질의')"])
def test_damaged_prompt_is_named_by_its_key(tmp_path: Path, change: str) -> None:
    path = tmp_path / "j.sqlite"
    key = fill(path)[7].completion.id
    with opened_raw(path) as connection:
        connection.execute(f"UPDATE completions SET {change} WHERE key = ?", (key,))  # noqa: S608

    with pytest.raises(JournalWriteError, match=f"answer {key} cannot be read: the prompt"):
        export_journal(path, tmp_path / "e.jsonl")
    with pytest.raises(JournalWriteError, match=f"answer {key} cannot be read: the prompt"):
        find_exchange(path, key)


def read_everything(path: Path, keys: list[str], target: Path) -> None:
    with Journal(path) as journal:
        journal.get_all(keys)
        journal.read_spending("run")
        journal.read_batches()
        len(journal)
    read_statistics(path)
    export_journal(path, target)


@settings(max_examples=40, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), junk=st.binary(min_size=1, max_size=5000))
@example(place=0.03125, junk=b"\x80")
def test_overwritten_bytes_never_end_in_another_error_and_are_never_written_to(
    place: float, junk: bytes
) -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / "j.sqlite"
        keys = [exchange.completion.id for exchange in fill(path)]
        content = path.read_bytes()
        start = int(place * len(content))
        damaged = (content[:start] + junk + content[start + len(junk) :])[: len(content)]
        path.write_bytes(damaged)

        with suppress(PacaloomError):  # and nothing else
            read_everything(path, keys, Path(name) / "e.jsonl")

        assert path.read_bytes() == damaged


@settings(max_examples=15, deadline=None)
@given(made=exchanges)
def test_any_exchange_comes_back_as_it_was(made: list[Exchange]) -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / "j.sqlite"
        with Journal(path, clock=lambda: 5.5) as journal:
            journal.put_all(made)
            keys = [exchange.completion.id for exchange in made]
            assert journal.get_all(keys) == [exchange.completion for exchange in made]

        for exchange in made:
            stored = find_exchange(path, exchange.completion.id)
            assert stored.exchange == exchange
            assert stored.arrived_s == 5.5


def test_exchange_is_found_by_the_start_of_its_id(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    made = fill(path)
    keys = sorted(exchange.completion.id for exchange in made)
    unique = next(key for key in keys if sum(other[:3] == key[:3] for other in keys) == 1)

    assert find_exchange(path, unique[:3]).exchange.completion.id == unique
    assert find_exchange(path, unique.upper()).exchange.completion.id == unique
    # 40 keys and 16 first digits: some first digit is shared.
    shared = next(key for key in keys if sum(other[0] == key[0] for other in keys) > 1)
    with pytest.raises(JournalError, match=f"several answers '{shared[0]}': "):
        find_exchange(path, shared[0])
    with pytest.raises(JournalError, match="has no answer"):
        find_exchange(path, "0" * 16)
    for wrong in ("", "xyz", "0" * 17, "%"):
        with pytest.raises(JournalError, match="16 digits of 0-9 and a-f"):
            find_exchange(path, wrong)
