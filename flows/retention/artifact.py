"""What people see in Prefect's UI of a run of maintenance."""

from flows.engine import Artifact, Engine
from flows.outcomes import MaintenanceOutcome
from schemas.markdown import code, plain, table

MOST_SHOWN = 40
"""Rows; the largest, because the run's result has all."""


def show_maintenance(engine: Engine, outcome: MaintenanceOutcome) -> None:
    """Show what went or would go, why, and how much room it gives back."""
    title = f"{tell_size(outcome.bytes)} {'given back' if outcome.applied else 'could be had'}"
    largest = sorted(outcome.given, key=lambda one: -one.bytes)
    rows = [
        (one.what, code(one.path), plain(one.why), tell_size(one.bytes))
        for one in largest[:MOST_SHOWN]
    ]
    parts = [f"# {title}", table(("what", "where", "why", "size"), rows, right=1)]
    if len(largest) > MOST_SHOWN:
        parts.append(f"… and {len(largest) - MOST_SHOWN:,} more, smaller ones.")
    if not outcome.applied:
        parts.append("Nothing was touched: set `apply` to remove.")
    parts += [f"- {plain(notice)}" for notice in outcome.notices]
    engine.show(Artifact(key="maintenance", title=title, markdown="\n\n".join(parts)))


def tell_size(count: int) -> str:
    """Write a number of bytes as people read it."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} B"
