"""A page of the reader's own that leads to the review.

Whoever is logged in on the machine can read the arguments of every process, so a browser that is
started with an address must not be started with the token in it.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from tempfile import mkstemp

from schemas.errors import PacaloomError


class DoorError(PacaloomError):
    """The page cannot be written."""


@contextmanager
def lend_door(address: str, folder: Path) -> Generator[Path]:
    """Lend a page that leads to an address; only this user can read it, and it goes afterwards.

    Args:
        address: With the token.
        folder: Where it lies. Not the system's temporary folder: packaged browsers have their own.

    Raises:
        DoorError: The folder cannot be written.
    """
    page = (
        '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        f'<title>Pacaloom</title><meta http-equiv="refresh" content="0;url={escape(address)}">\n'
    )
    try:
        descriptor, name = mkstemp(dir=folder, prefix=".open-", suffix=".html")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(page)
    except OSError as error:
        raise DoorError(
            f"{folder} cannot be written: {error.strerror}. Free space there or mend the "
            "permissions, or start the review with --no-browser."
        ) from error
    door = Path(name)
    try:
        yield door
    finally:
        door.unlink(missing_ok=True)
