"""``./pacaloom datasets diff`` as people and programs meet it."""

import json
from pathlib import Path

import pytest

from pipeline.publishing.publish import Publication, publish
from schemas.records import InstructionRecord, Language, Provenance, Rejection, to_draft
from tests.cli.command import run_pacaloom, run_warm


def _record(instruction: str, language: Language = "en", output: str = "Yes.") -> InstructionRecord:
    origin = Provenance(strategy="import", teacher="test", completion_id="test:1")
    return InstructionRecord(
        instruction=instruction, output=output, language=language, provenance=origin
    )


def _publish(outputs: Path, kept: list[InstructionRecord], rejected: list[Rejection]) -> str:
    folder = publish(
        Publication(
            name="demo",
            kept=kept,
            rejected=rejected,
            seeds=(),
            curation={},
            judge=None,
            against=(),
            runs=(),
            licence="cc0-1.0",
            code_version="test",
        ),
        outputs / "datasets",
    )
    return f"{folder.parent.name}/{folder.name}"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("outputs")
    town, river = _record("Name a town."), _record("강 이름을 말해 줘.", "ko", "한강.")
    hostile = _record("Name a \x1b[31mred thing.")
    _publish(root, [town, river, hostile], [])
    because = Rejection(
        draft=to_draft(hostile), stage="rules", reason="nonsense", detail="odd \x07"
    )
    _publish(
        root, [_record("Name a town.", output="Ulm."), river, _record("새 일.", "ko")], [because]
    )
    return root


def _first(outputs: Path) -> str:
    return "demo/" + min(folder.name for folder in (outputs / "datasets/demo").glob("0001-*"))


def test_last_line_counts_what_became_of_each_record(outputs: Path) -> None:
    finished = run_pacaloom("datasets", "diff", _first(outputs), "demo", outputs=outputs)

    told = json.loads(finished.stdout.splitlines()[-1])
    assert finished.status == 0
    assert (told["added"], told["lost"], told["changed"], told["unchanged"]) == (1, 1, 1, 1)
    assert told["lost_by_reason"] == {"nonsense": 1}


def test_examples_are_shown_and_cannot_speak_to_the_terminal(outputs: Path) -> None:
    finished = run_warm("datasets", "diff", _first(outputs), "demo", outputs=outputs)

    assert "새 일." in finished.stderr
    assert "␛[31mred thing" in finished.stderr
    assert "\x1b" not in finished.stderr
    assert "\x07" not in finished.stderr


def test_no_examples_are_shown_where_none_are_wanted(outputs: Path) -> None:
    finished = run_warm(
        "datasets", "diff", _first(outputs), "demo", "--examples", "0", outputs=outputs
    )

    assert "for example" not in finished.stderr


def test_mistakes_are_told_in_one_line(outputs: Path) -> None:
    unknown = run_warm("datasets", "diff", "nobody", "demo", outputs=outputs)
    negative = run_warm("datasets", "diff", "demo", "demo", "--examples=-1", outputs=outputs)

    assert (unknown.status, negative.status) == (2, 2)
    assert "nobody" in unknown.stderr
    assert "wanted a whole number from 0" in negative.stderr
    assert "Traceback" not in unknown.stderr + negative.stderr


def test_edit_that_was_taken_back_is_called_that(tmp_path: Path) -> None:
    before = _record("강 이름을 말해 줘.", "ko", "한강.")
    origin = before.provenance.model_copy(update={"edited": True, "derived_from": before.id})
    edited = before.model_copy(update={"output": "낙동강.", "provenance": origin})
    _publish(tmp_path, [before], [])
    _publish(tmp_path, [InstructionRecord.model_validate(edited.model_dump())], [])
    folders = sorted((tmp_path / "datasets/demo").glob("0*"))
    older, newer = (f"demo/{folder.name}" for folder in folders)

    edit = run_warm("datasets", "diff", older, newer, outputs=tmp_path)
    back = run_warm("datasets", "diff", newer, older, outputs=tmp_path)

    assert "(edited by a reader)" in edit.stderr
    assert "(an edit taken back)" in back.stderr
