"""A journal is counted while a run writes it, without a lock, and each answer once."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from flows.metrics.journal_snapshot import SnapshotError, read_snapshot
from flows.metrics.journal_tally import OTHER, JournalTally
from pipeline.generation.journal.journal import Journal
from tests.flows.metrics_making import ROOT, sample, scrape, writing
from tests.generation.journal_making import make_exchange

_OPEN = """
import sys
from pathlib import Path
from pipeline.generation.journal.journal import Journal
with Journal(Path(sys.argv[1])) as journal:
    print(len(journal))
"""


def count(path: Path) -> int:
    return read_snapshot(path, _count)


def _count(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT count(*) FROM completions").fetchone()[0]


def count_answers(tally: JournalTally) -> int:
    return sum(group.answers for group in tally.groups.values())


def open_elsewhere(path: Path) -> str:
    """Open a journal as a run does, in another process."""
    done = subprocess.run(
        [sys.executable, "-c", _OPEN, str(path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() + done.stderr


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "journals").mkdir()
    return tmp_path / "journals" / "한글 100%?#.sqlite"


def test_answers_are_counted_as_soon_as_a_running_process_has_committed_them(path: Path) -> None:
    with writing(path) as run:
        run.write(0, 3)
        tally = JournalTally(path)
        tally.refresh()
        first = count_answers(tally)
        run.write(3, 2_000)
        tally.refresh()
        later = count_answers(tally)
        names = sorted(found.name for found in path.parent.iterdir())
        run.write(2_000, 2_001)

    assert (first, later) == (3, 2_000)
    # The log is still there and nothing was left behind, so the run went on undisturbed.
    assert names == [path.name, f"{path.name}-wal"]
    assert run.process.returncode == 0
    with Journal(path) as journal:
        assert len(journal) == 2_001


def test_journal_of_a_killed_run_is_read_as_it_will_be_recovered(path: Path) -> None:
    with writing(path) as run:
        run.write(0, 700)
        run.process.send_signal(signal.SIGKILL)
        run.process.wait()
        log = path.with_name(f"{path.name}-wal")
        before = log.read_bytes()

        counted = count(path)

    assert before
    assert log.read_bytes() == before
    assert str(counted) == open_elsewhere(path) == "700"


def test_run_may_start_while_a_scrape_reads(path: Path) -> None:
    with Journal(path) as journal:
        journal.put_all(map(make_exchange, range(5)))
    started: list[str] = []

    def read(connection: sqlite3.Connection) -> int:
        found = _count(connection)
        if not started:
            started.append(open_elsewhere(path))
        return found

    assert read_snapshot(path, read) == 5
    assert started == ["5"]


def test_what_was_read_while_the_file_changed_does_not_count(path: Path) -> None:
    with Journal(path) as journal:
        journal.put_all(map(make_exchange, range(5)))
    times: list[int] = []

    def read(connection: sqlite3.Connection) -> int:
        times.append(len(times))
        if len(times) < 3:
            os.utime(path, ns=(times[-1], times[-1]))
        return len(times)

    assert read_snapshot(path, read) == 3


def test_file_that_never_stands_still_is_given_up(path: Path) -> None:
    with Journal(path) as journal:
        journal.put(*make_exchange(1))
    times: list[int] = []

    def read(connection: sqlite3.Connection) -> None:
        times.append(len(times))
        os.utime(path, ns=(times[-1], times[-1]))

    with pytest.raises(SnapshotError, match="changed while it was read"):
        read_snapshot(path, read)


@pytest.mark.parametrize("content", ["garbage", "other-database"])
def test_what_is_no_journal_is_named(path: Path, content: str) -> None:
    if content == "garbage":
        path.write_bytes(b"no database at all " * 100)
    else:
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE t (x)")
        database.close()

    with pytest.raises(SnapshotError, match=r"100%\?#\.sqlite: not a journal"):
        count(path)


def test_only_new_answers_are_read(path: Path) -> None:
    with Journal(path) as journal:
        journal.put_all(map(make_exchange, range(5)))
    tally = JournalTally(path)
    tally.refresh()
    with sqlite3.connect(path) as database:
        # Were they read again, they would count ten times as many tokens.
        database.execute("UPDATE completions SET prompt_tokens = 30")
    database.close()
    with Journal(path) as journal:
        journal.put_all(map(make_exchange, range(5, 7)))

    tally.refresh()

    (group,) = tally.groups.values()
    assert (group.answers, group.prompt_tokens) == (7, 7 * 3)


def test_journal_that_was_replaced_is_counted_anew(path: Path) -> None:
    with Journal(path) as journal:
        journal.put_all(map(make_exchange, range(5)))
    tally = JournalTally(path)
    tally.refresh()
    with Journal(path.with_name("new")) as journal:
        journal.put_all(make_exchange(number, model="n") for number in range(2))
    path.with_name("new").replace(path)

    tally.refresh()

    assert {group.model: sums.answers for group, sums in tally.groups.items()} == {"n": 2}


def test_journal_that_was_emptied_in_place_is_counted_anew(path: Path) -> None:
    with Journal(path) as journal:
        journal.put_all(map(make_exchange, range(5)))
    tally = JournalTally(path)
    tally.refresh()
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM completions WHERE number > 2")
    database.close()

    tally.refresh()

    assert count_answers(tally) == 2


def test_latencies_are_counted_by_bound(path: Path) -> None:
    answer = make_exchange(0).completion
    latencies = [0.0, 0.1, 0.11, 320.0, 321.0]
    with Journal(path) as journal:
        journal.put_all(
            make_exchange(number, completion=answer.model_copy(update={"latency_s": seconds}))
            for number, seconds in enumerate(latencies)
        )

    found = scrape(path.parent.parent)

    def below(bound: str) -> float:
        labels = {"name": path.stem, "model": "m", "le": bound}
        return found[sample("pacaloom_teacher_latency_seconds_bucket", **labels)]

    assert [below(bound) for bound in ("0.1", "0.25", "160.0", "320.0", "+Inf")] == [2, 3, 3, 4, 5]
    total = sample("pacaloom_teacher_latency_seconds_sum", name=path.stem, model="m")
    assert found[total] == pytest.approx(641.21)


def test_countless_models_become_one_and_no_answer_is_lost(path: Path) -> None:
    with Journal(path) as journal:
        journal.put_all(make_exchange(number, model=f"m{number}") for number in range(450))
    tally = JournalTally(path)

    tally.refresh()

    assert count_answers(tally) == 450
    assert len(tally.groups) == 401
    assert sum(sums.answers for group, sums in tally.groups.items() if group.model == OTHER) == 50


def test_journal_is_shown_in_use_while_a_run_holds_it(path: Path) -> None:
    in_use = sample("pacaloom_journal_in_use", name=path.stem)
    outputs = path.parent.parent
    with writing(path) as run:
        run.write(0, 1)
        during = scrape(outputs)[in_use]

    assert (during, scrape(outputs)[in_use]) == (1, 0)


def test_what_a_killed_reader_left_behind_is_removed_but_not_what_is_being_read(path: Path) -> None:
    old, new = path.parent / ".metrics-old", path.parent / ".metrics-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "journal").touch()
    os.utime(old, (1_000, 1_000))

    scrape(path.parent.parent)

    assert (old.exists(), new.exists()) == (False, True)
