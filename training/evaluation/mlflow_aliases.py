"""Show the registry to MLflow: its versions as model versions, its champion as the alias.

Who serves from MLflow asks for ``models:/NAME@champion`` and gets what our gate decided. Ours stays
the registry that decides; this is a copy, brought up to date at each call. Versions are found again
by a tag, so a call that was cut short is completed by the next one. Cost: a few requests a version.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from schemas.errors import PacaloomError, UserError
from training.evaluation.registered import RegisteredModel
from training.evaluation.registry import Registry

if TYPE_CHECKING:
    from mlflow import MlflowClient  # pyright: ignore[reportMissingImports]

ALIAS = "champion"
_VERSION_TAG = "pacaloom.version"


class TrackingMissingError(UserError):
    """MLflow is not installed."""


class TrackingError(PacaloomError):
    """MLflow's store cannot be reached, or refuses."""


class ExportedAlias(NamedTuple):
    """Which of MLflow's versions has the alias now."""

    name: str
    version: str
    """Ours."""
    mlflow_version: str


def export_aliases(registry: Registry, tracking_uri: str) -> list[ExportedAlias]:
    """Bring every name's versions and champion to MLflow.

    Args:
        registry: Ours.
        tracking_uri: MLflow's server or store, as ``http://127.0.0.1:5000`` or
            ``sqlite:///mlflow.db``.

    Returns:
        One line a name that has a champion. Names without one lose the alias.

    Raises:
        TrackingMissingError: MLflow is not installed.
        TrackingError: MLflow's store cannot be used.
    """
    try:
        from mlflow import MlflowClient  # pyright: ignore[reportMissingImports]
        from mlflow.exceptions import MlflowException  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise TrackingMissingError(
            "The champion's alias is written by MLflow, which is not installed: run "
            "`.venv/bin/pip install mlflow`."
        ) from error
    try:
        client = MlflowClient(tracking_uri, tracking_uri)
        by_name = groupby(registry.models(), key=lambda model: model.name)
        exported = [_export(client, registry, name, list(models)) for name, models in by_name]
    except MlflowException as error:
        first = str(error).partition("\n")[0]
        raise TrackingError(
            f"{tracking_uri}: MLflow refuses: {first}. Check the address and that its server runs."
        ) from error
    return [one for one in exported if one is not None]


def _export(
    client: "MlflowClient", registry: Registry, name: str, models: Iterable[RegisteredModel]
) -> ExportedAlias | None:
    known = _find_versions(client, name)
    for model in models:
        if model.version not in known:
            known[model.version] = _create(client, model)
        verdict = model.verdict.verdict if model.verdict else "not judged"
        client.set_model_version_tag(name, known[model.version], "pacaloom.verdict", verdict)
    champion = registry.champion(name)
    if champion is None:
        client.delete_registered_model_alias(name, ALIAS)
        return None
    client.set_registered_model_alias(name, ALIAS, known[champion.version])
    return ExportedAlias(name, champion.version, known[champion.version])


def _find_versions(client: "MlflowClient", name: str) -> dict[str, str]:
    """Return MLflow's version of each of ours; the registered model is made when it is absent."""
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    found = client.search_model_versions(f"name = '{name}'")
    return {one.tags[_VERSION_TAG]: str(one.version) for one in found if _VERSION_TAG in one.tags}


def _create(client: "MlflowClient", model: RegisteredModel) -> str:
    tags = {_VERSION_TAG: model.version, "pacaloom.dataset": model.dataset}
    made = client.create_model_version(model.name, source=str(model.path), tags=tags)
    return str(made.version)
