"""A hard cap on what a run may send: reserved before each request, never after."""

from schemas.errors import PacaloomError


class BudgetSpentError(PacaloomError):
    """The cap leaves no room for another request."""


class Budget:
    """Counts the HTTP requests of a run, retries included, and refuses those beyond the cap."""

    def __init__(self, max_requests: int | None = None) -> None:
        self._max_requests = max_requests
        self.requests_sent = 0

    def reserve(self) -> None:
        """Take the room for one request.

        Raises:
            BudgetSpentError: There is none.
        """
        if self._max_requests is not None and self.requests_sent >= self._max_requests:
            raise BudgetSpentError(
                f"The cap of {self._max_requests} requests is reached. Raise max_requests and run "
                "the same command again: every answer so far is in the journal."
            )
        self.requests_sent += 1
