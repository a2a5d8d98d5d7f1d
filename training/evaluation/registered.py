"""What the registry's rows say: models, what was said of them, and who is champion."""

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from schemas.errors import PacaloomError, UserError
from schemas.evaluation import GateVerdict


class RegistryError(UserError):
    """A change that the registry's state does not allow, or a file that is no registry of ours."""


class RegistryAccessError(PacaloomError):
    """The registry's file cannot be opened or written."""


class Judgement(NamedTuple):
    """What the gate made of one evaluation."""

    verdict: GateVerdict
    report: Path | None = None
    """The evaluation's folder."""
    items_hash: str = ""
    """Over the items and worked examples that challenger and champion were both asked; empty in a
    registry that an older version wrote."""


class RegisteredModel(NamedTuple):
    """One version under a name."""

    name: str
    ordinal: int
    """1 for the first version registered under the name."""
    version: str
    path: Path
    dataset: str
    """``NAME/VERSION`` of the dataset it was trained on."""
    registered_at: datetime
    judgement: Judgement | None
    """The newest; None until it was judged."""
    removed_at: datetime | None = None
    """When maintenance removed its files; None while they are there."""

    @property
    def verdict(self) -> GateVerdict | None:
        """The newest."""
        return self.judgement.verdict if self.judgement else None

    @property
    def report(self) -> Path | None:
        """The folder of the newest evaluation."""
        return self.judgement.report if self.judgement else None

    @property
    def reference(self) -> str:
        """``NAME/VERSION``, as verdicts and users call it."""
        return f"{self.name}/{self.version}"


class Change(NamedTuple):
    """One line of a name's history."""

    action: Literal["promote", "rollback"]
    version: str
    """The champion after the change."""
    at: datetime
    items_hash: str
    """Of the judgement that a promotion rests on; empty for a rollback."""


def read_champions(database: sqlite3.Connection, name: str) -> list[str]:
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


def record_change(
    database: sqlite3.Connection,
    name: str,
    action: Literal["promote", "rollback"],
    version: str,
    at: datetime,
    items_hash: str = "",
) -> None:
    database.execute(
        "INSERT INTO history (name, action, version, at, items_hash) VALUES (?, ?, ?, ?, ?)",
        (name, action, version, at.isoformat(), items_hash),
    )


def find_model(database: sqlite3.Connection, name: str, version: str) -> RegisteredModel:
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
    return to_model(database, row)


def to_model(database: sqlite3.Connection, row: sqlite3.Row) -> RegisteredModel:
    judgements = read_judgements(database, row["name"], row["version"])
    return RegisteredModel(
        name=row["name"],
        ordinal=row["ordinal"],
        version=row["version"],
        path=Path(row["path"]),
        dataset=row["dataset"],
        registered_at=datetime.fromisoformat(row["registered_at"]),
        judgement=judgements[-1] if judgements else None,
        removed_at=datetime.fromisoformat(row["removed_at"]) if row["removed_at"] else None,
    )


def read_judgements(database: sqlite3.Connection, name: str, version: str) -> list[Judgement]:
    rows = database.execute(
        "SELECT verdict, report, items_hash FROM judgements WHERE name = ? AND version = ? "
        "ORDER BY sequence",
        (name, version),
    )
    return [
        Judgement(GateVerdict.model_validate_json(row[0]), Path(row[1]) if row[1] else None, row[2])
        for row in rows
    ]
