"""``./pacaloom maintenance`` as people and programs meet it."""

import json
from pathlib import Path

import pytest

from tests.cli.command import run_pacaloom, run_warm
from tests.flows.retention_outputs import judge, refer_model, write_dataset, write_model


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    for ordinal in range(1, 8):
        write_dataset(tmp_path, "ko", ordinal)
        write_model(tmp_path, "ko", ordinal)
    judge(tmp_path, refer_model("ko", 1))
    return tmp_path


def test_without_apply_it_tells_what_why_and_how_large_and_touches_nothing(outputs: Path) -> None:
    finished = run_warm("maintenance", outputs=outputs)

    assert finished.status == 0
    last = json.loads(finished.stdout.splitlines()[-1])
    assert (last["applied"], len(last["given"])) == (False, 4)
    lines = finished.stderr.splitlines()
    assert lines[0].startswith("model versions: older than those that stay, and nothing that")
    assert lines[1].split()[2:] == [f"models/{refer_model('ko', 1)}"]
    assert lines[-2].startswith("May go: ")
    assert lines[-2].endswith(" kB in 4 places; 10 versions and evaluations stay.")
    assert lines[-1] == "Nothing was touched: add --apply to remove."
    assert len(list((outputs / "datasets" / "ko").iterdir())) == 7


def test_with_apply_it_removes_and_the_list_of_models_says_so(outputs: Path) -> None:
    # Whatever lies in this machine's own cache is not touched.
    cache = str(outputs / "cache")
    finished = run_pacaloom(
        "maintenance", "--apply", "--keep-versions", "2", outputs=outputs, PACALOOM_CACHE=cache
    )

    assert finished.status == 0
    assert " kB in 10 places; 4 versions and evaluations stay." in finished.stderr
    assert len(list((outputs / "models" / "ko").iterdir())) == 2
    listed = run_pacaloom("models", "list", outputs=outputs)
    assert "  removed 20" in listed.stdout
    version = refer_model("ko", 1).split("/")[1]
    promoted = run_pacaloom("models", "promote", "ko", version, outputs=outputs)
    assert promoted.status == 2
    assert "maintenance removed its files on" in promoted.stderr
    assert len(promoted.stderr.splitlines()) == 1


def test_no_version_to_keep_is_refused_in_one_line(outputs: Path) -> None:
    finished = run_warm("maintenance", "--keep-versions", "0", outputs=outputs)

    assert finished.status == 2
    assert finished.stderr.splitlines() == [
        "pacaloom: error: keep_versions: Input should be greater than or equal to 1. Found '0'; "
        "see --help."
    ]


def test_folder_without_outputs_is_named(tmp_path: Path) -> None:
    finished = run_warm("maintenance", "--apply", outputs=tmp_path / "nowhere")

    assert finished.status == 2
    assert "Set PACALOOM_OUTPUTS to where it is" in finished.stderr
    assert not (tmp_path / "nowhere").exists()
