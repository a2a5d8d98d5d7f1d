"""Make or renew a Prefect work pool from a template of deploy/work-pools.

    deploy/make_work_pool.py NAME TEMPLATE [VARIABLE=VALUE ...]

TEMPLATE is process, docker, kubernetes or slurm; the values become the pool's defaults, so that no
deployment has to repeat them:

    deploy/make_work_pool.py local kubernetes image=registry.example.com/pacaloom@sha256:...
    deploy/make_work_pool.py slurm slurm folder=/shared/pacaloom partition=gpu

Not by Prefect's command, which asks a server on the internet which types of pool there are.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL

_TEMPLATES = Path(__file__).resolve().parent / "work-pools"
_TYPES = {
    "process": "process",
    "docker": "docker",
    "kubernetes": "kubernetes",
    # A process worker starts what submits to Slurm.
    "slurm": "process",
}

_LEAST_ARGUMENTS = 2
_Json = str | int | float | list[Any] | dict[str, Any] | None


class MistakeError(Exception):
    """What was asked for cannot be made; one line says why."""


def read_template(name: str, assignments: Sequence[str]) -> dict[str, Any]:
    """Read a template and make the values given its defaults."""
    if name not in _TYPES:
        raise MistakeError(f"no template {name!r}. Take one of {', '.join(_TYPES)}.")
    template = json.loads((_TEMPLATES / f"{name}.json").read_text(encoding="utf-8"))
    variables = template["variables"]
    for assignment in assignments:
        variable, separator, text = assignment.partition("=")
        schema = variables["properties"].get(variable)
        if not separator or schema is None:
            raise MistakeError(
                f"{assignment!r}: wanted VARIABLE=VALUE with a variable of the template: "
                f"{', '.join(variables['properties'])}."
            )
        value = _read_value(text)
        checked = {**schema, "definitions": variables.get("definitions", {})}
        if problems := list(Draft202012Validator(checked).iter_errors(value)):
            raise MistakeError(f"{assignment!r}: {problems[0].message}.")
        schema["default"] = value
    without = [one for one in variables.get("required", ()) if _has_no_default(variables, one)]
    if without:
        raise MistakeError(f"this template needs {', '.join(f'{one}=…' for one in without)}.")
    # Prefect asks each deployment for what is required, whether it has a default or not.
    variables.pop("required", None)
    return template


def _has_no_default(variables: dict[str, Any], name: str) -> bool:
    return variables["properties"][name].get("default") is None


def _read_value(text: str) -> _Json:
    try:
        return json.loads(text)
    except ValueError:
        return text


def make_pool(name: str, kind: str, template: dict[str, Any]) -> str:
    """Make the pool, or give an existing one the template; return what was done."""
    if not PREFECT_API_URL.value():
        raise MistakeError("PREFECT_API_URL is not set; it names the server.")
    with get_client(sync_client=True) as client:
        try:
            found = client.read_work_pool(name)
        except ObjectNotFound:
            client.create_work_pool(
                WorkPoolCreate(name=name, type=kind, base_job_template=template)
            )
            return f"Made work pool {name!r} of type {kind}."
        if found.type != kind:
            raise MistakeError(
                f"work pool {name!r} is of type {found.type}, wanted {kind}. Choose another name, "
                f"or delete it first: prefect work-pool delete {name}."
            )
        client.update_work_pool(name, WorkPoolUpdate(base_job_template=template))
        return f"Renewed work pool {name!r} of type {kind}."


def run(arguments: Sequence[str]) -> str:
    """Make what the command line names."""
    if len(arguments) < _LEAST_ARGUMENTS:
        raise MistakeError("wanted NAME TEMPLATE [VARIABLE=VALUE ...].")
    name, kind, *assignments = arguments
    return make_pool(name, _TYPES.get(kind, kind), read_template(kind, assignments))


def main(arguments: Sequence[str]) -> int:
    """Print what was done; 2 for a mistake in the request."""
    try:
        sys.stdout.write(f"{run(arguments)}\n")
    except MistakeError as error:
        sys.stderr.write(f"pacaloom: error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
