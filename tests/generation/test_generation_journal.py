"""The journal: durable, exclusive, and never damaged by what is not one."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.generation.budget.caps import Spending
from pipeline.generation.journal.commits import GroupCommits, RunLedger
from pipeline.generation.journal.journal import (
    Journal,
    JournalError,
    JournalWriteError,
    PendingBatch,
)
from tests.generation.journal_making import make_exchange

ROOT = Path(__file__).resolve().parents[2]


def test_answer_comes_back_as_it_was_after_reopening(tmp_path: Path) -> None:
    exchange = make_exchange(1, "안녕하세요 😀\nline\u2028two")
    with Journal(tmp_path / "new" / "j.sqlite") as journal:
        journal.put(*exchange)

    with Journal(tmp_path / "new" / "j.sqlite") as journal:
        assert journal.get(exchange.completion.id) == exchange.completion
        assert journal.get("0" * 16) is None
        assert len(journal) == 1


def test_first_answer_to_a_prompt_stays(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        journal.put(*make_exchange(1, "first"))
        journal.put(*make_exchange(1, "second"))

        found = journal.get(make_exchange(1).completion.id)

    assert found is not None
    assert found.text == "first"


def test_answers_come_in_the_order_of_the_keys(tmp_path: Path) -> None:
    exchanges = [make_exchange(number, str(number)) for number in range(5)]
    keys = [exchange.completion.id for exchange in exchanges]
    with Journal(tmp_path / "j.sqlite") as journal:
        journal.put_all(exchanges)

        found = journal.get_all([keys[3], "absent", keys[0]])

    assert [answer and answer.text for answer in found] == ["3", None, "0"]


def test_sync_is_full_and_the_log_is_ahead_of_the_file(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        journal.put(*make_exchange(1))

        # FULL is 2; the answer stands in the write-ahead log until the file is closed.
        assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # pyright: ignore[reportPrivateUsage]
        assert (tmp_path / "j.sqlite-wal").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == ["j.sqlite"]


def test_text_file_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    path.write_text("a diary, not a journal. " * 50)
    before = path.read_bytes()

    with pytest.raises(JournalError, match="is not a journal"):
        Journal(path)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param("CREATE TABLE cats (name TEXT)", "another program's database", id="foreign"),
        pytest.param("PRAGMA user_version = 99", "journal format 99", id="newer"),
        pytest.param("PRAGMA user_version = 1", "journal format 1, this", id="older"),
    ],
)
def test_other_databases_are_refused_and_left_as_they_were(
    statement: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "j.sqlite"
    if "PRAGMA" in statement:
        Journal(path).close()
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    before = path.read_bytes()

    with pytest.raises(JournalError, match=words):
        Journal(path)

    assert path.read_bytes() == before


def test_journal_of_a_running_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    hold = (
        "import sys; from pathlib import Path\n"
        "from pipeline.generation.journal.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"

        with pytest.raises(JournalError, match="in use by another running process"):
            Journal(path)

        child.kill()
    # The lock went with the process, though it was killed.
    with Journal(path) as journal:
        assert len(journal) == 0


def test_empty_file_becomes_a_journal(tmp_path: Path) -> None:
    # What is left when a run is killed between creating the file and its first commit.
    (tmp_path / "j.sqlite").touch()

    with Journal(tmp_path / "j.sqlite") as journal:
        assert len(journal) == 0


def test_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(JournalWriteError, match="cannot be opened"):
        Journal(tmp_path / "file" / "j.sqlite")


def test_full_disk_is_told_and_loses_nothing_written_before(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with Journal(path) as journal:
        journal.put(*make_exchange(1))
        pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]  # pyright: ignore[reportPrivateUsage]
        # SQLite's own limit answers as a full disk does: SQLITE_FULL.
        journal._connection.execute(f"PRAGMA max_page_count = {pages}")  # pyright: ignore[reportPrivateUsage]

        with pytest.raises(JournalWriteError, match="full"):
            journal.put(*make_exchange(2, "x" * 100_000))

    with Journal(path) as journal:
        assert len(journal) == 1


async def test_answers_that_arrive_together_share_commits_and_all_are_written(
    tmp_path: Path,
) -> None:
    exchanges = [make_exchange(number) for number in range(300)]
    with Journal(tmp_path / "j.sqlite") as journal:
        commits = GroupCommits(journal)

        await asyncio.gather(*(commits.put(*exchange) for exchange in exchanges))

        assert len(journal) == 300


async def test_answer_whose_caller_was_cancelled_is_written(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        commits = GroupCommits(journal)
        put = asyncio.create_task(commits.put(*make_exchange(1)))
        await asyncio.sleep(0)
        put.cancel()
        await commits.flush()

        assert len(journal) == 1


async def test_failed_commit_is_told_to_every_caller(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    commits = GroupCommits(journal)
    journal._connection.execute("PRAGMA query_only = ON")  # pyright: ignore[reportPrivateUsage]

    outcomes = await asyncio.gather(
        *(commits.put(*make_exchange(number)) for number in range(3)), return_exceptions=True
    )
    journal.close()

    assert all(isinstance(outcome, JournalWriteError) for outcome in outcomes)


def test_spending_of_each_run_is_kept_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with Journal(path) as journal:
        journal.put_all([], {"a": Spending(1, 20, 30, 0.25, 1.5)})
        journal.put_all([], {"b": Spending(7)})
        journal.put_all([], {"a": Spending(2, 40, 60, 0.5, 3.0)})

    with Journal(path) as journal:
        assert journal.read_spending("a") == Spending(2, 40, 60, 0.5, 3.0)
        assert journal.read_spending("b") == Spending(7, 0, 0, 0.0, 0.0)
        assert journal.read_spending("new") == Spending()


async def test_spending_shares_the_commits_of_answers_and_the_latest_counts(
    tmp_path: Path,
) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        commits = GroupCommits(journal)
        ledger = RunLedger(commits, "run")

        await asyncio.gather(
            *(ledger.write(Spending(number)) for number in range(1, 101)),
            *(commits.put(*make_exchange(number)) for number in range(100)),
        )

        assert journal.read_spending("run") == Spending(100)
        assert len(journal) == 100


async def test_failed_spending_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    journal._connection.execute("PRAGMA query_only = ON")  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(JournalWriteError):
        await RunLedger(GroupCommits(journal), "run").write(Spending(1))
    journal.close()


def test_batches_are_remembered_in_order_until_they_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    first = PendingBatch("batch_z", "m", ("k1", "k2"))
    second = PendingBatch("batch_a", "m", ("k3",))
    with Journal(path) as journal:
        journal.write_batch(first)
        journal.write_batch(second)
        journal.write_batch(first._replace(keys=("k1",)))

    with Journal(path) as journal:
        assert journal.read_batches() == [first._replace(keys=("k1",)), second]
        journal.remove_batch("batch_z")
        journal.remove_batch("never seen")
        assert journal.read_batches() == [second]
