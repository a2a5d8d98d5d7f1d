"""Whether a trigger of prefect.yaml waits for something that will ever happen."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, cast, get_args

from flows.milestones import Milestone

_OURS = "pacaloom."


def complain_about_trigger(trigger: object) -> Iterator[str]:
    """Name the events of ours that no flow emits; Prefect takes any name and waits for ever."""
    if not isinstance(trigger, dict):
        yield f"wanted type, expect and parameters, found {trigger!r}"
        return
    values = cast(Mapping[str, Any], trigger)
    known = [f"{_OURS}{kind}" for kind in _list_kinds()]
    for key in ("expect", "after"):
        events = values.get(key) or []
        for event in [events] if isinstance(events, str) else events:
            if str(event).startswith(_OURS) and not _is_known(str(event), known):
                nearest = difflib.get_close_matches(str(event), known, n=1)
                way = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(known)}"
                yield f"{key}: no flow emits {event!r}; {way}"


def _is_known(event: str, known: list[str]) -> bool:
    # A star stands for any ending.
    return event in known or (
        event.endswith("*") and any(one.startswith(event[:-1]) for one in known)
    )


def _list_kinds() -> list[str]:
    return [str(model.model_fields["kind"].default) for model in get_args(Milestone)]
