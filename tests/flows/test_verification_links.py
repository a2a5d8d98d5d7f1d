"""Each link of a version that a teacher wrote is proved, and the first broken one is named."""

import json
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.engine import PlainEngine
from flows.parameters import CurateParams, GenerateParams
from flows.paths import reviews_path
from flows.proof import Proof, prove
from flows.settings import ROOT, Settings
from flows.steps.curation import curate_and_publish
from flows.steps.generation import generate_drafts
from pipeline.publishing.publish import publish
from pipeline.publishing.tables import read_records
from pipeline.publishing.versions import latest_version
from schemas.manifest import ReviewReport
from schemas.review import ReviewDecision, ReviewedText
from schemas.storage import write_jsonl
from tests.generation.scripted_server import serve
from tests.publishing.test_versions_together import make_publication

LINKS = ("files", "tables", "record → answer", "answer → prompt", "prompt → seed tasks", "replay")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a version, made from seed tasks of the user's own."""
    outputs = tmp_path_factory.mktemp("made") / "o"
    outputs.mkdir()
    shutil.copy(ROOT / "seeds" / "en.jsonl", outputs / "mine.jsonl")
    with serve() as server:
        settings = Settings.model_validate({"outputs": outputs, "base_url": server.base_url})
        params = GenerateParams(
            name="toy", model="scripted", quota={"en": 6}, seeds=(str(outputs / "mine.jsonl"),)
        )
        generate_drafts(params, settings, PlainEngine())
    curate_and_publish(CurateParams(name="toy", stage=("duplicate",)), settings, PlainEngine())
    return outputs


@pytest.fixture
def outputs(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "o"))


def prove_toy(outputs: Path, files: Sequence[Path] = ()) -> Proof:
    return prove("toy", files, Settings.model_validate({"outputs": outputs}), PlainEngine())


def change_journal(outputs: Path, statement: str) -> None:
    with closing(sqlite3.connect(outputs / "journals" / "toy.sqlite")) as connection, connection:
        connection.execute(statement)


def read_states(proof: Proof) -> list[str]:
    assert tuple(link.name for link in proof.links) == LINKS
    return [link.state for link in proof.links]


def test_every_link_of_a_whole_version_is_proven(outputs: Path) -> None:
    assert read_states(prove_toy(outputs)) == ["proven"] * 6


def test_missing_answer_breaks_the_link_to_it(outputs: Path) -> None:
    change_journal(outputs, "DELETE FROM completions WHERE number % 2 = 1")

    proof = prove_toy(outputs)

    broken = ["proven", "proven", "broken", "not asked", "not asked", "not asked"]
    assert read_states(proof) == broken
    assert proof.first_break is not None
    assert "which is not in" in proof.first_break.detail


def test_prompt_that_was_changed_breaks_the_link_to_it(outputs: Path) -> None:
    change_journal(
        outputs, "UPDATE completions SET prompt = replace(prompt, 'example', 'instance')"
    )

    proof = prove_toy(outputs)

    assert read_states(proof)[2:] == ["proven", "broken", "not asked", "not asked"]
    assert proof.first_break is not None
    assert "the prompt does not fit its key" in proof.first_break.detail


def test_answer_that_was_forged_is_found_by_the_replay(outputs: Path) -> None:
    # The same length and checksum cannot be had by chance, so the forger makes a new journal.
    from pipeline.generation.journal.exchange import export_journal, import_journal

    journal = outputs / "journals" / "toy.sqlite"
    export_journal(journal, outputs / "e.jsonl")
    lines = [json.loads(line) for line in (outputs / "e.jsonl").read_text().splitlines()]
    answer = {"instruction": "Name a colour.", "input": "", "output": "Blue is a colour."}
    lines[1]["completion"]["text"] = json.dumps(answer)
    (outputs / "e.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    journal.unlink()
    import_journal(journal, outputs / "e.jsonl")

    proof = prove_toy(outputs)

    assert read_states(proof) == ["proven", "proven", "not here", "proven", "proven", "broken"]
    assert "1 have words that their answers have not" in proof.links[2].detail
    assert proof.first_break is not None
    assert "does not follow from the journal: at place 0" in proof.first_break.detail


def test_without_the_journal_nothing_is_wrong(outputs: Path) -> None:
    (outputs / "journals" / "toy.sqlite").unlink()

    assert read_states(prove_toy(outputs)) == ["proven", "proven", *["not here"] * 4]


def test_seed_file_that_is_elsewhere_can_be_given(outputs: Path, tmp_path: Path) -> None:
    drafts = outputs / "drafts" / "toy.json"
    drafts.write_text(drafts.read_text().replace("mine.jsonl", "gone.jsonl"))
    moved = (outputs / "mine.jsonl").rename(tmp_path / "moved.jsonl")

    assert read_states(prove_toy(outputs))[4:] == ["not here", "not here"]
    assert read_states(prove_toy(outputs, [moved])) == ["proven"] * 6


def test_version_that_a_reader_has_edited_is_proven_too(outputs: Path) -> None:
    settings = Settings.model_validate({"outputs": outputs})
    first = read_records(latest_version(outputs / "datasets", "toy"))
    edited = ReviewedText(instruction=first[0].instruction, output="A reader wrote this.")
    edit = ReviewDecision(
        record=first[0].id,
        verdict="edit",
        edited=edited,
        author="김서연",
        time=datetime(2026, 1, 2, tzinfo=UTC),
        dataset="toy/1",
    )
    rejection = edit.model_copy(update={"record": first[1].id, "verdict": "reject", "edited": None})
    write_jsonl(reviews_path(outputs, "toy"), [edit, rejection])
    params = CurateParams(name="toy", stage=("duplicate", "review"))
    outcome = curate_and_publish(params, settings, PlainEngine())

    proof = prove_toy(outputs)

    assert outcome.kept == len(first) - 1
    assert proof.folder == outcome.dataset
    assert {link.name: link.state for link in proof.links} == dict.fromkeys(
        (*LINKS, "review"), "proven"
    )


def test_edit_that_no_reader_made_is_named(tmp_path: Path) -> None:
    report = ReviewReport(accepted=0, edited=1, rejected=0, restored=0, unused=0)
    plain = make_publication(5)
    origin = plain.kept[0].provenance.model_copy(update={"edited": True})
    kept = [plain.kept[0].model_copy(update={"provenance": origin}), *plain.kept[1:]]
    text = ReviewedText(instruction=kept[0].instruction, output=kept[0].output)
    decision = ReviewDecision(
        record="0" * 16,
        verdict="edit",
        edited=text,
        author="김서연",
        time=datetime(2026, 1, 2, tzinfo=UTC),
        dataset="toy/1",
    )
    made = plain._replace(kept=kept, review=report, decisions=[decision])
    other = decision.model_copy(update={"edited": text.model_copy(update={"output": "감"})})
    settings = Settings.model_validate({"outputs": tmp_path})

    right = publish(made, tmp_path / "right")
    wrong = publish(made._replace(decisions=[other]), tmp_path / "wrong")

    assert prove(str(right), (), settings, PlainEngine()).first_break is None
    broken = prove(str(wrong), (), settings, PlainEngine()).first_break
    assert broken is not None
    assert (broken.name, broken.state) == ("review", "broken")
    assert f"no decision has edited a text into record {kept[0].id}" in broken.detail
