"""Which models exist under a name, what the gate said of each, and which one is the champion.

One SQLite file. Each change is one transaction that takes the write lock at its start, so two
processes never act on what the other has just changed, and a kill at any moment leaves the state
before or after. Who is champion follows from the history alone: a promotion puts a version on top,
a rollback takes it off, so the answer and the story of how it came about cannot differ.

A champion is replaced only by a model that was judged against it, on the same items: a verdict
found against the base model, or against an earlier champion, says nothing about the present one.
A version whose files were removed stays known with all that was said of it, and can no longer
become champion; only what no rollback leads back to may be removed.

Cost: a few milliseconds a call, growing with the changes under one name.
"""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from training.evaluation.registered import (
    Change,
    Judgement,
    RegisteredModel,
    RegistryAccessError,
    RegistryError,
    find_model,
    read_champions,
    read_judgements,
    record_change,
    to_model,
)
from training.evaluation.registry_tables import FORMAT, prepare

_BUSY_TIMEOUT_S = 30.0
"""Wait for another process's transaction; each takes milliseconds."""


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
        judgement: Judgement | None = None,
    ) -> RegisteredModel:
        """Add a version, or add to one that is there its newest judgement.

        A version keeps its ordinal, its first time and all its judgements; it is there (again).
        """
        with self._transaction() as database:
            database.execute(
                "INSERT INTO models (name, ordinal, version, path, dataset, registered_at) VALUES "
                "(?1, (SELECT count(*) + 1 FROM models WHERE name = ?1), ?2, ?3, ?4, ?5) "
                "ON CONFLICT (name, version) DO UPDATE SET "
                "path = excluded.path, dataset = excluded.dataset, removed_at = NULL",
                (name, version, str(path), dataset, at.isoformat()),
            )
            if judgement is not None:
                database.execute(
                    "INSERT INTO judgements (name, version, verdict, report, items_hash, at) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        name,
                        version,
                        judgement.verdict.model_dump_json(),
                        str(judgement.report) if judgement.report else None,
                        judgement.items_hash,
                        at.isoformat(),
                    ),
                )
            return find_model(database, name, version)

    def promote(self, name: str, version: str, at: datetime) -> RegisteredModel:
        """Make a version the champion; promoting the champion again changes nothing.

        What decides is its newest judgement against the present champion; while there is none, its
        newest.

        Raises:
            RegistryError: Unknown version, removed, never judged, judged unfit, or not judged
                against the present champion.
        """
        with self._transaction() as database:
            model = find_model(database, name, version)
            stack = read_champions(database, name)
            if not stack or stack[-1] != version:
                _check_present(model)
                judgements = read_judgements(database, name, version)
                decisive = _find_decisive(model, judgements, stack[-1] if stack else None)
                record_change(database, name, "promote", version, at, decisive.items_hash)
            return model

    def rollback(self, name: str, at: datetime) -> RegisteredModel:
        """Give the name back to the champion before the present one.

        Raises:
            RegistryError: There was none before, or it was removed.
        """
        with self._transaction() as database:
            stack = read_champions(database, name)
            if len(stack) < 2:
                raise RegistryError(
                    f"{name!r} has had {len(stack)} champion(s), a rollback needs an earlier one."
                )
            earlier = find_model(database, name, stack[-2])
            _check_present(earlier)
            record_change(database, name, "rollback", stack[-2], at)
            return earlier

    def mark_removed(self, name: str, version: str, at: datetime) -> bool:
        """Note that a version's files go, unless it is champion or a rollback leads back to it.

        Noted first and removed then, so that nobody makes it champion in between.

        Returns:
            Whether the files may go. Nothing is noted of a version that is not registered.
        """
        if not self._path.is_file():
            return True
        with self._transaction() as database:
            if version in read_champions(database, name):
                return False
            database.execute(
                "UPDATE models SET removed_at = ? "
                "WHERE name = ? AND version = ? AND removed_at IS NULL",
                (at.isoformat(), name, version),
            )
        return True

    def mark_present(self, name: str, version: str) -> None:
        """Take back that a version's files were removed: they are there."""
        with self._transaction() as database:
            database.execute(
                "UPDATE models SET removed_at = NULL WHERE name = ? AND version = ?",
                (name, version),
            )

    def champion(self, name: str) -> RegisteredModel | None:
        """Return the model that has the name now; None before the first promotion."""
        if not self._path.is_file():
            return None
        with self._transaction() as database:
            stack = read_champions(database, name)
            return find_model(database, name, stack[-1]) if stack else None

    def champions(self, name: str) -> list[str]:
        """List the versions that rollbacks lead back to, the present champion last."""
        if not self._path.is_file():
            return []
        with self._transaction() as database:
            return read_champions(database, name)

    def models(self, name: str | None = None) -> list[RegisteredModel]:
        """List the versions of a name, or of all names, in order of registration."""
        if not self._path.is_file():
            return []
        with self._transaction() as database:
            rows = database.execute(
                "SELECT * FROM models WHERE ?1 IS NULL OR name = ?1 ORDER BY name, ordinal", (name,)
            ).fetchall()
            return [to_model(database, row) for row in rows]

    def judgements(self, name: str, version: str) -> list[Judgement]:
        """List all that was said of a version, oldest first."""
        if not self._path.is_file():
            return []
        with self._transaction() as database:
            return read_judgements(database, name, version)

    def history(self, name: str) -> list[Change]:
        """List a name's promotions and rollbacks, oldest first."""
        if not self._path.is_file():
            return []
        with self._transaction() as database:
            rows = database.execute(
                "SELECT action, version, at, items_hash FROM history WHERE name = ? "
                "ORDER BY sequence",
                (name,),
            ).fetchall()
        return [Change(row[0], row[1], datetime.fromisoformat(row[2]), row[3]) for row in rows]

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
                self._check_format(prepare(database))
                yield database
                # An exception skips this, and closing an open transaction rolls it back.
                database.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            raise RegistryAccessError(
                f"{self._path}: the registry cannot be used: {error}. Mend the file or its "
                "permissions, or set PACALOOM_OUTPUTS to another folder."
            ) from error

    def _check_format(self, found: int) -> None:
        if found > FORMAT:
            raise RegistryError(
                f"{self._path} has registry format {found}, this version knows up to {FORMAT}: "
                "update pacaloom, or use the outputs folder of this version."
            )


def _check_present(model: RegisteredModel) -> None:
    if model.removed_at is not None:
        raise RegistryError(
            f"{model.reference} cannot become champion: maintenance removed its files on "
            f"{model.removed_at:%Y-%m-%d}. Tune it again on {model.dataset}, or promote another; "
            f"`pacaloom models list {model.name}` shows them."
        )


def _find_decisive(
    model: RegisteredModel, judgements: Sequence[Judgement], champion: str | None
) -> Judgement:
    """Find the judgement that a promotion rests on."""
    if not judgements:
        raise RegistryError(
            f"{model.name!r} {model.version} was never judged, so it cannot become champion: "
            "evaluate it first."
        )
    rival = f"{model.name}/{champion}"
    against = [one for one in judgements if champion is None or one.verdict.champion == rival]
    if not against:
        raise RegistryError(
            f"{model.name!r} {model.version} was judged against {judgements[-1].verdict.champion}, "
            f"but {rival} is champion now, so it cannot take its place: evaluate it again with "
            f"`pacaloom evaluate --model {model.reference}`."
        )
    verdict = against[-1].verdict
    if verdict.verdict != "promote":
        raise RegistryError(
            f"{model.name!r} {model.version} was judged {verdict.verdict!r}, so it cannot "
            f"become champion: {'; '.join(verdict.reasons)}"
        )
    return against[-1]
