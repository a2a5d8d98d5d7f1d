"""A wrong line of prefect.yaml is told with its line, before Prefect passes over it."""

from pathlib import Path

import pytest

from flows.services.deployment_file import check_deployments
from flows.services.schedules import complain_about_schedule, complain_about_timezone, next_start
from flows.settings import ROOT

FLOW = """
from typing import Any
from flows.parameters import CurateParams

def tidy(params: CurateParams, note: str = "") -> dict[str, Any]:
    return {}
"""
GOOD = """\
deployments:
  - name: first
    entrypoint: flows/tidy.py:tidy
    work_pool: {name: local}
    parameters:
      params: {name: demo}
    schedules:
      - {cron: "0 3 * * *", timezone: Asia/Seoul}
    triggers:
      - type: event
        expect: [pacaloom.drafts-written]
        parameters:
          params:
            name: {__prefect_kind: jinja, template: "{{ event.payload.name }}"}
            processes: 1
    concurrency_limit: {limit: 1, collision_strategy: ENQUEUE}
"""


def check(folder: Path, text: str) -> list[str]:
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "flows" / "tidy.py").write_text(FLOW, encoding="utf-8")
    (folder / "prefect.yaml").write_text(text, encoding="utf-8")
    return [fault.text for fault in check_deployments(folder / "prefect.yaml", "local")]


def test_our_own_file_is_without_fault() -> None:
    assert check_deployments(ROOT / "prefect.yaml", "local") == []


def test_good_file_is_without_fault(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("Asia/Seoul", "Asia/Soul", "found 'Asia/Soul'; did you mean Asia/Seoul?"),
        ("0 3 * * *", "0 25 * * *", "cron: wanted five fields"),
        ("cron:", "crom:", "there is no key 'crom'; did you mean cron?"),
        ("schedules:", "schedule_s:", "no key 'schedule_s'; did you mean schedules?"),
        ("{name: demo}", "{nane: demo}", "params.nane: there is no such field; did you mean name?"),
        ("{name: demo}", "{name: 데모}", "parameters.params.name: String should match"),
        ("params:", "parms:", "the flow has no parameter 'parms'; it has params, note"),
        ("params: {name: demo}", "note: hello", "the flow needs 'params', which is not given"),
        ("tidy.py:tidy", "tidy.py:tide", "flows/tidy.py has no function 'tide'"),
        ("flows/tidy.py", "flows/tidi.py", "flows/tidi.py: No such file or directory"),
        ("limit: 1", "limit: 0", "concurrency_limit: wanted a whole number from 1, found 0"),
        ("ENQUEUE", "QUEUE", "wanted one of ENQUEUE, CANCEL_NEW, found 'QUEUE'"),
        ("collision_", "colision_", "did you mean collision_strategy?"),
        ("      params: {name: demo}", "      - params", "parameters: wanted NAME: VALUE for each"),
        ('- {cron: "0 3 * * *", timezone: Asia/Seoul}', "- nightly", "found 'nightly'"),
        (
            "drafts-written",
            "draft-written",
            "emits 'pacaloom.draft-written'; did you mean pacaloom.d",
        ),
        ("processes: 1", "processes: 0", "trigger 1: parameters.params.processes: Input should"),
        ("processes: 1", "proceses: 1", "trigger 1: parameters.params.proceses: there is no such"),
        ("{name: local}", "{name: cluster}", "work pool 'cluster' is neither made nor served"),
    ],
)
def test_wrong_line_is_told_with_its_deployment(
    tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    assert right in GOOD

    faults = check(tmp_path, GOOD.replace(right, wrong))

    assert faults[0].startswith("prefect.yaml:2: deployment 'first': ")
    assert any(said in text for text in faults)


def test_placeholders_are_left_to_prefect(tmp_path: Path) -> None:
    text = GOOD.replace("{name: demo}", '{name: "{{ prefect.variables.name }}"}')

    assert check(tmp_path, text) == []


def test_second_deployment_of_a_name_is_told(tmp_path: Path) -> None:
    twice = GOOD + GOOD.removeprefix("deployments:\n")

    assert check(tmp_path, twice) == [
        "prefect.yaml:17: deployment 'first' stands in line 2 too; name one differently."
    ]


@pytest.mark.parametrize("text", ["", "deployments: {}", "deployments: 3", "name: a"])
def test_file_without_deployments_is_told(tmp_path: Path, text: str) -> None:
    assert "wanted a list of `deployments`" in check(tmp_path, text)[0]


def test_file_that_is_no_yaml_is_told_in_one_line(tmp_path: Path) -> None:
    (fault,) = check(tmp_path, "deployments: [\n")

    assert "is not YAML" in fault
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        ("KST", "Asia/Seoul"),
        ("seoul", "Asia/Seoul"),
        ("asia/seoul", "Asia/Seoul"),
        ("Asia/Soul", "Asia/Seoul"),
        ("New York", "America/New_York"),
    ],
)
def test_wrong_time_zone_is_told_with_the_one_that_is_meant(found: str, meant: str) -> None:
    assert f"did you mean {meant}?" in complain_about_timezone(found)[0]


@pytest.mark.parametrize("found", ["UTC+9", "서울", "Mars/Phobos"])
def test_time_zone_that_resembles_none_is_told_with_an_example(found: str) -> None:
    assert complain_about_timezone(found)[0].endswith("write it as in Asia/Seoul")


@pytest.mark.parametrize(
    "schedule",
    [
        {"cron": "0 3 * *"},
        {"cron": "H 3 * * *"},
        {"cron": "R R * * *"},
        # There is no 31 February.
        {"cron": "0 0 31 2 *"},
        {"cron": 5},
        {"interval": 0},
        {"interval": "often"},
        {"rrule": "often"},
        {"cron": "0 3 * * *", "interval": 60},
        {},
    ],
)
def test_schedule_that_never_starts_a_run_is_told(schedule: dict[str, object]) -> None:
    assert len(complain_about_schedule(schedule)) == 1


@pytest.mark.parametrize(
    "schedule",
    [
        {"cron": "*/5 9-18 * * MON-FRI", "timezone": "Asia/Seoul", "day_or": False},
        {"cron": "@daily"},
        {"interval": 3600, "timezone": "UTC", "anchor_date": "2026-01-01T00:00:00Z"},
        {"interval": "PT12H"},
        {"rrule": "FREQ=WEEKLY;BYDAY=MO"},
    ],
)
def test_schedule_that_prefect_takes_is_taken(schedule: dict[str, object]) -> None:
    assert complain_about_schedule(schedule) == []


def test_next_start_is_in_the_time_zone_of_the_schedule() -> None:
    start = next_start({"cron": "0 3 * * *", "timezone": "Asia/Seoul"})

    assert start is not None
    assert start.isoformat().endswith("T03:00:00+09:00")
    assert next_start({"interval": 60}) is None
