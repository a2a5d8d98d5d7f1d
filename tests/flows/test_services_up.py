"""`up` with a real server and worker, over repetitions; kills are in test_recovery_services.py."""

import json
from pathlib import Path

import pytest

from benchmarks.service_house import find_free_port
from flows.services.notes import NAMES, Service, note_path, read_note
from flows.settings import Settings
from tests.cli.command import run_pacaloom
from tests.flows.prefect_house import Opened, PrefectHouse

pytestmark = pytest.mark.prefect


def read_services(house: PrefectHouse) -> list[Service | None]:
    return [read_note(Settings(outputs=house.outputs), name) for name in NAMES]


def test_cold_start_says_what_it_does_and_what_comes_next(opened: Opened) -> None:
    assert opened.said.status == 0, opened.said.stderr
    for part in ("makes its database first", "The server answers", "deployments: nightly-en"):
        assert part in opened.said.stderr
    assert f"export PREFECT_API_URL=http://127.0.0.1:{opened.house.port}/api" in opened.said.stdout
    # Both nightly runs and the weekly one are scheduled.
    assert "03:00 Asia/Seoul  nightly-ko" in opened.said.stdout


def test_second_call_leaves_everything_as_it_is(house: PrefectHouse) -> None:
    before = read_services(house)

    again = house.call_up()

    assert again.status == 0, again.stderr
    assert "Starting" not in again.stderr
    assert read_services(house) == before


def test_server_is_shown_with_its_version_and_the_port_is_explained(
    house: PrefectHouse, tmp_path: Path
) -> None:
    shown = run_pacaloom("settings", "--json", outputs=house.outputs)
    other = house.call_up(tmp_path)

    server = json.loads(shown.stdout)["server"]
    assert server["is_up"]
    assert server["started_by_up"]
    assert server["version"] == json.loads(shown.stdout)["versions"]["prefect"]
    assert other.status == 2
    assert f"server of the outputs in {house.outputs}" in other.stderr
    assert f"PACALOOM_OUTPUTS={house.outputs} make down" in other.stderr


def test_server_whose_note_is_lost_is_found_by_its_database(house: PrefectHouse) -> None:
    path = note_path(Settings(outputs=house.outputs), "server")
    note = path.read_text()
    path.unlink()
    try:
        port = str(find_free_port())
        found = run_pacaloom("up", "--check", "--port", port, outputs=house.outputs)
    finally:
        path.write_text(note)

    assert found.status == 2
    assert f"is in use by pid {json.loads(note)['pid']}" in found.stderr
