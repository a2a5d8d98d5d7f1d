"""Growing keeps what is there; repeating asks nothing; both against a real local endpoint."""

from pathlib import Path

from flows.engine import Engine, PlainEngine
from flows.outcomes import GenerateOutcome
from flows.parameters import GenerateParams
from flows.settings import Settings
from flows.steps.generation import generate_drafts
from pipeline.curation.config import CurationConfig
from schemas.records import Draft
from schemas.storage import read_jsonl
from tests.generation.scripted_server import ScriptedServer, serve

PLAIN = PlainEngine()
LENIENT = CurationConfig(stage=("schema", "duplicate"))


def generate(
    server: ScriptedServer, outputs: Path, engine: Engine = PLAIN, **fields: object
) -> GenerateOutcome:
    settings = Settings.model_validate({"outputs": outputs, "base_url": server.base_url})
    params = GenerateParams.model_validate(
        {"name": "toy", "model": "scripted", "prompts_per_round": 4, **fields}
    )
    return generate_drafts(params.model_copy(update={"curation": LENIENT}), settings, engine)


def read(outcome: GenerateOutcome) -> list[Draft]:
    return list(read_jsonl(outcome.drafts, Draft))


def test_growing_keeps_every_draft_and_adds_new_ones_in_both_languages(tmp_path: Path) -> None:
    with serve() as server:
        first = generate(server, tmp_path, quota={"en": 4, "ko": 4})
        before = read(first)
        second = generate(server, tmp_path, quota={"ko": 3}, grow=True)
        after = read(second)
        third = generate(server, tmp_path, quota={"ko": 3}, grow=True)

    assert after[: len(before)] == before
    assert read(third)[: len(after)] == after
    assert second.admitted["en"] == first.admitted["en"]
    assert second.admitted["ko"] >= first.admitted["ko"] + 3
    assert third.admitted["ko"] >= second.admitted["ko"] + 3
    ids = [draft.provenance.completion_id for draft in read(third)]
    assert len(set(ids)) == len(ids)


def test_growth_that_was_cut_off_asks_only_what_is_missing(tmp_path: Path) -> None:
    with serve() as server:
        generate(server, tmp_path, quota={"en": 4})
        kept = (tmp_path / "drafts" / "toy.jsonl").read_bytes()
        description = (tmp_path / "drafts" / "toy.json").read_bytes()
        grown = generate(server, tmp_path, quota={"en": 4}, grow=True)
        # As if it had been killed before its drafts were written: only the journal has grown.
        whole = grown.drafts.read_bytes()
        (tmp_path / "drafts" / "toy.jsonl").write_bytes(kept)
        (tmp_path / "drafts" / "toy.json").write_bytes(description)
        again = generate(server, tmp_path, quota={"en": 4}, grow=True)

    assert grown.teacher_requests > 0
    assert again.teacher_requests == 0
    assert again.drafts.read_bytes() == whole


def test_finished_run_repeated_asks_nothing(tmp_path: Path) -> None:
    with serve() as server:
        first = generate(server, tmp_path, quota={"ko": 5})
        drafts = first.drafts.read_bytes()
        again = generate(server, tmp_path, quota={"ko": 5})

    assert first.teacher_requests > 0
    assert again.teacher_requests == 0
    assert again.drafts.read_bytes() == drafts


def test_a_scheduled_run_that_is_restarted_adds_nothing_more(tmp_path: Path) -> None:
    class Scheduled(PlainEngine):
        run_id = "monday"

    class NextNight(PlainEngine):
        run_id = "tuesday"

    with serve() as server:
        generate(server, tmp_path, quota={"en": 4})
        grown = generate(server, tmp_path, Scheduled(), quota={"en": 4}, grow=True)
        drafts = grown.drafts.read_bytes()
        again = generate(server, tmp_path, Scheduled(), quota={"en": 4}, grow=True)
        restarted = again.drafts.read_bytes()
        after = generate(server, tmp_path, NextNight(), quota={"en": 4}, grow=True)

    assert (again.teacher_requests, restarted) == (0, drafts)
    assert after.admitted["en"] >= grown.admitted["en"] + 4
