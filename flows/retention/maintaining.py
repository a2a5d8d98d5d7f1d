"""One run of maintenance: look, and with ``apply`` remove and compact what was found."""

import time
from datetime import UTC, datetime

from flows.engine import Engine
from flows.outcomes import MaintenanceOutcome, SpaceGiven
from flows.parameters import MaintenanceParams
from flows.registry import open_registry
from flows.retention.journals import (
    Compactable,
    Compaction,
    compact_journals,
    find_compactable,
)
from flows.retention.plan import Plan, find_folders, make_plan
from flows.retention.removal import Removal, remove
from flows.retention.things import Candidate
from flows.settings import Settings


def maintain_outputs(
    params: MaintenanceParams, settings: Settings, engine: Engine
) -> MaintenanceOutcome:
    """Give back space, or tell what would be given back.

    Raises:
        NothingThereError: There is no outputs folder.
        RegistryAccessError: The registry cannot be written, so no model goes.
    """
    settings = find_folders(settings)
    plan = engine.run("look for what may go", lambda: make_plan(params, settings, time.time()))
    journals = find_compactable(settings.outputs) if params.compact else Compaction((), ())
    if not params.apply:
        notices = (*plan.notices, *journals.notices)
        return _report(plan.candidates, journals.compacted, len(plan.kept), notices, applied=False)
    _heal(plan, settings)
    removal = engine.run("remove", lambda: _remove(plan, params, settings, engine))
    compaction = Compaction((), ())
    if journals.compacted:
        compaction = engine.run("compact", lambda: _compact(journals, settings, engine))
    notices = (*plan.notices, *removal.notices, *journals.notices, *compaction.notices)
    return _report(removal.removed, compaction.compacted, len(plan.kept), notices, applied=True)


def _remove(plan: Plan, params: MaintenanceParams, settings: Settings, engine: Engine) -> Removal:
    return remove(
        plan.candidates,
        lambda: make_plan(params, settings, time.time()).candidates,
        settings,
        datetime.now(UTC),
        engine.say,
    )


def _compact(journals: Compaction, settings: Settings, engine: Engine) -> Compaction:
    with engine.progress("compact journals") as progress:
        return compact_journals(journals.compacted, settings.outputs, progress)


def _heal(plan: Plan, settings: Settings) -> None:
    """Take back what a run that was killed between noting and removing had noted."""
    registry = open_registry(settings)
    for model in registry.models():
        if model.removed_at is not None and f"models/{model.reference}" in plan.kept:
            registry.mark_present(model.name, model.version)


def _report(
    gone: tuple[Candidate, ...],
    compacted: tuple[Compactable, ...],
    kept: int,
    notices: tuple[str, ...],
    *,
    applied: bool,
) -> MaintenanceOutcome:
    given = [
        SpaceGiven(what=one.what, path=one.key, why=one.why, bytes=one.size_bytes) for one in gone
    ]
    given += [
        SpaceGiven(
            what="journal",
            path=one.key,
            why="holds room for nothing; every answer stays",
            bytes=one.size_bytes,
        )
        for one in compacted
    ]
    return MaintenanceOutcome(
        applied=applied,
        given=tuple(given),
        bytes=sum(one.bytes for one in given),
        kept_versions=kept,
        notices=notices,
    )
