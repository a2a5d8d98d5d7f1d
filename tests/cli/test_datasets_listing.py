"""`datasets list` and `show` print what others wrote without letting it speak to the terminal."""

import json
from pathlib import Path

from tests.cli.command import run_pacaloom, run_warm

HOSTILE = "mit\x1b]0;owned\x07\x1b[31m\u202e"


def test_no_name_of_a_version_from_elsewhere_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    row = {"instruction": "봄에 피는 꽃을 하나 말해 줘.", "output": "개나리입니다."}
    rows.write_text(json.dumps(row, ensure_ascii=False), "utf-8")
    options = ("--seeds", "none", "--processes", "1", "--licence", HOSTILE)
    made = run_warm(
        "curate", "--name", "a", "--input", str(rows), *options, outputs=tmp_path / "outputs"
    )
    folder = Path(json.loads(made.stdout)["dataset"])
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"name": HOSTILE}), "utf-8")

    listed = run_warm("datasets", "list", outputs=tmp_path / "outputs")
    shown = run_warm("datasets", "show", str(folder), outputs=tmp_path / "outputs")

    for done in (listed, shown):
        assert done.status == 0
        assert not set("\x1b\x07\u202e") & set(done.stdout + done.stderr)
        assert "␛" in done.stderr


def test_list_says_in_one_line_of_its_own_what_is_wrong_with_a_damaged_version(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "outputs" / "datasets" / "a" / "0001-0123456789ab"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{", "utf-8")

    listed = run_warm("datasets", "list", outputs=tmp_path / "outputs")

    assert listed.status == 0
    told = [line for line in listed.stderr.splitlines() if str(folder / "manifest.json") in line]
    assert [line for line in told if "is not a dataset version" in line]


def test_list_names_the_name_that_has_no_version(tmp_path: Path) -> None:
    listed = run_pacaloom("datasets", "list", "frist", outputs=tmp_path / "outputs")

    assert "No dataset version of 'frist'." in listed.stderr
