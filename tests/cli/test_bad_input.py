"""A careless user's walk through the command: each mistake ends in one line that helps."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.command import ROOT, Finished, pacaloom_environment, run_pacaloom, run_warm
from tests.flows.live_journal import count_answers
from tests.generation.scripted_server import Asked, Trick, serve

KEY = "sk-very-secret-0123456789"


def last_line(done: Finished) -> str:
    """Return the complaint; nothing else may look like one."""
    *_, last = done.stderr.splitlines()
    assert last.startswith("pacaloom: error: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return last


def leftovers(outputs: Path) -> list[Path]:
    kept = (".cells", ".demo.lock")
    return [path for path in outputs.rglob(".*") if path.name not in kept]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"id": "a", "language": "en", "instruction": "x", "output": "y"}\n{"id": ', ":2: line"),
        (b'{"id": "a", "language": "en", "instruction": "x", "out": "y"}', ":1: no known form"),
        (b'{"id": "a", "language": "fr", "instruction": "x", "output": "y"}', ":1: language"),
        (b'{"id": "a", "language": "ko", "instruction": "x", "output": "y"}\n' * 2, ":2: id: 'a'"),
        (b"\x89PNG\r\n\x1a\n", "cannot be read as UTF-8 text"),
        (b"", "the file is empty"),
    ],
)
def test_broken_seed_file_is_named_by_file_and_line(
    tmp_path: Path, content: bytes, words: str
) -> None:
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_bytes(content)

    done = run_warm(
        "generate", "--model", "smollm2-135m", "--seeds", "seeds.jsonl",
        outputs=tmp_path / "o", cwd=tmp_path,
    )  # fmt: skip

    assert done.status == 2
    assert "seeds.jsonl" in last_line(done)
    assert words in last_line(done)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate", "--quota", "en"], "--quota: wanted LANGUAGE=COUNT, found 'en'"),
        (["generate", "--quota", "en=-1"], "quota.en"),
        (["generate", "--quota", "en=0"], "a quota above 0"),
        (["generate", "--random-seed", "-1"], "random_seed"),
        (["curate", "--novelty", "{bad"], "novelty"),
        (["finetune", "--dataset", "x", "--r", "0"], "r: Input should be greater"),
        (["finetune", "--dataset", "recs", "--student", ""], "student"),
        (
            ["evaluate", "--model", "x", "--shots", "1000"],
            "shots.0: Input should be less than or equal to 64",
        ),
        (["evaluate", "--model", "x", "--limit", "1"], "limit"),
        (["retrain", "--student", "nosuch"], "No student 'nosuch'"),
        (["retrain", "--student", "gemma-3-270m"], "PACALOOM_ACCEPT_TERMS=gemma"),
        (["retrain", "--student", str(ROOT / "seeds")], "found no config.json"),
        (["retrain", "--model", "nosuch"], "There is no embedded model 'nosuch'"),
        (["retrain", "--method", "full", "--r", "8"], "method full has no r"),
        (["retrain", "--task", "nosuch"], "Unknown task 'nosuch'"),
        (["retrain", "--shots", "4"], "add --shots 0"),
        (["retrain", "--shots", "0", "--shots", "0"], "each once, found 0, 0"),
        (["retrain", "--shots", "0", "--shots", "60"], "Add some or lower --shots"),
    ],
)
def test_mistake_is_found_before_anything_is_begun(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    done = run_warm(*arguments, outputs=tmp_path / "o")

    assert done.status == 2
    assert words in last_line(done)
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"id": "1", "split": "test", "text": "good"}', "item '1' has no label"),
        ('{"id": "1", "split": "test", "text": "좋다", "label": "긍정"}', "two different labels"),
        ("", "wanted one row an item, found none"),
    ],
)
def test_task_file_that_cannot_be_scored_is_refused_by_retrain_at_once(
    tmp_path: Path, content: str, words: str
) -> None:
    (tmp_path / "mine.jsonl").write_text(content, "utf-8")

    done = run_warm("retrain", "--task", "mine.jsonl", outputs=tmp_path / "o", cwd=tmp_path)

    assert done.status == 2
    assert words in last_line(done)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("address", "key", "words"),
    [
        ("127.0.0.1:8000/v1", "", "OPENAI_BASE_URL is no address"),
        (KEY, "", "OPENAI_BASE_URL is no address"),
        ("http://127.0.0.1:99999/v1", "", "OPENAI_BASE_URL is no address"),
        (f"http://me:{KEY}@127.0.0.1:1/v1", "", "OPENAI_BASE_URL has a user"),
        ("", f"{KEY}열쇠", "OPENAI_API_KEY has characters"),
    ],
)
def test_address_or_key_that_cannot_be_used_is_refused_without_quoting_it(
    tmp_path: Path, address: str, key: str, words: str
) -> None:
    done = run_warm(
        "generate", "--model", "m", outputs=tmp_path / "o",
        OPENAI_BASE_URL=address, OPENAI_API_KEY=key,
    )  # fmt: skip

    assert done.status == 2
    assert words in last_line(done)
    assert KEY not in done.stderr
    assert not (tmp_path / "o").exists()


def quote_the_key(_number: int, asked: Asked) -> Trick:
    return Trick(status=401, body=json.dumps({"error": {"message": f"bad {asked.authorization}"}}))


def test_wrong_key_is_refused_at_once_and_stands_nowhere(tmp_path: Path) -> None:
    with serve(quote_the_key) as server:
        done = run_warm(
            "generate", "--model", "m", "--quota", "ko=1", outputs=tmp_path / "o",
            OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY=KEY,
        )  # fmt: skip
        authorizations = {asked.authorization for asked in server.asked}

    assert done.status == 2
    assert "HTTP 401" in last_line(done)
    assert "OPENAI_API_KEY" in last_line(done)
    assert authorizations == {f"Bearer {KEY}"}
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert KEY.encode() not in written + done.stderr.encode()


def test_key_in_the_env_file_of_the_project_is_used_and_a_broken_file_is_named(
    tmp_path: Path,
) -> None:
    copy = tmp_path / "project"
    copy.mkdir()
    shutil.copy(ROOT / "pacaloom", copy)
    # The place of its settings tells a project where it is.
    shutil.copytree(ROOT / "flows", copy / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("cli", "pipeline", "training", "embedded", "schemas", ".venv", "seeds"):
        (copy / name).symlink_to(ROOT / name)

    with serve(quote_the_key) as server:
        (copy / ".env").write_text(f"OPENAI_API_KEY={KEY}\nOPENAI_BASE_URL={server.base_url}\n")
        refused = run_pacaloom(
            "generate", "--model", "m", outputs=tmp_path / "o", cwd=tmp_path, root=copy
        )
        authorizations = {asked.authorization for asked in server.asked}
    (copy / ".env").write_bytes(b"\xff\xfeO")
    broken = run_pacaloom("models", "list", outputs=tmp_path / "o", root=copy)

    assert refused.status == broken.status == 2
    assert authorizations == {f"Bearer {KEY}"}
    assert KEY not in refused.stderr
    assert ".env: wanted lines of NAME=VALUE" in last_line(broken)


def refuse_to_write_json(_body: dict[str, Any]) -> str:
    return "죄송하지만 그렇게는 못 해요."


def test_retrain_that_keeps_nothing_says_what_rejected_it_and_which_knob_to_turn(
    tmp_path: Path, student: Path
) -> None:
    with serve() as server:
        server.answer_text = refuse_to_write_json
        done = run_warm(
            "retrain", "--model", "m", "--quota", "ko=3", "--student", str(student),
            outputs=tmp_path / "o", OPENAI_BASE_URL=server.base_url,
        )  # fmt: skip

    assert done.status == 2
    line = last_line(done)
    assert "found 0 and 0" in line
    assert "unparseable" in line
    assert "--quota" in line
    assert not (tmp_path / "o" / "models").exists()
    assert leftovers(tmp_path / "o") == []


@pytest.fixture
def student(tmp_path: Path) -> Path:
    """A folder that looks like a checkpoint: the run ends before it is loaded."""
    folder = tmp_path / "student"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    return folder


def spoil_as_foreign_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE x (a)")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_as_foreign_database, "another program's database"),
        (lambda path: path.write_bytes(b"no database" * 500), "is not a journal"),
        (lambda path: path.mkdir(), "cannot be opened"),
    ],
)
def test_file_that_is_no_journal_is_named_and_left_alone(
    tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    journal = tmp_path / "journals" / "demo.sqlite"
    journal.parent.mkdir()
    spoil(journal)
    before = journal.read_bytes() if journal.is_file() else None

    done = run_warm("generate", "--model", "smollm2-135m", outputs=tmp_path)

    assert done.status in (1, 2)
    assert str(journal) in last_line(done)
    assert words in last_line(done)
    assert (journal.read_bytes() if journal.is_file() else None) == before


def test_damaged_description_of_drafts_is_named_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "drafts").mkdir()
    (tmp_path / "drafts" / "demo.json").write_text('{"name": ')

    done = run_warm("curate", outputs=tmp_path)

    assert done.status == 2
    assert str(tmp_path / "drafts" / "demo.json") in last_line(done)
    assert "pacaloom generate --name demo" in last_line(done)


def test_damaged_manifest_of_a_dataset_is_named_by_its_path(tmp_path: Path) -> None:
    version = tmp_path / "o" / "datasets" / "toy" / "0001-0123456789ab"
    version.mkdir(parents=True)
    (version / "manifest.json").write_text("{}")

    done = run_warm("finetune", "--dataset", "toy", outputs=tmp_path / "o")

    assert done.status == 2
    assert f"{version}/manifest.json is not a dataset version: name" in last_line(done)


def test_empty_variables_are_unset_and_relative_paths_start_at_the_working_directory(
    tmp_path: Path,
) -> None:
    rows = [{"instruction": "Name a citrus fruit.", "output": "Lemon."}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "c.yaml").write_text("input: rows.jsonl\nseeds: [none]\nname: toy\n")

    done = run_pacaloom("curate", "--config", "c.yaml", outputs=Path("rel/o"), cwd=tmp_path)
    missing = run_warm(
        "curate", "--name", "never-made", outputs=Path(), cwd=tmp_path, PACALOOM_OUTPUTS=""
    )

    assert done.status == 0, done.stderr
    dataset = Path(json.loads(done.stdout.splitlines()[-1])["dataset"])
    assert dataset.parent == tmp_path / "rel" / "o" / "datasets" / "toy"
    assert f" in {ROOT / 'outputs'}. " in last_line(missing)


@pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_generation_says_how_to_continue_and_continues(
    tmp_path: Path, stop: signal.Signals, status: int
) -> None:
    arguments = ["generate", "--model", "m", "--quota", "ko=12", "--name", "n"]
    is_over = False

    def hang_after_ten(number: int, _asked: Asked) -> Trick | None:
        return Trick(hang=True) if number > 10 and not is_over else None

    with serve(hang_after_ten) as server:
        environment = pacaloom_environment(tmp_path, OPENAI_BASE_URL=server.base_url)
        with subprocess.Popen(
            [str(ROOT / "pacaloom"), *arguments],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as child:  # fmt: skip
            try:
                deadline = time.monotonic() + 120
                while count_answers(tmp_path / "journals" / "n.sqlite") < 10:
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
                child.send_signal(stop)
                # It does not wait for the answers that never come.
                stdout, stderr = child.communicate(timeout=60)
            finally:
                child.kill()
        before = server.questions[:10]
        asked_before = len(server.asked)
        is_over = True
        again = run_pacaloom(*arguments, outputs=tmp_path, OPENAI_BASE_URL=server.base_url)
        asked_again = server.questions[asked_before:]

    assert "run the same command again" in last_line(Finished(child.returncode, stdout, stderr))
    assert child.returncode == status
    assert again.status == 0, again.stderr
    assert set(before).isdisjoint(asked_again)
    assert leftovers(tmp_path) == []


def test_interrupt_while_the_command_is_still_loading_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'cli.arguments': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
    )

    done = run_pacaloom("--help", outputs=tmp_path, PYTHONPATH=str(tmp_path))

    assert done.status == 130
    assert done.stderr.count("\n") == 1
    assert "interrupted" in last_line(done)


def test_disk_error_that_no_room_foresaw_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file in the way")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    done = run_pacaloom("up", "--port", str(port), outputs=tmp_path)

    assert done.status == 1
    assert f"{tmp_path}/logs: File exists" in last_line(done)
    assert "PACALOOM_OUTPUTS" in last_line(done)


def test_ctrl_c_while_processes_start_ends_them_and_says_so_once(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    with rows.open("w", encoding="utf-8") as file:
        for number in range(9000):
            row = {"instruction": f"Explain topic {number} to me.", "output": f"It is {number}."}
            file.write(json.dumps(row) + "\n")
    command = subprocess.Popen(
        [str(ROOT / "pacaloom"), "curate", "--input", str(rows), "--processes", "2"],
        env=pacaloom_environment(tmp_path / "o"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    while len(children := psutil.Process(command.pid).children()) < 3:
        # Two, and the one in which Python counts semaphores.
        assert command.poll() is None
        time.sleep(0.01)

    # A terminal interrupts all of its processes, also those that are still importing.
    os.killpg(command.pid, signal.SIGINT)
    stdout, stderr = command.communicate(timeout=60)

    assert command.returncode == 130
    assert stdout == ""
    assert stderr.splitlines() == [
        "pacaloom: error: interrupted. What was finished is kept: run the same command again to "
        "continue."
    ]
    assert not psutil.wait_procs(children, timeout=30)[1]


def test_complaint_does_not_pass_on_what_steers_a_terminal(tmp_path: Path) -> None:
    rows = [
        {"instruction": f"Name a \x1b[2J\u202e {place} and its depth.", "output": "Ninety metres."}
        for place in ("sea", "lake")
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    made = run_warm(
        "curate", "--name", "deep", "--input", "rows.jsonl", "--seeds", "none",
        outputs=tmp_path, cwd=tmp_path,
    )  # fmt: skip

    done = run_warm("why", "its depth", "--dataset", "deep", outputs=tmp_path)

    assert made.status == 0
    assert (done.status, done.stdout) == (2, "")
    assert "Name a ␛[2J\ufffd sea" in last_line(done)
    assert not set(done.stderr) & set("\x1b\u202e")


def test_reader_who_has_enough_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", "set -o pipefail; ./pacaloom schema record | true"],
        cwd=ROOT, env=pacaloom_environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode in (0, 141)
    assert done.stderr == ""
