"""deploy/Dockerfile by its rules, and its entry point with real files."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from flows.settings import Settings, find_code_version
from tests.cli.command import ROOT

FOLDER = ROOT / "deploy"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
ENTRYPOINT = FOLDER / "entrypoint.sh"


def read_ignore_rules() -> list[str]:
    lines = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def find_tool(name: str) -> str:
    """Find a linter beside this Python or on PATH, or skip."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    return found or pytest.skip(f"{name} is not installed here")


def test_base_image_is_pinned_by_digest() -> None:
    (image,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)

    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", image)
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert set(bases) == {"${PYTHON_IMAGE}"}


def test_image_runs_as_nobody_in_particular_and_reports_to_nobody() -> None:
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert "PREFECT_SERVER_ANALYTICS_ENABLED=false" in DOCKERFILE
    assert "DO_NOT_TRACK=1" in DOCKERFILE


def test_no_key_is_a_build_argument_or_in_the_environment() -> None:
    arguments = re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE)

    assert set(arguments) == {"PYTHON_IMAGE", "TORCH_INDEX", "CODE_VERSION"}
    assert not re.search(r"(KEY|TOKEN|PASSWORD|SECRET)\w*=", DOCKERFILE)


@pytest.mark.parametrize("given", ["3f2a9c1d5e7b-dirty", "unknown"])
def test_image_knows_the_commit_that_it_was_built_from(tmp_path: Path, given: str) -> None:
    # The argument has this default.
    assert re.search(r"^ARG CODE_VERSION=unknown$", DOCKERFILE, re.MULTILINE)
    (line,) = re.findall(r"^RUN (.*CODE_VERSION.*)$", DOCKERFILE, re.MULTILINE)

    subprocess.run(["sh", "-c", line], cwd=tmp_path, env={"CODE_VERSION": given}, check=True)

    assert find_code_version(tmp_path) == given
    assert find_code_version(tmp_path / "nowhere") == "unknown"


def test_checkout_asks_git_whatever_a_build_has_written_down(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.com"]
    (tmp_path / "code-version").write_text("of a build")
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=m"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    told = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    assert find_code_version(tmp_path) == told.stdout[:12]


def test_only_what_tests_and_checks_need_is_left_out_of_the_lock() -> None:
    (pattern,) = re.findall(r"grep -viE '([^']+)'", DOCKERFILE)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    left_out = {line.split("==")[0] for line in lock if re.match(pattern, line, re.IGNORECASE)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[^\w.-]", one)[0].lower().replace("_", "-") for one in requirements}

    extras = project["optional-dependencies"]
    needed = names(project["dependencies"]).union(
        *(names(extras[extra]) for extra in ("train", "embedded", "distributed"))
    )
    found = {name.lower().replace("_", "-") for name in left_out}
    # torch is installed by the line above, from its own index.
    assert found - {"torch"} <= names(extras["dev"])
    assert not found & needed - {"torch"}


def test_context_lets_in_the_code_and_neither_keys_nor_outputs() -> None:
    first, *rules = read_ignore_rules()
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}

    assert first == "*"
    assert all((ROOT / path).exists() for path in let_in)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"benchmarks"}
    assert packages <= let_in
    assert not {".env", "outputs", ".git", "tests", "deploy", "deploy/secrets"} & let_in


def run_entrypoint(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ENTRYPOINT), "sh", "-c", command],
        env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_entry_point_reads_a_key_from_its_file(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("sk-1 $(date) 'quoted'\n", encoding="utf-8")

    done = run_entrypoint('printf %s "$OPENAI_API_KEY"', OPENAI_API_KEY_FILE=str(key))

    assert done.stdout == "sk-1 $(date) 'quoted'"


def test_entry_point_takes_an_empty_file_for_no_key(tmp_path: Path) -> None:
    (tmp_path / "key").touch()

    done = run_entrypoint(
        'printf %s "${OPENAI_API_KEY-unset}"', OPENAI_API_KEY_FILE=str(tmp_path / "key")
    )

    assert done.stdout == "unset"


def test_entry_point_names_a_secret_that_is_not_there() -> None:
    done = run_entrypoint("true", PREFECT_SERVER_DATABASE_PASSWORD_FILE="/nowhere/password")  # noqa: S106

    assert done.returncode == 2
    assert "PREFECT_SERVER_DATABASE_PASSWORD_FILE names /nowhere/password" in done.stderr


def test_entry_point_knows_every_secret_that_is_a_setting() -> None:
    script = ENTRYPOINT.read_text(encoding="utf-8")
    secrets = [
        str(field.validation_alias)
        for field in Settings.model_fields.values()
        if "SecretStr" in str(field.annotation)
    ]

    assert secrets
    assert all(re.search(rf"\b{name}\b", script) for name in secrets)


def test_entry_point_becomes_the_command_and_hands_on_its_status() -> None:
    assert run_entrypoint("exit 7").returncode == 7


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        [find_tool("hadolint"), str(FOLDER / "Dockerfile")], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout


def test_shellcheck_finds_nothing() -> None:
    scripts = sorted(map(str, FOLDER.rglob("*.sh")))

    done = subprocess.run([find_tool("shellcheck"), *scripts], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", sorted(FOLDER.rglob("*.sh")), ids=lambda path: path.name)
def test_script_can_be_executed_and_is_a_shell_script(script: Path) -> None:
    assert script.stat().st_mode & 0o111 == 0o111
    assert subprocess.run(["sh", "-n", str(script)]).returncode == 0


def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "make_secrets.sh", tmp_path)
    make = [str(tmp_path / "make_secrets.sh")]

    subprocess.run(make, check=True, capture_output=True)
    first = {path.name: path.read_bytes() for path in (tmp_path / "secrets").iterdir()}
    subprocess.run(make, check=True, capture_output=True)

    assert {path.name: path.read_bytes() for path in (tmp_path / "secrets").iterdir()} == first
    assert len(first["postgres-password"]) == 48
    assert first["openai-api-key"] == b""
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
