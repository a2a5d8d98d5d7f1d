"""Which run a line, an artifact or a notification belongs to, and what the run has made so far."""

from typing import NamedTuple, cast

from flows.milestones import DatasetPublished, Milestone, StudentJudged, StudentTuned
from flows.parameters import EvaluateParams, FinetuneParams
from schemas.frozen import Frozen


class Identity(NamedTuple):
    """Names a run and its versions."""

    flow: str
    """``generate``, ``curate``, …"""
    name: str
    """Of journal, dataset or student; may be empty."""
    run: str
    """Id of the Prefect flow run, the same over its restarts; of a command ``local-…``."""
    dataset: str = ""
    """``NAME/VERSION``; empty until it is known."""
    model: str = ""
    """``NAME/VERSION``; empty until it is known."""


def find_name(params: Frozen) -> str:
    """Find what a run is about in what was asked for."""
    if isinstance(params, EvaluateParams):
        return params.model[0]
    name = getattr(params, "name", None)
    if name is None and isinstance(params, FinetuneParams):
        return params.dataset
    return name or ""


def find_given_name(params: object) -> str:
    """Return the name in the parameters of a flow run, which are unchecked and may be anything."""
    given = cast(dict[str, object], params) if isinstance(params, dict) else {}
    name = given.get("name") or getattr(params, "name", None)
    return name if isinstance(name, str) else ""


def learn(identity: Identity, milestone: Milestone) -> Identity:
    """Add the versions that a milestone names."""
    if isinstance(milestone, DatasetPublished):
        return identity._replace(dataset=milestone.dataset)
    if isinstance(milestone, StudentTuned):
        return identity._replace(dataset=milestone.dataset, model=milestone.model)
    if isinstance(milestone, StudentJudged):
        return identity._replace(model=milestone.model)
    return identity
