"""A version is proved by its journal alone; what is missing or differs is named."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flows.engine import PlainEngine
from flows.parameters import CurateParams, GenerateParams
from flows.replay import VerificationError
from flows.settings import Settings
from flows.sources import UnverifiableError
from flows.steps.curation import curate_and_publish
from flows.steps.generation import generate_drafts
from flows.verification import Verification, verify
from pipeline.generation.journal.exchange import export_journal, import_journal
from pipeline.generation.journal.journal import JournalError
from tests.generation.scripted_server import serve

STAGES = ("schema", "duplicate")
ANSWER = '{"instruction": "Name a colour.", "input": "", "output": "Blue is a colour."}'


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """Return a folder with a version of two runs, whose teacher is gone."""
    outputs = tmp_path / "o"
    with serve() as server:
        settings = Settings.model_validate({"outputs": outputs, "base_url": server.base_url})
        for grow in (False, True):
            params = GenerateParams.model_validate(
                {
                    "name": "toy",
                    "model": "scripted",
                    "prompts_per_round": 4,
                    "quota": {"en": 4, "ko": 4},
                    "grow": grow,
                }
            )
            generate_drafts(params, settings, PlainEngine())
    curate_and_publish(
        CurateParams(name="toy", stage=STAGES, licence="other"), settings, PlainEngine()
    )
    return outputs


def prove(outputs: Path, reference: str = "toy", *files: Path) -> Verification:
    settings = Settings.model_validate({"outputs": outputs})
    return verify(reference, files, settings, PlainEngine())


def change_journal(outputs: Path, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(outputs / "journals" / "toy.sqlite")) as connection, connection:
        connection.execute(statement, values)


def any_key(outputs: Path) -> str:
    with closing(sqlite3.connect(outputs / "journals" / "toy.sqlite")) as connection:
        return connection.execute("SELECT key FROM completions ORDER BY number").fetchone()[0]


def test_version_of_several_runs_follows_from_its_journal(outputs: Path) -> None:
    journal = outputs / "journals" / "toy.sqlite"
    before = journal.read_bytes()

    proof = prove(outputs)

    assert proof.dataset.parent == outputs / "datasets" / "toy"
    assert proof.dataset.name.endswith(proof.content_hash[:12])
    assert proof.generated >= proof.kept >= 16
    assert journal.read_bytes() == before


def test_version_of_a_run_that_its_cap_ended_is_proved_too(tmp_path: Path) -> None:
    with serve() as server:
        settings = Settings.model_validate({"outputs": tmp_path, "base_url": server.base_url})
        params = GenerateParams.model_validate(
            {
                "name": "toy",
                "model": "scripted",
                "prompts_per_round": 3,
                "quota": {"en": 30},
                "max_requests": 7,
            }
        )
        made = generate_drafts(params, settings, PlainEngine())
    curate_and_publish(CurateParams(name="toy", stage=STAGES), settings, PlainEngine())

    proof = prove(tmp_path)

    assert made.stopped_because == "max-requests"
    assert proof.generated == made.generated == 7


def test_imported_journal_proves_it_as_well(outputs: Path, tmp_path: Path) -> None:
    journal = outputs / "journals" / "toy.sqlite"
    export_journal(journal, tmp_path / "e.jsonl.gz")
    journal.unlink()
    with pytest.raises(JournalError, match="wanted a journal, found nothing"):
        prove(outputs)

    import_journal(journal, tmp_path / "e.jsonl.gz")

    assert prove(outputs).kept >= 16


def test_missing_answer_is_named(outputs: Path) -> None:
    key = any_key(outputs)
    change_journal(outputs, "DELETE FROM completions WHERE key = ?", key)

    with pytest.raises(VerificationError, match=f"Answer {key} is missing"):
        prove(outputs)


def test_other_answer_to_a_prompt_is_found_at_the_first_record_that_differs(
    outputs: Path, tmp_path: Path
) -> None:
    # A journal of someone who asked the same and was answered otherwise.
    journal = outputs / "journals" / "toy.sqlite"
    export_journal(journal, tmp_path / "e.jsonl")
    lines = (tmp_path / "e.jsonl").read_text().split("\n")
    number = next(n for n, line in enumerate(lines) if any_key(outputs) in line)
    line = json.loads(lines[number])
    line["completion"]["text"] = ANSWER
    lines[number] = json.dumps(line)
    (tmp_path / "e.jsonl").write_text("\n".join(lines))
    journal.unlink()
    import_journal(journal, tmp_path / "e.jsonl")

    with pytest.raises(VerificationError, match=r"at place 0 of answer .* gives record"):
        prove(outputs)


def test_table_that_was_edited_after_publication_is_named(outputs: Path) -> None:
    table = prove(outputs).dataset / "data" / "train.parquet"
    table.write_bytes(table.read_bytes() + b"x")

    with pytest.raises(VerificationError, match=r"train\.parquet was changed after publication"):
        prove(outputs)


def test_version_made_from_a_file_cannot_be_proved(tmp_path: Path) -> None:
    settings = Settings.model_validate({"outputs": tmp_path})
    (tmp_path / "records.jsonl").write_text(
        '{"instruction": "List three fruits.", "output": "Apple, pear, plum.", "language": "en"}\n'
    )
    params = CurateParams(
        name="mine", input=tmp_path / "records.jsonl", seeds=("none",), stage=STAGES
    )
    curate_and_publish(params, settings, PlainEngine())

    with pytest.raises(UnverifiableError, match="made from a file of records"):
        prove(tmp_path, "mine")
