"""Which models exist under a name, what the gate said of each, and which one is the champion.

One SQLite file. Each change is one transaction that takes the write lock at its start, so two
processes never act on what the other has just changed, and a kill at any moment leaves the state
before or after. Who is champion follows from the history alone: a promotion puts a version on top,
a rollback takes it off, so the answer and the story of how it came about cannot differ.

Cost: a few milliseconds a call, growing with the changes under one name.
"""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from schemas.errors import PacaloomError, UserError
from schemas.evaluation import GateVerdict

FORMAT = 1
"""Version of the tables; stored in the file's ``user_version``."""

_BUSY_TIMEOUT_S = 30.0
"""Wait for another process's transaction; each takes milliseconds."""

_TABLES = """
CREATE TABLE models (
    name TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    version TEXT NOT NULL,
    path TEXT NOT NULL,
    dataset TEXT NOT NULL,
    verdict TEXT,
    report TEXT,
    registered_at TEXT NOT NULL,
    PRIMARY KEY (name, version),
    UNIQUE (name, ordinal)
) STRICT;
CREATE TABLE history (
    sequence INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('promote', 'rollback')),
    version TEXT NOT NULL,
    at TEXT NOT NULL,
    FOREIGN KEY (name, version) REFERENCES models (name, version)
) STRICT;
"""


class RegistryError(UserError):
    """A change that the registry's state does not allow, or a file that is no registry of ours."""


class RegistryAccessError(PacaloomError):
    """The registry's file cannot be opened or written."""


class RegisteredModel(NamedTuple):
    """One version under a name."""

    name: str
    ordinal: int
    """1 for the first version registered under the name."""
    version: str
    path: Path
    dataset: str
    """``NAME/VERSION`` of the dataset it was trained on."""
    verdict: GateVerdict | None
    """None until it was judged."""
    report: Path | None
    """The evaluation's folder."""
    registered_at: datetime


class Change(NamedTuple):
    """One line of a name's history."""

    action: Literal["promote", "rollback"]
    version: str
    """The champion after the change."""
    at: datetime


class Registry:
    """The registry in one file; made when it is first written to."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def register(
        self,
        name: str,
        version: str,
        path: Path,
        dataset: str,
        at: datetime,
        verdict: GateVerdict | None = None,
        report: Path | None = None,
    ) -> RegisteredModel:
        """Add a version, or give one that is there its newest verdict and report.

        A version keeps its ordinal and first time; registering it without a verdict keeps the one
        it has.
        """
        judged = verdict.model_dump_json() if verdict else None
        with self._transaction() as database:
            database.execute(
                "INSERT INTO models (name, ordinal, version, path, dataset, verdict, report, "
                "registered_at) VALUES (?1, (SELECT count(*) + 1 FROM models WHERE name = ?1), "
                "?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name, version) DO UPDATE SET "
                "path = excluded.path, dataset = excluded.dataset, "
                "verdict = coalesce(excluded.verdict, verdict), "
                "report = coalesce(excluded.report, report)",
                (name, version, str(path), dataset, judged, _text(report), at.isoformat()),
            )
            return _find(database, name, version)

    def promote(self, name: str, version: str, at: datetime) -> RegisteredModel:
        """Make a version the champion; promoting the champion again changes nothing.

        Raises:
            RegistryError: Unknown version, never judged, or judged unfit.
        """
        with self._transaction() as database:
            model = _find(database, name, version)
            _check_promotable(model)
            stack = _champions(database, name)
            if not stack or stack[-1] != version:
                _record(database, name, "promote", version, at)
            return model

    def rollback(self, name: str, at: datetime) -> RegisteredModel:
        """Give the name back to the champion before the present one.

        Raises:
            RegistryError: There was none before.
        """
        with self._transaction() as database:
            stack = _champions(database, name)
            if len(stack) < 2:
                raise RegistryError(
                    f"{name!r} has had {len(stack)} champion(s), a rollback needs an earlier one."
                )
            _record(database, name, "rollback", stack[-2], at)
            return _find(database, name, stack[-2])

    def champion(self, name: str) -> RegisteredModel | None:
        """Return the model that has the name now; None before the first promotion."""
        with self._transaction() as database:
            stack = _champions(database, name)
            return _find(database, name, stack[-1]) if stack else None

    def models(self, name: str | None = None) -> list[RegisteredModel]:
        """List the versions of a name, or of all names, in order of registration."""
        with self._transaction() as database:
            rows = database.execute(
                "SELECT * FROM models WHERE ?1 IS NULL OR name = ?1 ORDER BY name, ordinal", (name,)
            ).fetchall()
        return [_to_model(row) for row in rows]

    def history(self, name: str) -> list[Change]:
        """List a name's promotions and rollbacks, oldest first."""
        with self._transaction() as database:
            rows = database.execute(
                "SELECT action, version, at FROM history WHERE name = ? ORDER BY sequence", (name,)
            ).fetchall()
        return [Change(row[0], row[1], datetime.fromisoformat(row[2])) for row in rows]

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        """Lend a connection that holds the write lock; commit on success."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(
                sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
            ) as database:
                database.row_factory = sqlite3.Row
                database.execute("PRAGMA foreign_keys = ON")
                database.execute("BEGIN IMMEDIATE")
                self._prepare(database)
                yield database
                # An exception skips this, and closing an open transaction rolls it back.
                database.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            raise RegistryAccessError(
                f"{self._path}: the registry cannot be used: {error}. Mend the file or its "
                "permissions, or set PACALOOM_OUTPUTS to another folder."
            ) from error

    def _prepare(self, database: sqlite3.Connection) -> None:
        found: int = database.execute("PRAGMA user_version").fetchone()[0]
        if found == FORMAT:
            return
        if found > FORMAT:
            raise RegistryError(
                f"{self._path} has registry format {found}, this version knows up to {FORMAT}: "
                "update pacaloom, or use the outputs folder of this version."
            )
        for statement in _TABLES.split(";\n"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {FORMAT}")


def _check_promotable(model: RegisteredModel) -> None:
    if model.verdict is None:
        raise RegistryError(
            f"{model.name!r} {model.version} was never judged, so it cannot become champion: "
            "evaluate it first."
        )
    if model.verdict.verdict != "promote":
        raise RegistryError(
            f"{model.name!r} {model.version} was judged {model.verdict.verdict!r}, so it cannot "
            f"become champion: {'; '.join(model.verdict.reasons)}"
        )


def _champions(database: sqlite3.Connection, name: str) -> list[str]:
    """Replay the history to the stack of champions, the present one last."""
    stack: list[str] = []
    for action, version in database.execute(
        "SELECT action, version FROM history WHERE name = ? ORDER BY sequence", (name,)
    ):
        if action == "promote":
            stack.append(version)
        else:
            stack.pop()
    return stack


def _record(
    database: sqlite3.Connection, name: str, action: str, version: str, at: datetime
) -> None:
    database.execute(
        "INSERT INTO history (name, action, version, at) VALUES (?, ?, ?, ?)",
        (name, action, version, at.isoformat()),
    )


def _find(database: sqlite3.Connection, name: str, version: str) -> RegisteredModel:
    row = database.execute(
        "SELECT * FROM models WHERE name = ? AND version = ?", (name, version)
    ).fetchone()
    if row is None:
        known = [
            r[0] for r in database.execute("SELECT version FROM models WHERE name = ?", (name,))
        ]
        raise RegistryError(
            f"{name!r} has no version {version!r}; registered are: {', '.join(known) or 'none'}."
        )
    return _to_model(row)


def _to_model(row: sqlite3.Row) -> RegisteredModel:
    return RegisteredModel(
        name=row["name"],
        ordinal=row["ordinal"],
        version=row["version"],
        path=Path(row["path"]),
        dataset=row["dataset"],
        verdict=GateVerdict.model_validate_json(row["verdict"]) if row["verdict"] else None,
        report=Path(row["report"]) if row["report"] else None,
        registered_at=datetime.fromisoformat(row["registered_at"]),
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
