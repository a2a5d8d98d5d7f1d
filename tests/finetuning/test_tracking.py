import importlib.util
import os
from pathlib import Path

import pytest

from flows.settings import Settings, enter_tracking_environment
from training.finetuning.tracking import TRACKERS, TrackerError, check_trackers

_OURS = (
    "TENSORBOARD_LOGGING_DIR", "TRACKIO_DIR", "GRADIO_ANALYTICS_ENABLED", "MLFLOW_TRACKING_URI",
    "MLFLOW_EXPERIMENT_NAME", "MLFLOW_DISABLE_TELEMETRY", "WANDB_MODE", "WANDB_DIR",
    "WANDB_PROJECT", "WANDB_ERROR_REPORTING",
)  # fmt: skip


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _OURS:
        # Set first, so that what the code under test sets is taken back as well.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_a_tracker_that_is_not_installed_is_refused_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = importlib.util.find_spec
    absent = ("wandb", "mlflow")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in absent else find(name)
    )

    with pytest.raises(TrackerError) as refused:
        check_trackers(("wandb", "mlflow"))

    assert "'wandb' and 'mlflow'" in str(refused.value)
    assert "pip install wandb mlflow" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_tracker_needs_nothing() -> None:
    check_trackers(())


@pytest.mark.usefixtures("clean_environment")
def test_trackers_write_below_the_outputs_and_send_nothing(tmp_path: Path) -> None:
    enter_tracking_environment(Settings(outputs=tmp_path), TRACKERS, "food")

    logs = str(tmp_path / "logs")
    for name in ("TENSORBOARD_LOGGING_DIR", "TRACKIO_DIR", "WANDB_DIR"):
        assert os.environ[name].startswith(logs)  # noqa: TID251
    assert os.environ["MLFLOW_TRACKING_URI"] == f"sqlite:///{logs}/mlflow.db"  # noqa: TID251
    assert os.environ["WANDB_MODE"] == "offline"  # noqa: TID251


@pytest.mark.usefixtures("clean_environment")
def test_what_the_user_has_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")

    enter_tracking_environment(Settings(outputs=tmp_path), TRACKERS, "food")

    assert os.environ["WANDB_MODE"] == "online"  # noqa: TID251


@pytest.mark.usefixtures("clean_environment")
def test_trackers_that_nobody_asked_for_are_told_nothing(tmp_path: Path) -> None:
    enter_tracking_environment(Settings(outputs=tmp_path), (), "food")

    assert not set(_OURS) & set(os.environ)  # noqa: TID251
    assert list(tmp_path.iterdir()) == []
