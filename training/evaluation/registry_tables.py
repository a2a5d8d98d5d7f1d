"""The registry's tables, and how a file of an older version becomes one of this.

Format 1 kept the newest verdict in the row of its model; format 2 keeps all of them, with the items
that they were found on, and each promotion names those it rests on; format 3 knows which versions'
files were removed.
"""

import sqlite3

FORMAT = 3
"""Version of the tables; stored in the file's ``user_version``."""

_MODELS = """
CREATE TABLE models (
    name TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    version TEXT NOT NULL,
    path TEXT NOT NULL,
    dataset TEXT NOT NULL,
    registered_at TEXT NOT NULL,
    PRIMARY KEY (name, version),
    UNIQUE (name, ordinal)
) STRICT
"""
_JUDGEMENTS = """
CREATE TABLE judgements (
    sequence INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    verdict TEXT NOT NULL,
    report TEXT,
    items_hash TEXT NOT NULL,
    at TEXT NOT NULL,
    FOREIGN KEY (name, version) REFERENCES models (name, version)
) STRICT
"""
_HISTORY = """
CREATE TABLE history (
    sequence INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('promote', 'rollback')),
    version TEXT NOT NULL,
    at TEXT NOT NULL,
    items_hash TEXT NOT NULL,
    FOREIGN KEY (name, version) REFERENCES models (name, version)
) STRICT
"""
_FROM_2 = ("ALTER TABLE models ADD COLUMN removed_at TEXT",)
_FROM_1 = (
    _JUDGEMENTS,
    "INSERT INTO judgements (name, version, verdict, report, items_hash, at) "
    "SELECT name, version, verdict, report, '', registered_at FROM models "
    "WHERE verdict IS NOT NULL ORDER BY name, ordinal",
    "ALTER TABLE models DROP COLUMN verdict",
    "ALTER TABLE models DROP COLUMN report",
    "ALTER TABLE history ADD COLUMN items_hash TEXT NOT NULL DEFAULT ''",
    *_FROM_2,
)
_STEPS = {0: (_MODELS, _JUDGEMENTS, _HISTORY, *_FROM_2), 1: _FROM_1, 2: _FROM_2}


def prepare(database: sqlite3.Connection) -> int:
    """Make the tables of an empty file, or bring older ones up to date, in the open transaction.

    Returns:
        The format that was found; one above ``FORMAT`` is left as it is.
    """
    found: int = database.execute("PRAGMA user_version").fetchone()[0]
    if found < FORMAT:
        for statement in _STEPS[found]:
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {FORMAT}")
    return found
