"""A compacted journal holds the same answers in less room, whatever happens meanwhile."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from pipeline.generation.journal.compacting import compact, measure_slack
from pipeline.generation.journal.file import JournalError, JournalWriteError
from pipeline.generation.journal.journal import Journal, PendingBatch
from tests.generation.journal_making import make_exchange

ROOT = Path(__file__).parents[2]
_ANSWERS = 200
_MEGABYTE = 1_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of some answers, with the room of a large batch that was collected since."""
    path = tmp_path / "journals" / "ko.sqlite"
    with Journal(path) as journal:
        journal.write_batch(PendingBatch("b", "m", tuple("k" * 64 for _ in range(50_000))))
        journal.put_all([make_exchange(number, f"답 {number}") for number in range(_ANSWERS)])
        journal.remove_batch("b")
    return path


def read_all(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return database.execute("SELECT * FROM completions ORDER BY number").fetchall()


def test_free_pages_are_given_back_and_every_answer_stays(path: Path) -> None:
    before, size = read_all(path), path.stat().st_size
    slack = measure_slack(path)
    assert (slack.size_bytes, slack.log_bytes) == (size, 0)
    assert slack.free_bytes > 3 * _MEGABYTE
    assert slack.is_worth_it

    compacted = compact(path)

    assert compacted.before_bytes == size
    assert compacted.after_bytes == path.stat().st_size <= size - slack.free_bytes
    assert (len(before), read_all(path)) == (_ANSWERS, before)
    assert not measure_slack(path).is_worth_it
    with Journal(path, create=False) as journal:
        exchange = make_exchange(7, "답 7")
        assert journal.get(exchange.completion.id) == exchange.completion


_WATCH = """
import sqlite3, sys
from pathlib import Path
from pipeline.generation.journal.compacting import find_temporary_folder

opened = set()

def watch():
    for one in Path("/proc/self/fd").iterdir():
        try:
            opened.add(str(one.readlink()))
        except OSError:
            continue

journal = sqlite3.connect(sys.argv[1], isolation_level=None)
journal.set_progress_handler(watch, 50)
journal.execute("VACUUM")
(copy,) = {Path(one).parent for one in opened if "etilqs" in one}
print(copy == find_temporary_folder())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sees open files in /proc")
@pytest.mark.parametrize("is_named", [True, False], ids=["TMPDIR", "default"])
def test_room_is_looked_for_where_sqlite_puts_its_copy(path: Path, is_named: bool) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE room AS SELECT randomblob(5000000) AS x")
    environment = {"TMPDIR": str(path.parent)} if is_named else {}

    done = subprocess.run(
        [sys.executable, "-c", _WATCH, str(path)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "True\n"


def test_looking_touches_nothing(path: Path) -> None:
    before = (path.read_bytes(), path.stat().st_mtime_ns)

    measure_slack(path)

    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [file.name for file in path.parent.iterdir()] == ["ko.sqlite"]


def test_log_of_a_killed_run_is_folded_in_with_its_answers(tmp_path: Path) -> None:
    path = tmp_path / "ko.sqlite"
    script = (
        "import os, sys; from pathlib import Path\n"
        "from pipeline.generation.journal.journal import Journal\n"
        "from tests.generation.journal_making import make_exchange\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "journal.put_all([make_exchange(number) for number in range(50)])\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, path], cwd=ROOT, check=False)
    assert measure_slack(path).log_bytes > 0
    assert measure_slack(path).is_worth_it

    compact(path)

    assert measure_slack(path).log_bytes == 0
    assert len(read_all(path)) == 50


def test_journal_of_a_running_process_is_left_alone(path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from pipeline.generation.journal.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, path], cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        size = path.stat().st_size
        with pytest.raises(JournalError, match="in use by another running process"):
            compact(path)
        assert path.stat().st_size == size
        other.communicate()
    assert compact(path).after_bytes < size


@pytest.mark.parametrize("seed", range(2))
def test_kill_while_compacting_loses_no_answer(path: Path, seed: int) -> None:
    before = read_all(path)
    script = (
        "import sys; from pathlib import Path\n"
        "from pipeline.generation.journal.compacting import compact\n"
        "print('go', flush=True); compact(Path(sys.argv[1]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, path], cwd=ROOT, stdout=subprocess.PIPE
    ) as compacting:
        assert compacting.stdout is not None
        compacting.stdout.readline()
        time.sleep(Random(seed).random() * 0.03)  # noqa: S311 - a moment, no secret
        os.kill(compacting.pid, signal.SIGKILL)

    with Journal(path, create=False):
        pass
    assert read_all(path) == before
    compact(path)
    assert read_all(path) == before


def test_damaged_journal_stays_as_it_is(path: Path) -> None:
    content = bytearray(path.read_bytes())
    # The root page of the answers, whose number the schema tells.
    with closing(sqlite3.connect(path)) as database:
        page: int = database.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'completions'"
        ).fetchone()[0]
    content[(page - 1) * 4096 : (page - 1) * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)

    with pytest.raises((JournalError, JournalWriteError)):
        compact(path)

    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"hello", "it is no SQLite file", id="text"),
        pytest.param(b"SQLite format 3\0" + bytes(84), "another program's", id="not-ours"),
    ],
)
def test_other_files_are_no_journals(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_bytes(content)

    with pytest.raises(JournalError, match=reason):
        measure_slack(path)
    assert path.read_bytes() == content
