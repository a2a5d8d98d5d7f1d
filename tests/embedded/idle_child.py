"""A child that does nothing but end with its parent: ``python -m tests.embedded.idle_child``."""

import sys
from threading import Event

from embedded.child import exit_with_parent

if __name__ == "__main__":
    exit_with_parent()
    print("idle", flush=True)  # noqa: T201  # its protocol
    Event().wait(60)
    sys.exit("nobody ended this process")
