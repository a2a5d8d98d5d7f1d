"""Whether a schedule of prefect.yaml will ever start a run, as Prefect itself would read it."""

import difflib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from dateutil.rrule import rrulestr
from pydantic import TypeAdapter, ValidationError

_KINDS = ("cron", "interval", "rrule")
SCHEDULE_KEYS = frozenset(
    {*_KINDS, "timezone", "anchor_date", "active", "parameters", "slug", "replaces", "day_or"}
)
_EXAMPLE = "Asia/Seoul"
# Names that people write and that are no names; the nearest spelling would be another country.
_MEANT = {"KST": "Asia/Seoul", "KOREA": "Asia/Seoul", "JST": "Asia/Tokyo"}
_CRONITER = "pacaloom_vendored_croniter"


def complain_about_schedule(schedule: Mapping[str, Any]) -> list[str]:
    """Say, each in one clause, what is wrong with a schedule."""
    if unknown := sorted(set(schedule) - SCHEDULE_KEYS):
        return [_complain_about_key(unknown[0], SCHEDULE_KEYS)]
    kinds = [kind for kind in _KINDS if schedule.get(kind) is not None]
    if len(kinds) != 1:
        found = ", ".join(kinds) or "none"
        return [f"wanted one of {', '.join(_KINDS)}, found {found}"]
    timezone = schedule.get("timezone")
    complaints = complain_about_timezone(timezone)
    check = {"cron": _complain_about_cron, "interval": _complain_about_interval}.get(
        kinds[0], _complain_about_rrule
    )
    return [*complaints, *check(schedule[kinds[0]])]


def next_start(schedule: Mapping[str, Any]) -> datetime | None:
    """Compute when a valid cron schedule starts its next run; None for the other kinds."""
    if schedule.get("cron") is None or schedule.get("active") is False:
        return None
    now = datetime.now(ZoneInfo(schedule.get("timezone") or "UTC"))
    return _read_croniter().croniter(schedule["cron"], now).get_next(datetime)


def complain_about_timezone(found: object) -> list[str]:
    """Say whether a time zone has such a name, and which one may be meant."""
    names = available_timezones()
    if found is None or found in names:
        return []
    text = str(found)
    meant = _MEANT.get(text.upper()) or _find_alike(text, names)
    way = f"did you mean {meant}?" if meant else f"write it as in {_EXAMPLE}"
    return [f"timezone: wanted a name of the IANA list, found {text!r}; {way}"]


def _find_alike(text: str, names: set[str]) -> str | None:
    wanted = text.strip().replace(" ", "_").casefold()
    for name in sorted(names, key=lambda one: ("/" not in one, one)):
        if wanted in {name.casefold(), name.rpartition("/")[2].casefold()}:
            return name
    by_case = {name.casefold(): name for name in names}
    nearest = difflib.get_close_matches(wanted, by_case, n=1, cutoff=0.8)
    return by_case[nearest[0]] if nearest else None


def _complain_about_key(found: str, known: frozenset[str]) -> str:
    nearest = difflib.get_close_matches(found, known, n=1)
    way = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(sorted(known))}"
    return f"there is no key {found!r}; {way}"


def _complain_about_cron(found: object) -> list[str]:
    wanted = "cron: wanted five fields as in '0 3 * * *' (minute hour day month weekday)"
    croniter = _read_croniter()
    if not isinstance(found, str) or not croniter.croniter.is_valid(found):
        return [f"{wanted}, found {found!r}"]
    if any(word.casefold() in {"r", "h"} for word in found.split()):
        return [f"{wanted}, found {found!r}: Prefect knows no random (R) or hashed (H) field"]
    try:
        croniter.croniter(found, datetime.now(UTC)).get_next(datetime)
    except croniter.CroniterBadDateError:
        return [f"cron: {found!r} is a date that never comes"]
    return []


def _complain_about_interval(found: object) -> list[str]:
    wanted = "interval: wanted seconds above 0 or a duration as in 'PT12H'"
    try:
        length = TypeAdapter(timedelta).validate_python(found)
    except ValidationError:
        return [f"{wanted}, found {found!r}"]
    return [] if length > timedelta(0) else [f"{wanted}, found {found!r}"]


def _complain_about_rrule(found: object) -> list[str]:
    try:
        rrulestr(str(found), cache=True)
    except (ValueError, TypeError) as error:
        return [f"rrule: wanted a rule of RFC 5545, found {found!r} ({error})"]
    return []


@cache
def _read_croniter() -> ModuleType:
    """Load the cron parser that Prefect carries, without importing Prefect, which takes a second.

    Another parser would accept other lines than the one that schedules.
    """
    spec = importlib.util.find_spec("prefect")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("prefect")
    folder = Path(spec.origin).parent / "_vendor" / "croniter"
    own = importlib.util.spec_from_file_location(
        _CRONITER, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    return _load(own)


def _load(spec: ModuleSpec | None) -> ModuleType:
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(_CRONITER)
    module = importlib.util.module_from_spec(spec)
    # Its parts import each other by this name.
    sys.modules[_CRONITER] = module
    execute: Callable[[ModuleType], None] = spec.loader.exec_module
    execute(module)
    return module
