"""Generation from the command line: mixtures, budgets, pilots, documents, and their mistakes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Finished, run_warm
from tests.generation.scripted_server import ScriptedServer, serve

DOCUMENT = (
    '{"id": "a", "title": "How long do eggs keep?", "answer": "Three weeks when chilled.", '
    '"licence": "cc0-1.0"}\n'
)


def generate(server: ScriptedServer, outputs: Path, *arguments: str) -> Finished:
    return run_warm(
        "generate", "--name", "n", "--model", "m", *arguments,
        outputs=outputs, OPENAI_BASE_URL=server.base_url,
    )  # fmt: skip


def read_outcome(done: Finished) -> dict[str, Any]:
    assert done.status == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def last_line(done: Finished) -> str:
    assert done.stdout == ""
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mix", "alpaca"], "--mix: wanted STRATEGY=WEIGHT, found 'alpaca'"),
        (["--mix", "foo=1"], "mix.foo: Input should be 'structured', 'alpaca'"),
        (["--mix", "alpaca=much"], "mix.alpaca: Input should be a valid number"),
        (["--mix", "alpaca=0"], "mix.alpaca: Input should be greater than 0"),
        (["--mix", "koalpaca_documents=1"], "add --documents FILE.jsonl"),
        (["--documents", "bare.jsonl"], "bare.jsonl:2: licence"),
        (["--documents", "nowhere.jsonl"], "nowhere.jsonl"),
        (["--max-usd", "1"], "--price.input and --price.output"),
        (["--price.input", "1"], "price.output: Field required"),
    ],
)
def test_mistake_is_one_line_and_asks_nothing(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    bare = '{"id": "b", "title": "Why?", "answer": "Because."}\n'
    (tmp_path / "bare.jsonl").write_text(DOCUMENT + bare, "utf-8")
    with serve() as server:
        done = run_warm(
            "generate", "--model", "m", *arguments,
            outputs=tmp_path / "o", cwd=tmp_path, OPENAI_BASE_URL=server.base_url,
        )  # fmt: skip

    assert done.status == 2
    assert words in last_line(done)
    assert server.asked == []
    assert not (tmp_path / "o" / "journals").exists()


def test_cap_with_no_room_for_one_request_says_which_would_do(tmp_path: Path) -> None:
    with serve() as server:
        done = generate(server, tmp_path, "--quota", "en=2", "--max-tokens", "100")

    assert done.status == 2
    assert "Set max_tokens to at least" in last_line(done)
    assert server.asked == []


def test_capped_run_keeps_what_it_has_goes_on_when_raised_and_is_proved(tmp_path: Path) -> None:
    wanted = ("--quota", "en=8", "--quota", "ko=4")
    with serve() as server:
        capped = read_outcome(generate(server, tmp_path, *wanted, "--max-requests", "7"))
        again = read_outcome(generate(server, tmp_path, *wanted, "--max-requests", "7"))
        curated = run_warm("curate", "--name", "n", outputs=tmp_path)
        version = json.loads(curated.stdout)["content_hash"][:12]
        proof = run_warm("journal", "verify", "n", outputs=tmp_path)
        whole = read_outcome(generate(server, tmp_path, *wanted, "--max-requests", "70"))
        proof_of_old = run_warm("journal", "verify", "n/0001-" + version, outputs=tmp_path)

    assert capped["teacher_requests"] == capped["generated"] == 7
    assert capped["stopped_because"] == "max-requests"
    assert (again["generated"], again["teacher_requests"]) == (7, 0)
    assert proof.status == 0, proof.stderr
    assert proof_of_old.status == 0, proof_of_old.stderr
    assert whole["stopped_because"] == "quotas-filled"
    assert len(set(server.questions)) == len(server.questions) == 7 + whole["teacher_requests"]


def test_pilot_foretells_and_the_same_run_without_it_goes_on(tmp_path: Path) -> None:
    wanted = ("--quota", "en=30", "--price.input", "1000", "--price.output", "2000")
    with serve() as server:
        pilot = generate(server, tmp_path, *wanted, "--pilot-only")
        asked = len(server.asked)
        whole = generate(server, tmp_path, *wanted)

    assert read_outcome(pilot)["stopped_because"] == "pilot-done"
    assert asked < 30
    assert "Forecast from " in pilot.stderr
    assert "US dollars: " in pilot.stderr
    assert read_outcome(whole)["stopped_because"] == "quotas-filled"
    assert "against actual" in whole.stderr
    assert len(set(server.questions)) == len(server.questions)
    # 11 tokens of prompt and 7 of answer a request, at these prices.
    assert (
        f"US dollars: {len(server.asked) * (11_000 + 14_000) / 1e6:.2f}, foretold" in whole.stderr
    )


def test_mixture_asks_each_strategy_and_records_name_their_source(tmp_path: Path) -> None:
    (tmp_path / "documents.jsonl").write_text(DOCUMENT, "utf-8")
    with serve() as server:
        done = generate(
            server, tmp_path / "o", "--quota", "en=6", "--mix", "structured=2", "--mix", "topics=2",
            "--mix", "koalpaca_documents=1", "--documents", str(tmp_path / "documents.jsonl"),
        )  # fmt: skip

    drafts = Path(read_outcome(done)["drafts"]).read_text("utf-8").splitlines()
    origins = [json.loads(draft)["provenance"] for draft in drafts]
    by_strategy = {origin["strategy"]: origin for origin in origins}
    assert set(by_strategy) == {"structured", "topics", "koalpaca_documents"}
    assert by_strategy["koalpaca_documents"]["derived_from"] == "a"
    assert by_strategy["koalpaca_documents"]["source_licence"] == "cc0-1.0"


def test_endpoint_that_answers_in_the_wrong_language_is_given_up_by_name(tmp_path: Path) -> None:
    def write_english(body: dict[str, Any]) -> str:
        number = len(server.asked)
        task = {"instruction": f"Describe harbour number {number} in detail.", "input": ""}
        return json.dumps(task | {"output": f"Harbour {number} is old and busy, with cranes."})

    with serve() as server:
        server.answer_text = write_english
        done = generate(server, tmp_path, "--quota", "ko=5", "--patience", "6")

    assert read_outcome(done)["stopped_because"] == "low-yield"
    assert "6 were rejected as wrong-language-instruction" in done.stderr


def test_endpoint_without_batches_is_told_so(tmp_path: Path) -> None:
    with serve() as server:
        done = generate(server, tmp_path, "--quota", "en=2", "--transport", "batch")

    assert done.status == 2
    assert "no Batch API" in last_line(done)


def test_growth_goes_on_from_a_pilot_and_from_drafts_whose_manifest_was_lost(
    tmp_path: Path,
) -> None:
    grow = ("--grow", "--quota", "en=30")
    manifest = tmp_path / "drafts" / "n.json"
    with serve() as server:
        generate(server, tmp_path, *grow, "--pilot-only")
        first = read_outcome(generate(server, tmp_path, *grow))
        before = manifest.read_bytes()
        second = read_outcome(generate(server, tmp_path, *grow))
        # As if the second run had been killed between its drafts and their manifest.
        manifest.write_bytes(before)
        again = read_outcome(generate(server, tmp_path, *grow))

    assert 30 <= first["admitted"]["en"] < 60 <= second["admitted"]["en"]
    assert again == second | {"teacher_requests": 0}
    assert len(Path(again["drafts"]).read_bytes().splitlines()) == again["generated"]
