"""Whether the deployments of prefect.yaml would do what they say, before anything is started.

Prefect passes over what it does not know: a misspelt key is dropped without a word, and one wrong
field makes it deploy nothing at all and call that a success.
"""

import difflib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

import yaml

from flows.services.deployment_parameters import complain_about_parameters, has_placeholder
from flows.services.fault import Fault
from flows.services.flow_signature import SignatureError, read_signature
from flows.services.schedules import complain_about_schedule, next_start
from flows.services.triggers import complain_about_trigger

_KEYS = frozenset({
    "name", "version", "version_type", "tags", "description", "schedule", "schedules", "paused",
    "concurrency_limit", "flow_name", "entrypoint", "parameters", "enforce_parameter_schema",
    "build", "push", "pull", "work_pool", "triggers", "sla",
})  # fmt: skip
_LIMIT_KEYS = frozenset({"limit", "collision_strategy", "grace_period_seconds"})
_STRATEGIES = ("ENQUEUE", "CANCEL_NEW")

Mapped = Mapping[str, Any]


class Deployment(NamedTuple):
    """One entry of the file."""

    line: int
    values: Mapped

    @property
    def name(self) -> str:
        """As people call it."""
        return str(self.values.get("name"))


def read_deployments(path: Path) -> list[Deployment]:
    """Read the entries of a file that :func:`check_deployments` found nothing wrong with."""
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    lines = list(_find_lines(root))
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))["deployments"]
    if not isinstance(entries, list) or not entries:
        raise TypeError("deployments")
    return [Deployment(line, entry) for line, entry in zip(lines, entries, strict=True)]


def check_deployments(path: Path, pool: str) -> list[Fault]:
    """Say everything that is wrong with a file.

    Args:
        path: Of prefect.yaml; entrypoints are found beside it.
        pool: The work pool that is served here.
    """
    try:
        deployments = read_deployments(path)
    except (OSError, UnicodeDecodeError) as error:
        return [Fault(f"{path} cannot be read: {error}.")]
    except yaml.YAMLError as error:
        return [Fault(f"{path} is not YAML: {' '.join(str(error).split())}.")]
    except (TypeError, KeyError, ValueError):
        return [Fault(f"{path}: wanted a list of `deployments`, found none.")]
    faults: list[Fault] = []
    seen: dict[tuple[str, str], int] = {}
    for one in deployments:
        if not isinstance(cast(object, one.values), dict):
            found = f"{path.name}:{one.line}: wanted a deployment, found {one.values!r}."
            faults.append(Fault(found))
            continue
        where = f"{path.name}:{one.line}: deployment {one.name!r}"
        key = (str(one.values.get("entrypoint")), one.name)
        if key in seen:
            faults.append(Fault(f"{where} stands in line {seen[key]} too; name one differently."))
        seen[key] = one.line
        faults += [_finish(f"{where}: {text}") for text in _complain(one.values, path.parent)]
        faults += _warn_about_pool(where, one.values, pool)
    return faults


def _finish(text: str) -> Fault:
    return Fault(text if text.endswith("?") else f"{text}.")


def list_next_starts(path: Path) -> list[tuple[str, datetime]]:
    """List when each deployment with a cron schedule runs next, the soonest first."""
    starts = [
        (one.name, start)
        for one in read_deployments(path)
        for schedule in _list(one.values, "schedules")
        if not has_placeholder(schedule)
        and (start := next_start(cast(Mapped, schedule))) is not None
    ]
    return sorted(starts, key=lambda one: one[1])


def _find_lines(root: yaml.Node | None) -> Iterator[int]:
    if not isinstance(root, yaml.MappingNode):
        return
    for key, value in root.value:
        if key.value == "deployments" and isinstance(value, yaml.SequenceNode):
            for entry in value.value:
                yield entry.start_mark.line + 1


def _complain(values: Mapped, root: Path) -> Iterator[str]:
    yield from complain_about_keys(values, _KEYS)
    if not isinstance(values.get("name"), str):
        yield "wanted a name"
    yield from _complain_about_limit(values.get("concurrency_limit"))
    for number, schedule in enumerate(_list(values, "schedules"), start=1):
        if not isinstance(schedule, dict):
            yield f"schedule {number}: wanted cron and timezone, found {schedule!r}"
        elif not has_placeholder(schedule):
            for text in complain_about_schedule(cast(Mapped, schedule)):
                yield f"schedule {number}: {text}"
    for number, trigger in enumerate(_list(values, "triggers"), start=1):
        for text in complain_about_trigger(trigger):
            yield f"trigger {number}: {text}"
    yield from _complain_about_flow(values, root)


def complain_about_keys(values: Mapped, known: frozenset[str]) -> Iterator[str]:
    """Name the keys that would be passed over, each with the nearest one that is known."""
    for key in values:
        if key not in known:
            nearest = difflib.get_close_matches(str(key), known, n=1)
            way = f"did you mean {nearest[0]}?" if nearest else "Prefect would pass it over"
            yield f"there is no key {key!r}; {way}"


def _complain_about_limit(limit: object) -> Iterator[str]:
    if isinstance(limit, dict):
        options = cast(Mapped, limit)
        yield from complain_about_keys(options, _LIMIT_KEYS)
        strategy = options.get("collision_strategy")
        if strategy is not None and strategy not in _STRATEGIES:
            yield f"collision_strategy: wanted one of {', '.join(_STRATEGIES)}, found {strategy!r}"
        limit = options.get("limit")
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        yield f"concurrency_limit: wanted a whole number from 1, found {limit!r}"


def _complain_about_flow(values: Mapped, root: Path) -> Iterator[str]:
    entrypoint = values.get("entrypoint")
    try:
        signature = read_signature(str(entrypoint), root)
    except SignatureError as error:
        yield f"entrypoint: {error}"
        return
    given: object = values.get("parameters") or {}
    if not isinstance(given, dict):
        yield f"parameters: wanted NAME: VALUE for each, found {given!r}"
        return
    common = cast(Mapped, given)
    yield from complain_about_parameters(common, signature)
    for kind, entries in (
        ("schedule", _list(values, "schedules")),
        ("trigger", _list(values, "triggers")),
    ):
        for number, entry in enumerate(entries, start=1):
            own = cast(Mapped, entry).get("parameters") if isinstance(entry, dict) else None
            if isinstance(own, dict) and own:
                for text in complain_about_parameters({**common, **own}, signature):
                    yield f"{kind} {number}: {text}"


def _list(values: Mapped, key: str) -> list[object]:
    found: object = values.get(key) or []
    return cast(list[object], found) if isinstance(found, list) else [found]


def _warn_about_pool(where: str, values: Mapped, pool: str) -> list[Fault]:
    named = values.get("work_pool")
    found = cast(Mapped, named).get("name") if isinstance(named, dict) else None
    if found == pool or has_placeholder(found):
        return []
    if found is None:
        return [Fault(f"{where}: wanted work_pool {{name: {pool}}}, found none.")]
    return [
        Fault(
            f"{where}: its work pool {found!r} is neither made nor served by `up`; its runs wait "
            f"until you do both. The one served here is {pool!r}.",
            is_warning=True,
        )
    ]
