"""``./pacaloom settings`` as a person and as a program calls it."""

import json
import socket
from pathlib import Path

from tests.cli.command import run_pacaloom

KEY = "sk-very-secret-1234"


def test_settings_places_and_versions_are_shown_without_the_key(tmp_path: Path) -> None:
    outputs = tmp_path / "o\x1b[2J"

    done = run_pacaloom("settings", outputs=outputs, OPENAI_API_KEY=KEY, PACALOOM_OUTPUT="x")

    assert done.status == 0, done.stderr
    assert KEY[-4:] not in done.stdout
    assert "set, hidden  (environment)" in done.stdout
    assert f"{tmp_path}/o␛[2J  (environment)" in done.stdout
    assert "GB free, not made yet)" in done.stdout
    assert "did you mean PACALOOM_OUTPUTS?" in done.stdout
    assert "`make up` starts one" in done.stdout


def test_json_has_the_same_for_programs(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        unused = f"http://127.0.0.1:{probe.getsockname()[1]}/api"

    done = run_pacaloom(
        "settings", "--json", outputs=tmp_path, OPENAI_API_KEY=KEY, PREFECT_API_URL=unused
    )

    told = json.loads(done.stdout)
    settings = {one["variable"]: one for one in told["settings"]}
    assert settings["OPENAI_API_KEY"]["value"] == "set, hidden"
    assert settings["PACALOOM_OUTPUTS"] == {
        "variable": "PACALOOM_OUTPUTS",
        "value": str(tmp_path),
        "source": "environment",
        "decides": settings["PACALOOM_OUTPUTS"]["decides"],
    }
    assert told["outputs"]["free_gb"] > 0
    assert told["versions"]["prefect"]
    assert told["server"]["api_url"] == unused
    assert not told["server"]["is_up"]
    assert any("wanted a Prefect server, found none" in fault for fault in told["faults"])
