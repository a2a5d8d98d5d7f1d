"""A PostgreSQL of a test's own, from the system's packages; it refuses to run as root."""

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.service_house import find_free_port

_VERSIONS = Path("/usr/lib/postgresql")


def find_programs() -> Path:
    """Return the folder of initdb and pg_ctl, or skip the test."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(_VERSIONS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not installed:
        pytest.skip("PostgreSQL is not installed here: apt-get install postgresql")
    return installed[-1].parent


def _other_user() -> str | None:
    """Return whom to be for PostgreSQL: nobody else unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody here")


@contextmanager
def running_postgres(folder: Path) -> Generator[str]:
    """Run a server on 127.0.0.1 that wants a password; yield its URL for SQLAlchemy's asyncpg.

    Args:
        folder: An empty folder that the server's user can reach.
    """
    programs, user, port = find_programs(), _other_user(), find_free_port()
    password, data = secrets.token_hex(16), folder / "data"
    password_file = folder / "password"
    password_file.write_text(password)
    if user:
        shutil.chown(folder, user)
        shutil.chown(password_file, user)

    def run(*command: str) -> None:
        # No pipes: the server inherits them from pg_ctl, and they would not close before it ends.
        with (folder / "log").open("ab") as log:
            done = subprocess.run(
                command, cwd=folder, user=user, env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, timeout=120,
            )  # fmt: skip
        assert done.returncode == 0, (folder / "log").read_text(errors="replace")

    run(
        str(programs / "initdb"), "--pgdata", str(data), "--username", "prefect",
        "--auth", "scram-sha-256", "--pwfile", str(password_file), "--encoding", "UTF8",
    )  # fmt: skip
    control = (str(programs / "pg_ctl"), "--pgdata", str(data), "--wait", "--timeout", "100")
    options = f"-h 127.0.0.1 -p {port} -c unix_socket_directories='' -c fsync=off"
    run(*control, "--options", options, "start")
    try:
        yield f"postgresql+asyncpg://prefect:{password}@127.0.0.1:{port}/postgres"
    finally:
        run(*control, "--mode", "immediate", "stop")
