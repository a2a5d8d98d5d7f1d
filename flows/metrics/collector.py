"""What one part of a scrape does: put its series in, and tell of files that could not be read."""

from typing import Protocol

from flows.metrics.series import Family, Series


class Collector(Protocol):
    """One part of a scrape. What it raises fails this part alone."""

    @property
    def name(self) -> str:
        """Tells the parts apart in the exporter's own metrics."""
        ...

    @property
    def families(self) -> tuple[Family, ...]:
        """All that it may put in."""
        ...

    def collect(self, series: Series) -> list[str]:
        """Put in what there is now.

        Returns:
            What could not be read, a line each; the rest is in all the same.
        """
        ...
