"""`models show`, `models export` and `serve` as a person would run them."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import ROOT, pacaloom_environment, run_pacaloom, run_warm
from tests.finetuning.conftest import build_tiny_llama
from tests.finetuning.tuned_students import write_tuned


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("outputs")
    write_tuned(root, build_tiny_llama(root / "base"), "lora")
    return root


def test_a_student_is_shown_with_what_its_merge_measured_once_it_was_exported(
    outputs: Path, tmp_path: Path
) -> None:
    before = run_warm("models", "show", "lora", outputs=outputs)
    exported = run_pacaloom(
        "models", "export", "lora", "--format", "hf", "--to", str(tmp_path / "hf"), outputs=outputs
    )
    after = run_warm("models", "show", "lora", outputs=outputs)

    assert before.status == exported.status == after.status == 0
    assert "not measured yet" in before.stderr
    assert json.loads(before.stdout)["merge"] is None
    answer = json.loads(exported.stdout.splitlines()[-1])
    assert answer["folder"] == str(tmp_path / "hf")
    assert (tmp_path / "hf" / "model.safetensors").is_file()
    shown = json.loads(after.stdout)
    assert shown["merge"] == answer["merge"]
    assert shown["champion"] is False
    assert "* original" in after.stderr


def test_a_kind_of_the_other_format_is_a_mistake_in_one_line(outputs: Path, tmp_path: Path) -> None:
    done = run_warm(
        "models", "export", "lora", "--format", "hf", "--kind", "q8_0", "--to", str(tmp_path / "x"),
        outputs=outputs,
    )  # fmt: skip

    assert done.status == 2
    assert done.stderr.count("\n") == 1
    assert "wanted bf16, fp32" in done.stderr


def test_serve_says_where_in_its_last_line_and_ends_with_ctrl_c(
    outputs: Path, tmp_path: Path
) -> None:
    environment = pacaloom_environment(outputs, PACALOOM_CACHE=str(tmp_path))
    command = [str(ROOT / "pacaloom"), "serve", "lora", "--port", "0", "--kind", "f32"]
    with subprocess.Popen(
        [*command, "--context", "256", "--parallel", "1"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        os.kill(server.pid, signal.SIGINT)
        _, said = server.communicate(timeout=60)

    assert ready["base_url"].startswith("http://127.0.0.1:")
    assert ready["model"].startswith("lora/0001-")
    assert Path(ready["gguf"]).parent == tmp_path / "served"
    assert server.returncode == 0
    assert "OPENAI_BASE_URL=" + ready["base_url"] in said
    assert said.endswith("Stopped.\n")


def test_an_embedded_model_is_served_as_its_file_is(tmp_path: Path) -> None:
    done = run_pacaloom("serve", "smollm2-135m", "--kind", "f16", "--port", "0", outputs=tmp_path)

    assert done.status == 2
    assert "is an embedded model and served as its file is" in done.stderr
