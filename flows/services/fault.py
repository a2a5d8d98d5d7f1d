"""What stands in the way of starting the services, or of what they are started for."""

from typing import NamedTuple


class Fault(NamedTuple):
    """One thing that is not as it must be."""

    text: str
    """One line: wanted, found, where, next step."""
    is_warning: bool = False
    """The server starts all the same; some run may not."""
