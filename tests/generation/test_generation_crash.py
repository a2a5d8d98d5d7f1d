"""Kill -9 in the middle of a run: no journaled answer is asked for again, same bytes at the end."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.generation.journal.journal import Journal
from schemas.exchange import Prompt
from tests.generation.scripted_run import (
    MODEL,
    generate,
    make_config,
    run,
    to_bytes,
)
from tests.generation.scripted_server import Asked, ScriptedServer, Trick, question_of, serve
from tests.generation.test_generation_rounds import never_connect

ROOT = Path(__file__).resolve().parents[2]


def start_child(journal: Path, server: ScriptedServer, output: Path) -> subprocess.Popen[bytes]:
    module = "tests.generation.scripted_run"
    arguments = [str(journal), server.base_url, str(output), "8"]
    return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def journaled_questions(journal: Path) -> set[str]:
    connection = sqlite3.connect(journal)
    rows = connection.execute("SELECT prompt FROM completions").fetchall()
    connection.close()
    prompts = [Prompt.model_validate_json(row[0]) for row in rows]
    return {
        question_of(
            {
                "model": MODEL,
                "messages": [message.model_dump() for message in prompt.messages],
                "seed": prompt.sample_index,
            }
        )
        for prompt in prompts
    }


def journaled_meanwhile(journal: Path, folder: Path) -> set[str]:
    """Read a copy: the process that writes has the journal to itself."""
    folder.mkdir(exist_ok=True)
    for file in journal.parent.glob(f"{journal.name}*"):
        shutil.copy(file, folder)
    return journaled_questions(folder / journal.name)


@pytest.mark.parametrize("kill_after", [3, 17, 30])
def test_killed_run_continues_without_asking_again(kill_after: int, tmp_path: Path) -> None:
    journal, output = tmp_path / "j.sqlite", tmp_path / "out.jsonl"

    def slowly(number: int, asked: Asked) -> Trick:
        # However late the kill comes, the run is not over.
        delay_s = 0.01 + int(asked.question[:2], 16) / 5000
        return Trick(answer=True, delay_s=delay_s, hang=number > kill_after)

    with serve(slowly) as server:
        child = start_child(journal, server, output)
        wait_until(lambda: len(server.asked) >= kill_after)
        child.send_signal(signal.SIGKILL)
        child.wait()
    answered = journaled_questions(journal) if journal.exists() else set[str]()
    assert not output.exists()

    # A server of its own, because the first may read what the killed one sent only now.
    with serve() as server:
        again = start_child(journal, server, output)
        assert again.wait() == 0
        asked_after = server.questions
        undisturbed = generate(tmp_path / "other.sqlite", server.base_url, make_config())

    assert answered.isdisjoint(asked_after)
    assert len(set(asked_after)) == len(asked_after)
    assert output.read_bytes() == to_bytes(undisturbed)
    shutil.copy(journal, tmp_path / "copy.sqlite")
    with Journal(tmp_path / "copy.sqlite") as copy:
        replayed = run(copy, never_connect, make_config())
    assert output.read_bytes() == to_bytes(replayed)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_while_answers_are_awaited_ends_at_once_and_the_run_continues(
    stop: signal.Signals, tmp_path: Path
) -> None:
    journal, output = tmp_path / "j.sqlite", tmp_path / "out.jsonl"

    def hang_after_ten(number: int, _asked: Asked) -> Trick | None:
        return Trick(hang=True) if number > 10 else None

    with serve(hang_after_ten) as server:
        child = start_child(journal, server, output)
        wait_until(lambda: len(server.asked) > 12)
        wait_until(lambda: len(journaled_meanwhile(journal, tmp_path / "copy")) == 10)
        child.send_signal(stop)
        # The client is patient for ten minutes with a request.
        assert child.wait(timeout=120) != 0
    answered = journaled_questions(journal)
    with serve() as server:
        again = start_child(journal, server, output)
        assert again.wait() == 0

    assert len(answered) == 10
    assert answered.isdisjoint(server.questions)
