"""One of several endpoints: how it is asked, and what is known of its failures."""

from pipeline.generation.teacher.answers import Failure, Fault
from pipeline.generation.teacher.endpoint import TeacherEndpoint
from pipeline.generation.teacher.endpoint_list import ListedEndpoint
from pipeline.generation.teacher.rate_limits import Caps
from pipeline.generation.teacher.retries import Shut
from pipeline.generation.teacher.served_models import ServedModel
from pipeline.generation.teacher.shares import Place
from pipeline.generation.teacher.waiting import Clock

_BURSTS = 3
"""Failures in a row after which it is set aside."""
_BURSTS_OF_OVERLOAD = 5
"""Of refusals for overload, each of which is followed by a longer pause anyway."""
_FIRST_ABSENCE_S = 1.0
_LONGEST_ABSENCE_S = 60.0


class Member(Place):
    """A place whose failures are counted."""

    def __init__(
        self,
        listed: ListedEndpoint,
        model: str,
        *,
        concurrency: int,
        caps: Caps,
        timeout_s: float,
        clock: Clock,
    ) -> None:
        """Know of no failure yet; the arguments are those of ``TeacherPool``."""
        self.endpoint = TeacherEndpoint(
            listed.base_url,
            model,
            listed.api_key.get_secret_value(),
            concurrency=concurrency,
            caps=caps,
            timeout_s=timeout_s,
            clock=clock,
        )
        super().__init__(self.endpoint.limit, self.endpoint.rates, listed.weight)
        self.url = self.endpoint.connection.base_url
        self.served: tuple[ServedModel, ...] = ()
        """Models that it said to serve; empty until it does."""
        self.is_new = True
        """It has neither answered nor been away since the run began."""
        self.was_reached = False
        self.answers = 0
        self.is_out = False
        """It is not asked again in this run."""
        self.words = ""
        """Of its latest failure."""
        self.away_since = 0.0
        self.back_at = 0.0
        """When it is looked at again."""
        self._now = clock.now
        self._absences = 0
        self._shut: Shut | None = None

    def note_answer(self) -> None:
        """Forget its failures."""
        self.is_new = False
        self.was_reached = True
        self.answers += 1
        self._absences = 0
        self._shut = None

    def note_failure(self, failure: Failure, sent_at: float) -> int:
        """Return how many bursts of failures there were in a row."""
        self.words = failure.words
        self.was_reached |= failure.fault is not Fault.UNREACHABLE
        if self._shut is None:
            self._shut = Shut(self._now())
        else:
            self._shut.note(sent_at, self._now())
        return self._shut.bursts

    def is_failing(self, failure: Failure, bursts: int) -> bool:
        """Tell whether it is to be set aside."""
        overload = failure.fault is Fault.OVERLOADED
        most = _BURSTS_OF_OVERLOAD if overload else _BURSTS
        return failure.fault is Fault.UNREACHABLE or bursts >= most

    def leave(self) -> None:
        """Be set aside."""
        self.is_open = False
        self.is_new = False
        self.away_since = self._now()

    def find_absence(self, asked_s: float = 0.0) -> float:
        """Return the seconds until it is looked at, longer each time until it answers a prompt.

        Args:
            asked_s: What the endpoint itself asks to wait.
        """
        doubled = _FIRST_ABSENCE_S * 2 ** min(self._absences, 10)
        self._absences += 1
        seconds = max(min(doubled, _LONGEST_ABSENCE_S), asked_s)
        self.back_at = self._now() + seconds
        return seconds

    def come_back(self, served: tuple[ServedModel, ...]) -> None:
        """Be on trial: one more failure sets it aside."""
        self.served = served
        self.is_open = True
        self.was_reached = True
        self._shut = Shut(self._now())
        self._shut.bursts = _BURSTS - 1
