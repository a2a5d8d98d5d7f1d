import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.evaluation import GateVerdict
from training.evaluation.mlflow_aliases import (
    TrackingError,
    TrackingMissingError,
    export_aliases,
)
from training.evaluation.registered import Judgement
from training.evaluation.registry import Registry

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Two versions of one name, the second of which follows the first; and a name without any."""
    registry = Registry(tmp_path / "registry.sqlite")
    for version, rival in (("0001-a", "base"), ("0002-b", "demo/0001-a")):
        verdict = GateVerdict(verdict="promote", reasons=("r",), challenger=version, champion=rival)
        path = tmp_path / version
        path.mkdir()
        registry.register("demo", version, path, "demo/0001-d", NOON, Judgement(verdict))
    registry.register("other", "0001-z", tmp_path / "0001-a", "demo/0001-d", NOON)
    registry.promote("demo", "0001-a", NOON)
    return registry


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return pytest.importorskip("mlflow")


def test_without_mlflow_the_way_out_is_named(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)

    with pytest.raises(
        TrackingMissingError, match=r"not installed: run `\.venv/bin/pip install mlflow`"
    ):
        export_aliases(registry, "sqlite://")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_alias_follows_the_champion(registry: Registry, tmp_path: Path, mlflow: Any) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = mlflow.MlflowClient(uri, uri)

    (first,) = export_aliases(registry, uri)
    registry.promote("demo", "0002-b", NOON)
    (second,) = export_aliases(registry, uri)
    registry.rollback("demo", NOON)
    (third,) = export_aliases(registry, uri)

    assert [one.version for one in (first, second, third)] == ["0001-a", "0002-b", "0001-a"]
    assert first == third
    champion = client.get_model_version_by_alias("demo", "champion")
    assert champion.source == str(tmp_path / "0001-a")
    assert champion.tags["pacaloom.verdict"] == "promote"
    assert len(client.search_model_versions("name = 'demo'")) == 2
    assert client.get_registered_model("other").aliases == {}


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_store_that_cannot_be_used_is_named(registry: Registry, mlflow: Any) -> None:
    with pytest.raises(TrackingError, match="nonsense://x: MLflow refuses"):
        export_aliases(registry, "nonsense://x")
