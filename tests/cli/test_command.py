"""The command answers from anywhere, prints one JSON line, and ends badly in one line."""

import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import ROOT, run_pacaloom, run_warm

RECORDS = [
    {"instruction": "Name three kinds of citrus fruit.", "output": "Orange, lemon and lime."},
    {"instruction": "Name three kinds of citrus fruits!", "output": "Lemon, lime, orange."},
    {"instruction": "봄에 피는 꽃을 세 가지만 알려 줘.", "output": "개나리, 진달래, 벚꽃이 있어."},
    {"instruction": "Say hello to a new neighbour.", "output": ""},
]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "records.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in RECORDS), "utf-8")
    return path


def test_help_lists_every_verb_and_teaches(tmp_path: Path) -> None:
    whole = run_pacaloom("--help", outputs=tmp_path)
    one = run_pacaloom("generate", "--help", outputs=tmp_path, cwd=tmp_path)

    assert whole.status == one.status == 0
    for verb in ("generate", "curate", "finetune", "evaluate", "retrain", "models", "up", "down"):
        assert f"\n  {verb} " in whole.stdout
    assert "--quota LANGUAGE=COUNT" in one.stdout
    assert "examples:" in one.stdout


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    # Importing any of these takes longer than a person waits for a help page.
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, sys\n"
        "heavy = {'torch', 'transformers', 'prefect', 'datasets', 'openai', 'numba', 'pyarrow'}\n"
        "def report(): print('HEAVY', sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
        "atexit.register(report)\n"
    )

    done = run_pacaloom("retrain", "--help", outputs=tmp_path, PYTHONPATH=str(tmp_path))

    assert "HEAVY []" in done.stderr


def test_curate_accounts_for_every_record_and_publishes(tmp_path: Path, records: Path) -> None:
    done = run_pacaloom(
        "curate", "--name", "mine", "--input", "records.jsonl", outputs=tmp_path / "o", cwd=tmp_path
    )

    assert done.status == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["generated"] == 4
    assert result["kept"] + sum(result["rejected"].values()) == 4
    assert result["rejected"] == {"empty-output": 1, "repeat": 1}
    assert (Path(result["dataset"]) / "manifest.json").is_file()
    again = run_warm("curate", "--name", "mine", "--input", str(records), outputs=tmp_path / "o")
    assert json.loads(again.stdout.splitlines()[-1])["dataset"] == result["dataset"]


def test_folders_of_the_users_with_our_names_are_not_imported(
    tmp_path: Path, records: Path
) -> None:
    for name in ("schemas", "cli", "datasets", "flows"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('imported')")

    done = run_pacaloom("curate", "--input", str(records), outputs=tmp_path / "o", cwd=tmp_path)

    assert done.status == 0, done.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dance"], "invalid choice: 'dance'"),
        (["generate", "--quota", "fr=1"], "quota.fr"),
        (["generate", "--model", "gpt-9"], "smollm2-135m"),
        (["generate", "--model", "gemma-3-270m"], "student only"),
        (["generate", "--seeds", "none.jsonl"], "none.jsonl"),
        (["curate", "--name", "unheard-of"], "pacaloom generate --name unheard-of"),
        (["curate", "--input", "none.jsonl"], "none.jsonl: no such file"),
        (["finetune", "--dataset", "unheard-of"], "No dataset 'unheard-of'"),
        (["finetune", "--dataset", str(ROOT / "seeds")], "is not a dataset version"),
        (["evaluate", "--model", "unheard-of"], "No student 'unheard-of'"),
        (["models", "rollback", "unheard-of"], "unheard-of"),
        (["fetch", "gpt-9"], "smollm2-135m"),
        (["schema", "poem"], "seed-task"),
    ],
)
def test_mistake_ends_in_one_line_and_status_2(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    done = run_pacaloom(*arguments, outputs=tmp_path / "o")

    assert done.status == 2, done.stderr
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_endpoint_without_a_model_name_asks_for_one(tmp_path: Path) -> None:
    done = run_warm("generate", outputs=tmp_path, OPENAI_BASE_URL="http://127.0.0.1:1/v1")

    assert done.status == 2
    assert "--model" in done.stderr


def test_unreachable_endpoint_is_named_and_the_key_is_not(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/v1"

    done = run_warm(
        "generate", "--model", "m", "--quota", "ko=1", outputs=tmp_path,
        OPENAI_BASE_URL=address, OPENAI_API_KEY="sk-very-secret",
    )  # fmt: skip

    assert done.status == 2, done.stderr
    assert address in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"sk-very-secret" not in written + done.stderr.encode() + done.stdout.encode()


def test_outputs_that_cannot_be_written_are_named(tmp_path: Path, records: Path) -> None:
    (tmp_path / "file").write_text("")

    done = run_warm("curate", "--input", str(records), outputs=tmp_path / "file" / "o")

    assert done.status == 1
    assert "PACALOOM_OUTPUTS" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_schema_and_completion_are_printed(tmp_path: Path) -> None:
    schema = run_pacaloom("schema", "rejection", outputs=tmp_path)
    completion = run_pacaloom("completion", "bash", outputs=tmp_path)

    assert json.loads(schema.stdout)["title"] == "Rejection"
    assert "--gradient-accumulation" in completion.stdout


def test_command_without_an_environment_says_how_to_make_one(tmp_path: Path) -> None:
    copy = tmp_path / "pacaloom"
    copy.write_text((ROOT / "pacaloom").read_text())
    copy.chmod(0o755)
    done = subprocess.run([str(copy), "--help"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "make setup" in done.stderr
