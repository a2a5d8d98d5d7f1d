"""Children end with their parent, however it dies.

The child inherits the parent's standard output, a pipe that the test reads: its end tells that
both are gone, with no guessing about process ids.
"""

import select
import subprocess
import sys
import tempfile
import time

import pytest

from embedded.child import last_lines, run_child

START = """
import subprocess, sys, threading, time, os
from embedded.child import run_child

def work():
    with run_child("tests.embedded.idle_child", "", sys.stderr.buffer, output=sys.stdout.fileno()):
        time.sleep(60)

thread = threading.Thread(target=work, daemon=True)
thread.start()
"""
FORK = """
time.sleep(0.2)
if os.fork() == 0:  # holds the guard's writing end, as a data loader's worker does
    os.close(1)
    time.sleep(30)
    os._exit(0)
"""


def start_parent(script: str) -> subprocess.Popen[str]:
    parent = subprocess.Popen(
        [sys.executable, "-c", script + "\ntime.sleep(60)"], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "idle\n"
    return parent


@pytest.mark.parametrize("script", [START, START + FORK], ids=["alone", "with a forked sibling"])
def test_child_started_from_a_thread_is_gone_after_kill_9_of_its_parent(script: str) -> None:
    parent = start_parent(script)
    time.sleep(0.5)

    parent.kill()

    output, _ = parent.communicate(timeout=25)  # raises when the child still holds the pipe
    assert output == ""


def test_child_survives_the_thread_that_started_it() -> None:
    # A parent-death signal would fire when the thread ends. Afterwards only the child holds the
    # pipe, so that its end would be the child's.
    script = START.replace("with run_child", "global run\n    run = run_child").replace(
        "):\n        time.sleep(60)", ")\n    run.__enter__()"
    )
    parent = start_parent(script + "\nthread.join()\nos.close(1)\n")

    assert parent.stdout is not None
    # Longer than the period at which the child looks for its parent.
    ended, _, _ = select.select([parent.stdout], [], [], 1.5)

    assert ended == []
    parent.kill()
    parent.communicate(timeout=25)


def test_child_is_gone_when_the_block_ends() -> None:
    with tempfile.TemporaryFile() as messages:
        with run_child("tests.embedded.idle_child", "", messages) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"idle\n"
            assert child.poll() is None

        assert child.poll() == 1  # by itself; -9 would mean that it had to be killed
        assert last_lines(messages, 0, 3) == "nothing"


def test_last_lines_skips_blank_ones_and_what_was_there_before() -> None:
    with tempfile.TemporaryFile() as messages:
        messages.write(b"old\n")
        messages.write("first\n\n  second  \n세 번째\n".encode())

        assert last_lines(messages, 4, 2) == "second | 세 번째"
        assert last_lines(messages, 4, 9) == "first | second | 세 번째"
