"""The two ways a run ends badly; each module's own exception derives from one of them."""


class PacaloomError(Exception):
    """Work failed for a reason outside the user's request: network, disk, a broken model.

    The message is one line that names what was wanted, what was found, where, and the next step.
    """

    exit_status = 1
    may_pass = False
    """The same call may succeed later: a network was down, or an endpoint overloaded."""


class UserError(PacaloomError):
    """The request itself cannot be met: a wrong name, path, value, key or file."""

    exit_status = 2
