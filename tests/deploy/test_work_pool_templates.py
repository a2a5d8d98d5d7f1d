"""deploy/work-pools, rendered by Prefect as a worker would, and checked where that is possible."""

import json
import subprocess
import sys
import uuid
from typing import Any, cast

import pytest
from docker import APIClient
from jsonschema import Draft202012Validator
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.utilities.templating import find_placeholders
from prefect.workers.base import BaseJobConfiguration
from prefect.workers.process import ProcessJobConfiguration
from pydantic import BaseModel, ConfigDict

from tests.cli.command import ROOT

FOLDER = ROOT / "deploy" / "work-pools"
NAMES = ("process", "docker", "kubernetes", "slurm")
# No block or variable of a server is referred to, so that nobody is asked. With None, Prefect would
# start a server.
NO_SERVER = cast(PrefectClient, object())


class AnyConfiguration(BaseJobConfiguration):
    """Takes what the workers do that are not installed here: prefect-docker's and -kubernetes'."""

    model_config = ConfigDict(extra="allow")


def read_template(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


async def render(name: str, **values: object) -> dict[str, Any]:
    """Render as a worker does, after checking the values as the server does."""
    template = read_template(name)
    Draft202012Validator(template["variables"]).validate(values)
    kind: type[BaseModel] = AnyConfiguration
    if name in ("process", "slurm"):
        kind = ProcessJobConfiguration
    configuration = await cast(Any, kind).from_template_and_values(
        template, values, client=NO_SERVER
    )
    return configuration.model_dump()


@pytest.mark.parametrize("name", NAMES)
def test_every_placeholder_is_a_variable_and_every_variable_is_used(name: str) -> None:
    template = read_template(name)
    Draft202012Validator.check_schema(template["variables"])
    used = {one.name for one in find_placeholders(json.dumps(template["job_configuration"]))}

    assert used == set(template["variables"]["properties"])


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_says_what_it_is_and_takes_its_own_default(name: str) -> None:
    variables = read_template(name)["variables"]
    for schema in variables["properties"].values():
        assert schema["description"]
        if schema.get("default") is not None:
            Draft202012Validator(schema).validate(schema["default"])


@pytest.mark.parametrize("name", NAMES)
def test_no_key_is_in_a_template(name: str) -> None:
    environment = read_template(name)["variables"]["properties"]["env"].get("default", {})

    named = [value for key, value in environment.items() if "KEY" in key or "TOKEN" in key]
    assert all(value.startswith("/run/secrets/") for value in named)


@pytest.mark.parametrize("name", NAMES)
def test_variable_that_is_unheard_of_is_refused(name: str) -> None:
    problems = Draft202012Validator(read_template(name)["variables"]).iter_errors({"colour": "red"})

    assert any("colour" in problem.message for problem in problems)


async def test_process_run_reports_to_nobody() -> None:
    environment = (await render("process"))["env"]

    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environment["DO_NOT_TRACK"] == "1"


async def test_slurm_command_asks_for_the_resources_of_the_deployment() -> None:
    rendered = await render("slurm", folder="/shared/pacaloom", gpus="gpu:a100:4", partition="long")

    submit, *options = rendered["command"].split()
    assert submit == "/shared/pacaloom/deploy/slurm/submit.sh"
    assert {"--gres=gpu:a100:4", "--partition=long", "--time=24:00:00"} <= set(options)
    assert str(rendered["working_dir"]) == "/shared/pacaloom"


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"partition": "long --uid=0"}, id="another-option"),
        pytest.param({"gpus": "gpu:1; rm -rf /"}, id="another-command"),
        pytest.param({"folder": "relative/folder"}, id="relative-folder"),
        pytest.param({"cpus": 0}, id="no-processor"),
    ],
)
def test_slurm_value_with_more_in_it_than_a_value_is_refused(values: dict[str, str | int]) -> None:
    validator = Draft202012Validator(read_template("slurm")["variables"])

    assert not validator.is_valid({"folder": "/shared/pacaloom", **values})


async def test_container_runs_as_nobody_in_particular_with_the_outputs_of_all() -> None:
    rendered = await render("docker", secrets_folder="/srv/pacaloom/deploy/secrets")

    assert rendered["volumes"] == [
        "pacaloom-outputs:/data/outputs",
        "pacaloom-cache:/data/cache",
        "/srv/pacaloom/deploy/secrets/openai-api-key:/run/secrets/openai-api-key:ro",
        "/srv/pacaloom/deploy/secrets/endpoint-keys:/run/secrets/endpoint-keys:ro",
        "/srv/pacaloom/deploy/secrets/hf-token:/run/secrets/hf-token:ro",
        "/srv/pacaloom/deploy/secrets/notify:/run/secrets/notify:ro",
    ]
    assert rendered["container_create_kwargs"]["user"] == "10001:10001"
    assert rendered["privileged"] is False
    # As in compose.yaml, whose server the containers talk to.
    assert rendered["networks"] == ["pacaloom"]
    assert rendered["env"]["PREFECT_API_URL"] == "http://server:4200/api"


async def test_docker_library_takes_the_limits_and_the_gpus() -> None:
    gpu = {"driver": "nvidia", "count": 1, "capabilities": [["gpu"]]}
    rendered = await render("docker", secrets_folder="/s", device_requests=[gpu], mem_limit="2g")
    given = rendered["container_create_kwargs"]

    # With a version named, it asks no engine.
    client = APIClient(base_url="tcp://127.0.0.1:9", version="1.50")
    host = client.create_host_config(
        mem_limit=rendered["mem_limit"],
        **{key: value for key, value in given.items() if key != "user"},
    )

    assert host["Memory"] == 2 * 1024**3
    assert host["CapDrop"] == ["ALL"]
    assert host["Init"] is True
    assert host["DeviceRequests"][0]["Capabilities"] == [["gpu"]]


async def render_pod(**values: object) -> dict[str, Any]:
    rendered = await render("kubernetes", image="registry.test/pacaloom@sha256:0", **values)
    return rendered["job_manifest"]["spec"]["template"]["spec"]


async def test_pod_is_closed_and_has_time_to_write_down_what_it_paid_for() -> None:
    pod = await render_pod()
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == 10001
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["terminationGracePeriodSeconds"] == 120
    # A run that was evicted is scheduled anew by Prefect, not by Kubernetes beside it.
    assert (await render("kubernetes", image="i"))["job_manifest"]["spec"]["backoffLimit"] == 0


async def test_pod_mounts_the_shared_outputs_and_takes_keys_from_the_secret() -> None:
    pod = await render_pod(outputs_claim="shared", secret="keys")  # noqa: S106 - a name
    (container,) = pod["containers"]

    claims = {
        volume["name"]: volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert claims == {"outputs": "shared", "cache": "pacaloom-cache"}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"outputs": "/data/outputs", "cache": "/data/cache", "shm": "/dev/shm"}  # noqa: S108
    assert container["envFrom"] == [{"secretRef": {"name": "keys", "optional": True}}]


async def test_pod_gets_the_gpus_and_the_node_that_have_been_asked_for() -> None:
    pod = await render_pod(gpus=2, node_selector={"gpu": "a100"}, memory_limit="64Gi")
    (container,) = pod["containers"]

    assert container["resources"]["limits"] == {"memory": "64Gi", "nvidia.com/gpu": 2}
    assert pod["nodeSelector"] == {"gpu": "a100"}


def test_pool_that_needs_more_is_refused_with_what_it_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-P", str(ROOT / "deploy" / "make_work_pool.py"), "local", "docker"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr == "pacaloom: error: this template needs secrets_folder=….\n"


async def test_kubernetes_worker_takes_the_manifest() -> None:
    worker = pytest.importorskip("prefect_kubernetes.worker", reason="prefect-kubernetes")
    models = pytest.importorskip("kubernetes_asyncio.client")
    configuration = await worker.KubernetesWorkerJobConfiguration.from_template_and_values(
        read_template("kubernetes"), {"image": "i@sha256:0", "gpus": 1}, client=NO_SERVER
    )
    configuration.prepare_for_flow_run(FlowRun(id=uuid.uuid4(), flow_id=uuid.uuid4(), name="x"))

    async with models.ApiClient() as client:
        answer = type("Answer", (), {"data": json.dumps(configuration.job_manifest)})
        job = client.deserialize(answer, "V1Job")

    (container,) = job.spec.template.spec.containers
    assert container.args == ["prefect", "flow-run", "execute"]
    assert container.resources.limits["nvidia.com/gpu"] == "1"
    assert job.spec.template.spec.termination_grace_period_seconds == 120


async def test_docker_worker_takes_the_configuration() -> None:
    worker = pytest.importorskip("prefect_docker.worker", reason="prefect-docker")
    configuration = await worker.DockerWorkerJobConfiguration.from_template_and_values(
        read_template("docker"), {"secrets_folder": "/s"}, client=NO_SERVER
    )
    configuration.prepare_for_flow_run(FlowRun(id=uuid.uuid4(), flow_id=uuid.uuid4(), name="x"))

    assert configuration.command == "prefect flow-run execute"
    assert configuration.get_network_mode() is None
    assert configuration.env["PREFECT_API_URL"] == "http://server:4200/api"
