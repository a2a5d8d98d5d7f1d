"""``datasets export`` writes what was asked for, and says in one line why it did not."""

import json
from pathlib import Path

import pytest

from cli.datasets.export import build_export_parser, run_export
from pipeline.publishing.exports.formats import FORMATS
from pipeline.publishing.publish import Publication, publish
from pipeline.publishing.versions import latest_version
from schemas.errors import UserError
from schemas.records import InstructionRecord, Language, Provenance

ORIGIN = Provenance(strategy="import", teacher="rows.jsonl", completion_id="rows.jsonl:1")


def make(instruction: str, language: Language) -> InstructionRecord:
    return InstructionRecord(
        instruction=instruction, output="\x1b[2J" + instruction, language=language,
        provenance=ORIGIN,
    )  # fmt: skip


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outputs = tmp_path_factory.mktemp("outputs")
    kept = [make(f"List {number} fruits.", "en") for number in range(20)]
    kept += [make(f"과일을 {number}가지 말해 줘.", "ko") for number in range(20)]
    publication = Publication(
        name="toy", kept=kept, rejected=[], seeds=(), curation={}, judge=None, against=(), runs=(),
        licence="apache-2.0", code_version="test",
    )  # fmt: skip
    publish(publication, outputs / "datasets")
    return outputs


@pytest.fixture
def version(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PACALOOM_OUTPUTS", str(outputs))
    return latest_version(outputs / "datasets", "toy")


def test_the_last_line_is_one_object_with_files_and_records(
    version: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "my data"

    status = run_export(["toy", "--format", "llama-factory", "--to", str(target)])

    shown = capsys.readouterr()
    said = json.loads(shown.out.splitlines()[-1])
    assert status == 0
    assert list(said) == ["llama-factory"]
    assert said["llama-factory"]["folder"] == str(target)
    assert sum(said["llama-factory"]["records"].values()) == 40
    assert set(said["llama-factory"]["files"]) == {file.name for file in target.iterdir()}
    # To be copied: one line, quoted for a shell.
    assert f"--dataset_dir '{target}' --dataset toy_train" in shown.err


def test_several_formats_get_a_folder_each(version: Path, tmp_path: Path) -> None:
    flags = [flag for format_ in FORMATS for flag in ("--format", format_.name)]

    run_export([str(version), *flags, "--to", str(tmp_path / "all")])

    folders = {folder.name for folder in (tmp_path / "all").iterdir()}
    assert folders == {format_.name for format_ in FORMATS}


def test_split_and_language_choose(
    version: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--split", "train", "--language", "ko", "--to", str(tmp_path / "ko")]

    run_export([f"toy/{version.name}", "--format", "openai-chat", *flags])

    said = json.loads(capsys.readouterr().out.splitlines()[-1])["openai-chat"]
    lines = (tmp_path / "ko" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    assert said["records"] == {"train": len(lines), "validation": 0}
    assert all("과일을" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["toy", "--format", "alpacca", "--to", "x"], "There is no export format 'alpacca'"),
        (["absent", "--format", "csv", "--to", "x"], "absent"),
        (["toy", "--format", "csv", "--to", "filled"], "is not empty"),
        (["toy", "--format", "csv"], "--to"),
        (["toy", "--to", "x"], "--format"),
        (["toy", "--format", "csv", "--to", "x", "--split", "test"], "--split"),
    ],
)
def test_a_mistake_is_one_line(
    version: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "filled" / "mine").mkdir(parents=True)

    with pytest.raises(UserError) as caught:
        run_export(arguments)

    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "x").exists()


def test_help_lists_every_format() -> None:
    shown = build_export_parser().format_help()

    assert all(f"  {format_.name} " in shown for format_ in FORMATS)
