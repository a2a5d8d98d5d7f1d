"""What stays, and why: all else is kept only because something that stays refers to it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from flows.paths import reviews_path
from flows.registry import open_registry
from flows.retention.disk import list_folder
from flows.retention.things import VERSION, Thing, list_by_mention, resolve
from flows.retention.trainings import Training
from flows.settings import Settings
from pipeline.publishing.opening import read_applied_decisions
from schemas.errors import PacaloomError, UserError
from schemas.review import ReviewDecision

_MOST_NAMED = 5


class ReviewsError(UserError):
    """Readers' decisions cannot be read, so nobody knows which versions they are about."""


class Standing(NamedTuple):
    """What the registry says."""

    champions: dict[str, str]
    """``NAME/VERSION`` of the champions and those before them that rollbacks lead to, and why each
    stays."""
    reports: frozenset[str]
    """Last two parts of the evaluations' folders that it names."""
    problem: str = ""
    """Why nothing is known; then anybody may be champion."""


def read_standing(settings: Settings) -> Standing:
    """Ask the registry; it is not made when it is not there."""
    registry = open_registry(settings)
    champions: dict[str, str] = {}
    reports: set[str] = set()
    try:
        models = registry.models()
        for name in sorted({model.name for model in models}):
            stack = registry.champions(name)
            for version in stack:
                place = "the champion" if version == stack[-1] else "a rollback leads back to it"
                champions[f"{name}/{version}"] = place
            for model in models:
                if model.reference in champions and model.name == name:
                    # Where it was registered from, should its folder have another name.
                    champions.setdefault(_tail(model.path), champions[model.reference])
        for model in models:
            judgements = registry.judgements(model.name, model.version)
            reports |= {_tail(one.report) for one in judgements if one.report}
    except (PacaloomError, ValueError) as error:
        # ValueError: a row that another program wrote.
        return Standing({}, frozenset(), f"registry.sqlite cannot be read: {error}")
    return Standing(champions, frozenset(reports))


def find_roots(
    things: Iterable[Thing],
    trainings: Iterable[Training],
    standing: Standing,
    settings: Settings,
    keep_versions: int,
) -> dict[str, str]:
    """Find what stays whatever refers to it.

    Args:
        things: All versions and evaluations.
        trainings: Unfinished ones that are not given up.
        standing: What the registry says.
        settings: Where readers' decisions are.
        keep_versions: Versions of each name that stay.

    Returns:
        By key: why it stays.
    """
    listed = list(things)
    by_mention = list_by_mention(listed)
    roots = {thing.key: thing.must_stay for thing in listed if thing.must_stay}
    for mentioned, why in standing.champions.items():
        roots |= {key: why for key in resolve([mentioned], by_mention) if key.startswith("models/")}
    roots |= find_newest(listed, keep_versions)
    for training in trainings:
        why = f"the unfinished training {training.key} needs it"
        roots |= dict.fromkeys(resolve(training.mentions, by_mention), why)
    open_reviews = find_open_reviews(listed, settings)
    roots |= dict.fromkeys(resolve(open_reviews, by_mention), "a review of it is open")
    return roots


def find_blind_spots(
    things: Iterable[Thing], trainings: Iterable[Training], standing: Standing
) -> list[str]:
    """Say what cannot be read, and may therefore refer to any version."""
    spots = [f"{one.key}: {one.problem}" for one in (*things, *trainings) if one.problem]
    if standing.problem:
        spots.insert(0, standing.problem)
    return spots


def find_newest(things: Iterable[Thing], keep_versions: int) -> dict[str, str]:
    """Find the newest versions of each name, datasets and models apart."""
    names: dict[Path, list[Thing]] = {}
    for thing in things:
        if thing.kind != "evaluations" and VERSION.fullmatch(thing.folder.name):
            names.setdefault(thing.folder.parent, []).append(thing)
    return {
        thing.key: f"one of the newest {keep_versions} of its name"
        for versions in names.values()
        for thing in sorted(versions, key=_ordinal)[-keep_versions:]
    }


def find_open_reviews(things: Iterable[Thing], settings: Settings) -> set[str]:
    """Find the versions with decisions of readers that the newest version does not apply yet.

    Raises:
        ReviewsError: A file of decisions cannot be read.
    """
    newest: dict[str, Thing] = {}
    for thing in things:
        if thing.kind == "datasets" and VERSION.fullmatch(thing.folder.name):
            name = thing.folder.parent.name
            newest[name] = max(newest.get(name, thing), thing, key=_ordinal)
    folder = reviews_path(settings.outputs, "any").parent
    found: set[str] = set()
    try:
        for path in list_folder(folder):
            if path.suffix == ".jsonl" and not path.name.startswith("."):
                found |= _find_open(path, newest.get(path.stem))
    except OSError as error:
        raise ReviewsError(
            f"{error.filename or folder}: wanted readers' decisions, found {error.strerror}. They "
            "say which versions are still needed: mend it, then run this again."
        ) from error
    return found


def _find_open(path: Path, newest: Thing | None) -> set[str]:
    """Name the versions that undone decisions are about; all that are named when in doubt."""
    decisions: list[ReviewDecision] = []
    for line in path.read_bytes().splitlines():
        try:
            decisions.append(ReviewDecision.model_validate_json(line))
        except ValidationError:
            # Cut short by a crash: it counts for nothing.
            continue
    try:
        applied = set(read_applied_decisions(newest.folder)) if newest else set()
    except PacaloomError:
        applied = set()
    return {decision.dataset for decision in decisions if decision not in applied}


def describe_blind_spots(spots: list[str]) -> list[str]:
    """Say what follows from them, a line each."""
    if not spots:
        return []
    more = [f"… and {len(spots) - _MOST_NAMED} more"] if len(spots) > _MOST_NAMED else []
    return [
        "Every version stays: what cannot be read may refer to any of them. Mend it, or move it "
        "out of the outputs folder:",
        *(f"  {spot}" for spot in spots[:_MOST_NAMED]),
        *more,
    ]


def keep_all(things: Iterable[Thing], roots: Mapping[str, str]) -> dict[str, str]:
    """Make every version a root."""
    why = "something that cannot be read may refer to it"
    versions = {thing.key: why for thing in things if thing.kind != "evaluations"}
    return versions | dict(roots)


def _ordinal(thing: Thing) -> int:
    return int(thing.folder.name.split("-")[0])


def _tail(path: Path) -> str:
    """Name a folder as it is named wherever the outputs folder is moved to."""
    return "/".join(path.parts[-2:])
