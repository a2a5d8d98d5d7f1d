"""Dashboard, alerts and documentation speak of metrics that exist, and of all of them."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from flows.metrics.exporter import OWN_FAMILIES, make_collectors, make_registry
from flows.metrics.series import Family
from flows.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "deploy" / "grafana" / "pacaloom.json"
CONFIG = ROOT / "deploy" / "prometheus" / "prometheus.yml"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"

_METRIC = re.compile(r"\bpacaloom_[a-z_]+\b")
_SELECTOR = re.compile(r"\b(pacaloom_[a-z_]+)\{([^}]*)\}")
_GROUPING = re.compile(r"(?:by|on|group_left)\s*\(([^)]*)\)")


def list_families() -> list[Family]:
    parts = make_collectors(Settings(outputs=ROOT / "outputs"))
    return [family for part in parts for family in part.families] + list(OWN_FAMILIES)


def find_exported() -> dict[str, Family]:
    """Name as a query has it -> family."""
    exported: dict[str, Family] = {}
    for family in list_families():
        endings = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
        exported |= {family.name + ending: family for ending in endings}
    return exported


def read_panels() -> list[dict[str, Any]]:
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]


def read_rules() -> list[dict[str, Any]]:
    content = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    return [rule for group in content["groups"] for rule in group["rules"]]


def read_expressions() -> Iterator[str]:
    for panel in read_panels():
        yield from (target["expr"] for target in panel.get("targets", []))
    yield from (rule["expr"] for rule in read_rules())


def test_every_query_is_about_metrics_that_are_exported() -> None:
    exported = find_exported()

    unknown = {
        name
        for expression in read_expressions()
        for name in _METRIC.findall(expression)
        if name not in exported
    }

    assert unknown == set()


def test_every_query_selects_and_groups_by_labels_that_exist() -> None:
    exported = find_exported()
    wrong: list[str] = []
    for expression in read_expressions():
        for name, selector in _SELECTOR.findall(expression):
            for label in re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selector):
                wrong += [] if label in exported[name].labels else [f"{name}{{{label}}}"]
        known = {"le", "instance", "job"}.union(
            *(exported[name].labels for name in _METRIC.findall(expression))
        )
        for labels in _GROUPING.findall(expression):
            wrong += [one.strip() for one in labels.split(",") if one.strip() not in known]

    assert wrong == []


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    text = " ".join(read_expressions())

    forgotten = [
        family.name for family in list_families() if not re.search(rf"\b{family.name}", text)
    ]

    assert forgotten == []


@pytest.mark.parametrize("page", ["metrics.md", "metrics.ko.md"])
def test_every_metric_with_its_labels_and_every_alert_is_documented(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(pacaloom_[a-z_]+)` \| ([^|]*) \|", text, re.MULTILINE))

    assert {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows.items()} == {
        family.name: set(family.labels) for family in list_families()
    }
    assert {rule["alert"] for rule in read_rules()} == set(re.findall(r"`(Pacaloom\w+)`", text))


def test_names_follow_the_conventions_of_prometheus() -> None:
    families = list_families()
    names = [family.name for family in families]

    assert len(set(names)) == len(names)
    for family in families:
        assert family.name.startswith("pacaloom_")
        assert family.name.endswith("_total") == (family.kind == "counter"), family.name
        assert not re.search(r"_(ms|mb|gb|minutes|percent)\b", family.name)
        assert family.help.endswith(".")


def test_panels_have_a_title_a_description_a_unit_and_room_of_their_own() -> None:
    panels = read_panels()
    taken: dict[tuple[int, int], str] = {}

    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place, title = panel["gridPos"], panel["title"]
        assert place["x"] + place["w"] <= 24, title
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), title) == title
        if panel["type"] != "row":
            assert panel["description"].endswith("."), title
            assert panel["type"] == "table" or panel["fieldConfig"]["defaults"]["unit"], title


def test_dashboard_can_be_provisioned_with_any_data_source() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}

    assert "id" not in dashboard
    assert dashboard["uid"] == "pacaloom"
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    sources = {
        one["datasource"]["uid"]
        for panel in dashboard["panels"] if panel["type"] != "row"
        for one in (panel, *panel["targets"])
    }  # fmt: skip
    assert sources == {"${datasource}"}


def test_alerts_say_what_happened_and_what_to_do() -> None:
    for rule in read_rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert len(rule["annotations"]["description"]) > 30


def test_prometheus_scrapes_this_machine_alone() -> None:
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))

    (job,) = config["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["127.0.0.1:9464"]}]
    assert config["rule_files"] == ["alerts.yml"]


def run_promtool(*arguments: str, given: bytes = b"") -> str:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it comes with Prometheus")
    done = subprocess.run([promtool, *arguments], input=given, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said


def test_promtool_finds_nothing_wrong_with_config_and_rules() -> None:
    assert "SUCCESS" in run_promtool("check", "config", str(CONFIG))


def test_promtool_finds_nothing_wrong_with_the_metrics(tmp_path: Path) -> None:
    text = generate_latest(make_registry(Settings(outputs=tmp_path), lambda _: None))

    assert run_promtool("check", "metrics", given=text) == ""


def test_alerts_come_when_they_should_and_not_before(tmp_path: Path) -> None:
    hour = 60
    written = "pacaloom_drafts_written_timestamp_seconds"
    kept, generated = "pacaloom_dataset_yield_ratio", "pacaloom_dataset_generated_records"
    # What an alert says is not compared.
    rules = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        del rule["annotations"]
    (tmp_path / "alerts.yml").write_text(json.dumps(rules), encoding="utf-8")
    cases = {
        "rule_files": ["alerts.yml"],
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    # Written at second 0 of the test, and never again.
                    _series(f'{written}{{name="nightly-ko"}}', "0x3000"),
                    _series(f'{written}{{name="demo"}}', "0x3000"),
                ],
                "alert_rule_test": [
                    _expect("PacaloomNoDrafts", 36 * hour - 1),
                    _expect("PacaloomNoDrafts", 36 * hour + 10, name="nightly-ko"),
                ],
            },
            {
                "interval": "1m",
                "input_series": [
                    _series(f'{kept}{{name="few", instance="i"}}', "0.1x9"),
                    _series(f'{kept}{{name="bad", instance="i"}}', "0.29x9"),
                    _series(f'{kept}{{name="good", instance="i"}}', "0.31x9"),
                    _series(f'{generated}{{name="few", instance="i"}}', "19x9"),
                    _series(f'{generated}{{name="bad", instance="i"}}', "20x9"),
                    _series(f'{generated}{{name="good", instance="i"}}', "99x9"),
                    _series("pacaloom_disk_free_bytes", "9x9"),
                    _series("pacaloom_disk_floor_bytes", "10x9"),
                    _series('pacaloom_last_run_failed{flow="f", name="n"}', "1x9"),
                ],
                "alert_rule_test": [
                    _expect("PacaloomYieldLow", 5, name="bad", instance="i"),
                    _expect("PacaloomDiskBelowFloor", 5, severity="critical"),
                    _expect("PacaloomRunFailed", 5, flow="f", name="n"),
                ],
            },
            {
                "interval": "1m",
                # One answer a minute: until minute 60 within 80 s, then between 160 s and 320 s.
                "input_series": [
                    _series(_bucket("80.0"), "0+1x60 60x60"),
                    _series(_bucket("160.0"), "0+1x60 60x60"),
                    _series(_bucket("320.0"), "0+1x120"),
                    _series(_bucket("+Inf"), "0+1x120"),
                    _series('pacaloom_journal_in_use{name="n"}', "1x200"),
                    _series('pacaloom_teacher_answers_total{name="n"}', "0+1x100 100x100"),
                ],
                "alert_rule_test": [
                    _expect("PacaloomTeacherSlow", 59),
                    _expect("PacaloomTeacherSlow", 90, name="n", model="m"),
                    _expect("PacaloomTeacherSilent", 100),
                    _expect("PacaloomTeacherSilent", 140, name="n"),
                ],
            },
        ],
    }  # fmt: skip
    path = tmp_path / "alerts_test.yml"
    path.write_text(json.dumps(cases), encoding="utf-8")

    assert "SUCCESS" in run_promtool("test", "rules", str(path))


def _series(series: str, values: str) -> dict[str, str]:
    return {"series": series, "values": values}


def _bucket(bound: str) -> str:
    return f'pacaloom_teacher_latency_seconds_bucket{{name="n", model="m", le="{bound}"}}'


def _expect(alert: str, minute: int, **labels: str) -> dict[str, Any]:
    """Expect an alert with these labels, or none without."""
    expected = [{"exp_labels": {"severity": "warning", **labels}}] if labels else []
    return {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": expected}
