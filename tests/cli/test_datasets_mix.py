"""`datasets mix` reads its parts from flags and YAML alike."""

import json
from pathlib import Path

import pytest

from cli.arguments import ArgumentError
from cli.datasets.mix import parse_part
from tests.cli.command import run_pacaloom, run_warm


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("ko-700", {"ref": "ko-700"}, id="name"),
        pytest.param("a/b:cap=5", {"ref": "a/b", "cap": "5"}, id="cap"),
        pytest.param("C:/x.csv", {"ref": "C:/x.csv"}, id="colon in a path"),
        pytest.param(
            "C:/x.csv:weight=2,output=답변",
            {"ref": "C:/x.csv", "weight": "2", "columns": {"output": "답변"}},
            id="columns",
        ),
    ],
)
def test_part_is_a_reference_and_options(text: str, part: dict[str, object]) -> None:
    assert parse_part(text) == part


@pytest.mark.parametrize("text", ["a:wait=3", "a:cap=", "a:cap=1,,"])
def test_option_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ArgumentError, match="wanted key=value with a key of weight, cap"):
        parse_part(text)


def test_yaml_and_flags_make_one_mixture(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("question,answer\nName a city in Korea.,Seoul is one.\n봄꽃은?,개나리예요.\n")
    config = tmp_path / "mixture.yaml"
    config.write_text(f"name: a\nstage: [duplicate]\npart:\n  - {{ref: {rows}, cap: 1}}\n")

    done = run_pacaloom(
        "datasets", "mix", "--config", str(config), "--name", "b", "--licence", "mit",
        outputs=tmp_path / "o",
    )  # fmt: skip

    outcome = json.loads(done.stdout.splitlines()[-1])
    assert done.status == 0, done.stderr
    assert Path(outcome["dataset"]).parent.name == "b"
    assert outcome["kept"] == 1
    assert outcome["parents"][0]["columns"] == {"instruction": "question", "output": "answer"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["--name", "b"], "part: Field required", id="no part"),
        pytest.param(["--name", "b", "--part", "x:cap=many"], "part.0.cap", id="no number"),
        pytest.param(["--name", "B", "--part", "x"], "name: String should match", id="name"),
        pytest.param(["--name", "b", "--part", "nowhere"], "no version of ours", id="unknown"),
    ],
)
def test_mistake_is_one_line(tmp_path: Path, arguments: list[str], told: str) -> None:
    done = run_warm("datasets", "mix", *arguments, outputs=tmp_path)

    assert done.status == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
