"""Whether the Prefect server could open and write its database.

By default that is a SQLite file below the outputs. Prefect itself says of a locked or read-only
one, after half a minute and many lines, only that its lifespan has failed.
"""

import re
import socket
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from flows.services.fault import Fault
from flows.settings import Settings

_URL_VARIABLES = (
    "PREFECT_SERVER_DATABASE_CONNECTION_URL",
    "PREFECT_API_DATABASE_CONNECTION_URL",
)
_PATIENCE_S = 1.0
_RECENT_S = 120.0
"""A worker's heartbeat is written every 30 s."""
_POSTGRES_PORT = 5432


def check_database(settings: Settings, environment: Mapping[str, str]) -> list[Fault]:
    """Say what would keep a server from its database; none of ours may be running."""
    faults = _check_folder(settings.outputs / "prefect" / "server")
    if faults:
        return faults
    for variable in _URL_VARIABLES:
        if address := environment.get(variable, "").strip():
            return _check_remote(variable, address)
    path = database_path(settings)
    if not path.exists():
        return []
    return _check_users(path) or _check_file(path)


def database_path(settings: Settings) -> Path:
    """Name the SQLite file of the server that ``up`` starts."""
    return settings.outputs / "prefect" / "server" / "prefect.db"


def is_written_now(settings: Settings) -> bool:
    """Tell whether some server, perhaps of another machine, is at work on the database."""
    path = database_path(settings)
    times = [
        one.stat().st_mtime for one in (path, path.with_name(f"{path.name}-wal")) if one.exists()
    ]
    return bool(times) and time.time() - max(times) < _RECENT_S


def _check_folder(folder: Path) -> list[Fault]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return []
    except OSError as error:
        return [
            Fault(
                f"{folder}: the server's database must be written here, but it cannot be "
                f"({error.strerror or error}). Mend that, or choose another folder "
                "(PACALOOM_OUTPUTS)."
            )
        ]


def _check_users(path: Path) -> list[Fault]:
    """Find who has it open: two servers on one database schedule every run twice."""
    users = [process.pid for process in psutil.process_iter() if _has_open(process, path)]
    if not users:
        return []
    pids = ", ".join(map(str, users))
    return [
        Fault(
            f"{path} is in use by pid {pids}, which `up` did not start or does not remember. End "
            f"it (`kill {' '.join(map(str, users))}`), then `make up` again."
        )
    ]


def _has_open(process: psutil.Process, path: Path) -> bool:
    try:
        return any(Path(one.path) == path for one in process.open_files())
    except (psutil.Error, OSError):
        return False


def _check_file(path: Path) -> list[Fault]:
    try:
        revision = _read_revision(path)
    except sqlite3.Error as error:
        return [_explain(path, str(error))]
    if revision is None or revision in _known_revisions():
        return []
    return [
        Fault(
            f"{path} was written by a newer Prefect: its revision {revision} is unknown to the "
            f"installed {version('prefect')}. Install that newer one, or move the file away to "
            "begin without its runs."
        )
    ]


def _read_revision(path: Path) -> str | None:
    """Take the writer's lock for a moment, and read which migration came last."""
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        table = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(table).fetchone() is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return row[0] if row else None
    finally:
        connection.close()


def _explain(path: Path, message: str) -> Fault:
    advice = {
        "locked": "Another program writes it: end that one, or wait until it is done.",
        "readonly": "Make the file and its folder writable.",
        "read-only": "Make the file and its folder writable.",
    }
    fitting = [advice[word] for word in advice if word in message]
    way = fitting[0] if fitting else "Move it away to begin anew; only Prefect's history is in it."
    return Fault(f"{path}: the server's database cannot be used ({message}). {way}")


def _known_revisions() -> set[str]:
    """Read the installed migrations off their file names, without importing Prefect."""
    spec = find_spec("prefect")
    if spec is None or spec.origin is None:
        return set()
    folder = Path(spec.origin).parent / "server/database/_migrations/versions/sqlite"
    names = (re.match(r"(?:\d+_)+([0-9a-f]{12})_", one.name) for one in folder.glob("*.py"))
    return {name[1] for name in names if name}


def _check_remote(variable: str, address: str) -> list[Fault]:
    """Try to reach a database server; its address may bear a password and is not repeated."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or _POSTGRES_PORT
    except ValueError:
        # What Python says quotes a part of it, which is the password when that has a slash.
        return [
            Fault(
                f"{variable}: wanted an address as postgresql+asyncpg://USER:PASSWORD@HOST/NAME, "
                "found another; signs such as / and @ in the password are written as %2F and %40."
            )
        ]
    if host is None:
        # A SQLite file of the user's own choice.
        return []
    try:
        with socket.create_connection((host, port), timeout=5):
            return []
    except OSError as error:
        return [
            Fault(
                f"{variable}: no database answers at {host}:{port} ({error.strerror or error}). "
                "Start it, or unset the variable to use SQLite below the outputs."
            )
        ]
