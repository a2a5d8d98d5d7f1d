"""deploy/compose.yaml by its rules: pinned, closed to the network, without a key, in order.

Where Docker's compose plugin is installed, it reads the file too.
"""

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from pipeline.generation.teacher.endpoint_list import read_endpoint_list
from tests.cli.command import ROOT

FOLDER = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LONG_RUNNING = sorted(set(SERVICES) - {"deploy"})
_SECRET_WORD = re.compile(r"KEY|TOKEN|PASSWORD|SECRET|AUTH|NOTIFY", re.IGNORECASE)


def test_up_starts_the_installation_and_profiles_the_rest() -> None:
    always = {name for name, service in SERVICES.items() if "profiles" not in service}

    assert always == {"postgres", "server", "deploy", "worker"}
    assert SERVICES["teacher"]["profiles"] == ["teacher"]


@pytest.mark.parametrize("name", SERVICES)
def test_image_is_our_own_or_pinned_by_digest(name: str) -> None:
    service = SERVICES[name]

    if "build" in service:
        assert service["build"]["dockerfile"] == "deploy/Dockerfile"
        assert (FOLDER / service["build"]["context"]).resolve() == ROOT
        assert service["build"]["args"]["CODE_VERSION"] == "${CODE_VERSION:-unknown}"
    else:
        assert re.fullmatch(r"[a-z/-]+:[\w.-]+@sha256:[0-9a-f]{64}", service["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))
    assert SERVICES[name].get("network_mode", "") != "host"


def test_no_secret_stands_in_the_file() -> None:
    values = {
        variable: value
        for service in SERVICES.values()
        for variable, value in service.get("environment", {}).items()
        if _SECRET_WORD.search(variable)
    }

    assert values
    assert all(value.startswith("/run/secrets/") for value in values.values())
    assert {path.rsplit("/", 1)[1] for path in values.values()} <= set(COMPOSE["secrets"])
    assert all(set(one) == {"file"} for one in COMPOSE["secrets"].values())


def test_worker_has_the_key_of_one_endpoint_and_those_of_several() -> None:
    environment = SERVICES["worker"]["environment"]
    example = (FOLDER / "pacaloom.env.example").read_text(encoding="utf-8")

    assert environment["OPENAI_API_KEY_FILE"] == "/run/secrets/openai-api-key"
    assert environment["PACALOOM_ENDPOINT_KEYS_FILE"] == "/run/secrets/endpoint-keys"
    assert {"openai-api-key", "endpoint-keys"} <= set(SERVICES["worker"]["secrets"])
    (listed,) = re.findall(r"^#PACALOOM_ENDPOINTS=(.*)$", example, re.MULTILINE)
    assert [one.weight for one in read_endpoint_list(listed, "")] == [2, 1]


def test_secrets_are_made_and_never_committed() -> None:
    ignored = (FOLDER / ".gitignore").read_text(encoding="utf-8").split()
    made = (FOLDER / "make_secrets.sh").read_text(encoding="utf-8")

    assert {"secrets/", "pacaloom.env"} <= set(ignored)
    for name, one in COMPOSE["secrets"].items():
        assert one["file"] == f"secrets/{name}"
        assert name in made


@pytest.mark.parametrize("name", SERVICES)
def test_service_waits_until_what_it_needs_is_ready(name: str) -> None:
    for other, condition in SERVICES[name].get("depends_on", {}).items():
        if other == "deploy":
            assert condition["condition"] == "service_completed_successfully"
        elif (name, other) != ("metrics", "prometheus"):  # has only to lend its address
            assert condition["condition"] == "service_healthy"
            assert "healthcheck" in SERVICES[other]


def test_worker_starts_after_the_deployments_were_made() -> None:
    assert set(SERVICES["worker"]["depends_on"]) == {"server", "deploy"}
    assert set(SERVICES["deploy"]["depends_on"]) == {"server"}
    assert set(SERVICES["server"]["depends_on"]) == {"postgres"}


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_service_is_watched_limited_and_started_again(name: str) -> None:
    service = SERVICES[name]

    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert "no-new-privileges:true" in service.get("security_opt", ()) or name == "postgres"


def test_stopped_worker_has_longer_than_it_gives_its_runs() -> None:
    supervisor = (FOLDER / "supervise_worker.py").read_text(encoding="utf-8")
    (patience,) = re.findall(r"^_PATIENCE_S = ([\d.]+)$", supervisor, re.MULTILINE)

    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) == 2 * float(patience)
    # A signal reaches the worker, not a shell that ignores it.
    assert SERVICES["worker"]["init"] is True


def test_everything_that_lasts_is_a_named_volume_or_a_folder_of_ours() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or source in {"./prometheus", "./grafana"}
    assert all(volume["name"].startswith("pacaloom-") for volume in COMPOSE["volumes"].values())


def test_nobody_reports_our_use() -> None:
    quiet = {
        "teacher": {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"},
        "grafana": {
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        },
    }
    for name, variables in quiet.items():
        assert variables.items() <= SERVICES[name]["environment"].items()


@pytest.mark.parametrize("name", sorted(COMPOSE["configs"]))
def test_configuration_in_the_file_is_yaml(name: str) -> None:
    assert yaml.safe_load(COMPOSE["configs"][name]["content"])["apiVersion"] == 1


def test_docker_compose_takes_the_file() -> None:
    docker = shutil.which("docker")
    command = [docker or "docker", "compose"]
    if not docker or subprocess.run([*command, "version"], capture_output=True).returncode:
        pytest.skip("no Docker with its compose plugin here")

    done = subprocess.run(
        [*command, "-f", str(FOLDER / "compose.yaml"), "--profile", "*", "config", "--quiet"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
