"""What is wrong is told before anything is started: port, machine, packages and database."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.services.checks import find_faults
from flows.services.database import check_database, database_path
from flows.services.machine import check_disk, check_memory, check_versions
from flows.services.notes import Service, write_note
from flows.services.ports import check_port
from flows.settings import ROOT, Settings
from tests.cli.command import run_pacaloom


def make_database(settings: Settings, revision: str) -> Path:
    path = database_path(settings)
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    connection.close()
    return path


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_port_is_free_or_its_owner_is_named_without_arguments() -> None:
    script = (
        "import socket, sys, time\n"
        "one = socket.socket(); one.bind(('127.0.0.1', 0)); one.listen()\n"
        "print(one.getsockname()[1], flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, "--key", "secret"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        (taken,) = check_port(port)
        other.kill()

    assert f"Port {port} on 127.0.0.1 is taken by pid {other.pid} (python" in taken.text
    assert "make up PORT=" in taken.text
    assert "secret" not in taken.text
    assert check_port(port) == []


@pytest.mark.skipif(os.getuid() == 0, reason="every port is open to the administrator")
def test_port_of_the_administrator_is_named() -> None:
    (refused,) = check_port(80)

    assert "administrator" in refused.text or "taken" in refused.text


@pytest.mark.parametrize(("available_mb", "kinds"), [(300, [False]), (1500, [True]), (16_000, [])])
def test_memory_stops_the_server_or_warns_of_the_demo(
    available_mb: float, kinds: list[bool]
) -> None:
    assert [fault.is_warning for fault in check_memory(available_mb)] == kinds


def test_disk_is_measured_for_the_server_the_runs_and_the_models(tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path / "o", cache=tmp_path / "c", min_free_gb=1.0)

    def tell(free_gb: float) -> list[str]:
        return [fault.text for fault in check_disk(settings, lambda _: free_gb)]

    # 1.117 and 0.098 GB: the demo's teacher and student.
    assert tell(10) == []
    assert len(tell(1.1)) == 1
    assert "take 1.2 GB, 1.10 GB are free" in tell(1.1)[0]
    assert "runs stop below 1 GB (PACALOOM_MIN_FREE_GB)" in tell(0.5)[0]
    assert "the server needs 0.2 GB" in tell(0.1)[0]


def test_packages_are_compared_with_the_pins(tmp_path: Path) -> None:
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(
        "[project]\nrequires-python = '>=3.99'\n"
        "dependencies = ['sqlalchemy<2', 'rich<1', 'pydantic>=2', 'not-there-at-all']\n"
    )

    faults = check_versions(pyproject)

    assert [fault.is_warning for fault in faults] == [False, False, True, True]
    assert faults[0].text.startswith("Python: wanted >=3.99, found 3.")
    assert "Prefect schedules nothing, without a word" in faults[1].text
    assert "found none" in faults[3].text
    assert [
        fault for fault in check_versions(ROOT / "pyproject.toml") if not fault.is_warning
    ] == []


def test_locked_database_is_told(tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path)
    # A lock of another process, as a copying tool or a hung server holds it.
    path = make_database(settings, "a3b9c7d2e5f1")
    script = (
        "import sqlite3, sys, time\n"
        "one = sqlite3.connect(sys.argv[1], isolation_level=None); one.execute('BEGIN EXCLUSIVE')\n"
        "print('locked', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(path)]
    assert check_database(settings, {}) == []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        (fault,) = check_database(settings, {})
        holder.kill()

    assert f"is in use by pid {holder.pid}" in fault.text
    assert check_database(settings, {}) == []


def test_database_of_a_newer_prefect_and_a_broken_one_are_told(tmp_path: Path) -> None:
    newer, broken = Settings(outputs=tmp_path / "n"), Settings(outputs=tmp_path / "b")
    make_database(newer, "ffffffffffff")
    path = make_database(broken, "a3b9c7d2e5f1")
    path.write_bytes(b"no database at all " * 100)

    assert "written by a newer Prefect: its revision ffffffffffff" in (
        check_database(newer, {})[0].text
    )
    assert "file is not a database" in check_database(broken, {})[0].text


def test_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "o").write_text("a file")

    (fault,) = check_database(Settings(outputs=tmp_path / "o"), {})

    assert "must be written here, but it cannot be (Not a directory)" in fault.text


@pytest.mark.skipif(os.getuid() == 0, reason="the administrator may write everywhere")
def test_read_only_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    (fault,) = check_database(Settings(outputs=tmp_path), {})

    assert "Permission denied" in fault.text


def test_absent_database_server_is_told_without_its_password(tmp_path: Path) -> None:
    address = f"postgresql+asyncpg://me:secret@127.0.0.1:{find_free_port()}/prefect"

    (fault,) = check_database(
        Settings(outputs=tmp_path), {"PREFECT_SERVER_DATABASE_CONNECTION_URL": address}
    )

    assert "no database answers at 127.0.0.1:" in fault.text
    assert "secret" not in fault.text


def test_password_that_spoils_the_address_of_a_database_is_not_told(tmp_path: Path) -> None:
    address = "postgresql+asyncpg://me:sec/ret@db.example/prefect"

    (fault,) = check_database(
        Settings(outputs=tmp_path), {"PREFECT_SERVER_DATABASE_CONNECTION_URL": address}
    )

    assert "%2F" in fault.text
    assert "sec" not in fault.text.replace("PREFECT_SERVER_DATABASE_CONNECTION_URL", "")


def test_outputs_in_use_on_another_machine_are_refused(tmp_path: Path) -> None:
    settings = Settings(outputs=tmp_path)
    path = make_database(settings, "a3b9c7d2e5f1")
    note = Service(name="worker", pid=1, create_time=1.0, port=4200, host="elsewhere")
    write_note(settings, note)

    found = [fault.text for fault in find_faults(settings, find_free_port())]
    # Nobody has written for an hour: that machine is gone.
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3600))
    later = [fault.text for fault in find_faults(settings, find_free_port())]

    assert any("its worker runs on another machine, elsewhere (pid 1)" in text for text in found)
    assert not any("another machine" in text for text in later)


def test_address_that_notifies_nobody_is_a_warning_that_does_not_quote_it(tmp_path: Path) -> None:
    def tell(notify: str) -> list[bool]:
        settings = Settings(outputs=tmp_path, notify=SecretStr(notify))
        faults = find_faults(settings, find_free_port())
        assert not [fault for fault in faults if "top-secret" in fault.text]
        return [fault.is_warning for fault in faults if "PACALOOM_NOTIFY" in fault.text]

    assert tell("json://127.0.0.1:1/ slack://top-secret") == [True]
    assert tell("json://127.0.0.1:1/") == []


def test_all_faults_are_printed_each_in_its_line(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(ROOT / "pacaloom", copy)
    for name in ("cli", "flows", "pipeline", "training", "embedded", "schemas"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".venv", "seeds", "pyproject.toml"):
        (copy / name).symlink_to(ROOT / name)
    text = (ROOT / "prefect.yaml").read_text(encoding="utf-8")
    (copy / "prefect.yaml").write_text(text.replace("Asia/Seoul", "Asia/Soul"), encoding="utf-8")
    (copy / ".env").write_text("HF_TOKENS=x\n")
    (tmp_path / "o").write_text("a file")

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_pacaloom("up", "--check", "--port", port, outputs=tmp_path / "o", root=copy)

    lines = done.stderr.splitlines()
    assert done.status == 2
    assert all(line.startswith(("pacaloom: error: ", "pacaloom: warning: ")) for line in lines)
    for part in (f"Port {port}", "must be written here", "did you mean Asia/Seoul?", "HF_TOKEN?"):
        assert any(part in line for line in lines), part


def test_worker_of_another_server_on_the_same_outputs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / "__init__.py").write_text("")
    (tmp_path / "prefect" / "__main__.py").write_text(
        "import time; print(flush=True); time.sleep(60)"
    )
    outputs = tmp_path / "o"
    # Known by its command, whatever it does.
    with subprocess.Popen(
        [sys.executable, "-m", "prefect", "worker", "start"],
        cwd=tmp_path,
        env={"PACALOOM_OUTPUTS": str(outputs), "PREFECT_API_URL": "http://127.0.0.1:9/api"},
        stdout=subprocess.PIPE,
    ) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        found = find_faults(Settings(outputs=outputs), find_free_port())
        same = find_faults(Settings(outputs=outputs), 9)
        elsewhere = find_faults(Settings(outputs=tmp_path / "other"), find_free_port())
        worker.kill()

    (fault,) = [one for one in found if f"pid {worker.pid}" in one.text]
    assert "a worker of another server, http://127.0.0.1:9/api" in fault.text
    assert not fault.is_warning
    (warning,) = [one for one in same if f"pid {worker.pid}" in one.text]
    assert warning.is_warning
    assert not [one for one in elsewhere if f"pid {worker.pid}" in one.text]
