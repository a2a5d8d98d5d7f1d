"""``datasets push`` shows a plan, sends with --yes, and prints one JSON object last."""

import json
from pathlib import Path

import pytest

from cli.arguments import ArgumentError
from cli.datasets.push import build_push_parser, run_push
from tests.publishing.hub_stand_in import TOKEN, Hub, serve_hub
from tests.publishing.hub_versions import make_version

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def set_environment(monkeypatch: pytest.MonkeyPatch, hub: Hub, outputs: Path) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("PACALOOM_OUTPUTS", str(outputs))


def test_plan_then_push_then_already_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_version(tmp_path, 1, ["List fruits.", "과일을 말해 줘."], review=True)
    with serve_hub() as hub:
        set_environment(monkeypatch, hub, tmp_path)
        command = ["fruit", "--to", "me/fruit"]

        assert run_push(command) == 0
        planned = capsys.readouterr()
        assert not hub.repositories
        assert run_push([*command, "--yes"]) == 0
        sent = capsys.readouterr()
        assert run_push([*command, "--yes"]) == 0
        again = capsys.readouterr()

    assert "Nothing was sent: add --yes" in planned.err
    assert "review.jsonl: holds readers' names" in " ".join(planned.err.split())
    plan, push, repeated = (json.loads(out.out.splitlines()[-1]) for out in (planned, sent, again))
    assert plan["version"] == f"fruit/{folder.name}"
    assert (plan["pushed"], push["pushed"], repeated["pushed"]) == (False, True, False)
    assert (plan["visibility"], plan["new_repository"]) == ("private", True)
    assert plan["added"] == push["added"]
    assert "review.jsonl" in plan["left_out"]
    assert repeated["already_there"]
    assert repeated["commit"] == push["commit"]
    assert "already there" in again.err
    assert TOKEN not in "".join(out.out + out.err for out in (planned, sent, again))


def test_repository_must_be_named() -> None:
    with pytest.raises(ArgumentError, match="--to"):
        build_push_parser().parse_args(["fruit"])
