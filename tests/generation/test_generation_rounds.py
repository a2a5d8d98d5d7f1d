"""The round loop against a real local endpoint: determinism, quotas, caps, interrupts."""

import asyncio
import random
import threading
from pathlib import Path

import pytest

from pipeline.generation.dispatch import Endpoint
from pipeline.generation.journal.journal import Journal
from pipeline.generation.rounds import Generation, Task
from pipeline.generation.sampling import SeedPoolError
from pipeline.generation.teacher.client import Teacher
from schemas.records import Draft, InstructionRecord, Language, Rejection
from tests.generation.scripted_run import (
    KEY,
    MODEL,
    Made,
    admit_whole,
    generate,
    make_config,
    make_seed,
    make_seeds,
    run,
    to_bytes,
)
from tests.generation.scripted_server import Asked, Trick, serve


def never_connect() -> Endpoint:
    raise AssertionError("a run whose answers are all in the journal needs no teacher")


def drop(_draft: Draft) -> None:
    """Keep nothing."""


def delay_at_random(_number: int, asked: Asked) -> Trick:
    # Not the question's own hash: the same prompt must be late in one run and early in another.
    return Trick(answer=True, delay_s=random.uniform(0, 0.03))  # noqa: S311


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Made:
    with serve() as server:
        return generate(tmp_path_factory.mktemp("u") / "j.sqlite", server.base_url, make_config())


@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_records_are_the_same_at_any_concurrency_and_order_of_arrival(
    concurrency: int, tmp_path: Path, undisturbed: Made
) -> None:
    config = make_config(concurrency=concurrency)

    with serve(delay_at_random) as server:
        result = generate(tmp_path / "j.sqlite", server.base_url, config)

    # The journals differ in latencies only; drafts and records carry none.
    assert to_bytes(result) == to_bytes(undisturbed)


def test_quotas_are_filled_in_both_languages(undisturbed: Made) -> None:
    kept = dict.fromkeys(("en", "ko"), 0)
    for record in undisturbed.admitted:
        kept[record.language] += 1

    assert kept["en"] >= 20
    assert kept["ko"] >= 12
    assert undisturbed.result.stopped_because == "quotas-filled"
    assert undisturbed.result.rounds[-1].kept == kept


def test_every_draft_is_admitted_or_counted_with_its_reason(undisturbed: Made) -> None:
    rounds = undisturbed.result.rounds
    for report in rounds:
        assert report.draft_count == report.admitted_count + sum(report.rejected.values())
    assert sum(report.draft_count for report in rounds) == len(undisturbed.drafts)
    assert sum(report.admitted_count for report in rounds) == len(undisturbed.admitted)


def test_finished_run_repeated_needs_no_teacher(tmp_path: Path, undisturbed: Made) -> None:
    with serve() as server:
        generate(tmp_path / "j.sqlite", server.base_url, make_config())
    before = set(threading.enumerate())

    with Journal(tmp_path / "j.sqlite") as journal:
        again = run(journal, never_connect, make_config())

    assert to_bytes(again) == to_bytes(undisturbed)
    assert again.result.teacher_requests == 0
    assert set(threading.enumerate()) <= before


def test_another_random_seed_asks_other_questions(tmp_path: Path) -> None:
    with serve() as server:
        generate(tmp_path / "j.sqlite", server.base_url, make_config(random_seed=1))
        first = set(server.questions)
        generate(tmp_path / "j.sqlite", server.base_url, make_config(random_seed=2))

    assert first.isdisjoint(server.questions[len(first) :])


def test_pool_records_become_examples_with_their_lineage(undisturbed: Made) -> None:
    # An early draft stands on three seed tasks; a draft on a pool record inherits that one's too.
    lineages = [len(draft.provenance.seed_ids) for draft in undisturbed.drafts]

    assert set(lineages[:8]) == {3}
    assert max(lineages) > 3


def test_next_round_is_asked_while_a_slow_answer_is_awaited(tmp_path: Path) -> None:
    asked_before_fold: list[int] = []
    is_next_asked = asyncio.Event()

    def hold_first(number: int, _asked: Asked) -> Trick | None:
        if number == 8:
            is_next_asked.set()
        return Trick(answer=True, held_until=is_next_asked) if number == 1 else None

    config = make_config(quota={"en": 12}, prompts_per_round=4, lag=1)
    with serve(hold_first) as server, Journal(tmp_path / "j.sqlite") as journal:

        def admit(draft: Draft) -> InstructionRecord | Rejection:
            asked_before_fold.append(len(server.asked))
            return admit_whole(draft)

        def connect() -> Endpoint:
            return Teacher(server.base_url, MODEL, KEY, concurrency=8)

        run(journal, connect, config, admit=admit)

    # Round 0 has four prompts, one of them late; round 1 was asked before round 0 folded.
    assert asked_before_fold[0] == 8


def test_cap_on_requests_is_never_exceeded_and_the_run_says_so(tmp_path: Path) -> None:
    with serve() as server:
        made = generate(tmp_path / "j.sqlite", server.base_url, make_config(max_requests=11))

    assert len(server.asked) == made.result.teacher_requests == 11
    assert made.result.stopped_because == "max-requests"
    assert "cap of 11 requests" in made.result.account
    assert len(made.drafts) == 11


def test_retries_count_against_the_cap(tmp_path: Path) -> None:
    def fail_every_second(number: int, _asked: Asked) -> Trick | None:
        return (
            Trick(status=500, body="busy", headers=(("retry-after", "0"),)) if number % 2 else None
        )

    with serve(fail_every_second) as server:
        made = generate(tmp_path / "j.sqlite", server.base_url, make_config(max_requests=11))

    assert len(server.asked) == 11
    assert made.result.stopped_because == "max-requests"


def test_language_that_brings_nothing_is_given_up_and_the_other_goes_on(tmp_path: Path) -> None:
    def admit(draft: Draft) -> InstructionRecord | Rejection:
        if draft.language == "ko":
            return Rejection(draft=draft, stage="rules", reason="not-an-answer", detail="")
        return admit_whole(draft)

    config = make_config(patience=10)
    with serve() as server, Journal(tmp_path / "j.sqlite") as journal:

        def connect() -> Endpoint:
            return Teacher(server.base_url, MODEL, KEY, concurrency=8)

        result = run(journal, connect, config, admit=admit).result

    assert result.stopped_because == "low-yield"
    assert (
        "ko: 0 of 12 (structured was given up because 0 of its latest 10 drafts were admitted, "
        "10 were rejected as not-an-answer)"
    ) in result.account
    assert result.rounds[-1].kept["en"] >= 20


def test_unparseable_answers_are_drafts_too(tmp_path: Path) -> None:
    with serve() as server:
        server.answer_text = lambda _body: "I cannot do that."
        made = generate(
            tmp_path / "j.sqlite", server.base_url, make_config(quota={"en": 5}, patience=6)
        )

    assert {draft.defect for draft in made.drafts} == {"unparseable"}
    assert {draft.output for draft in made.drafts} == {"I cannot do that."}
    assert made.result.stopped_because == "low-yield"


def test_interrupt_keeps_finished_answers_and_leaves_no_thread(tmp_path: Path) -> None:
    def answer_half(number: int, _asked: Asked) -> Trick | None:
        return None if number <= 4 else Trick(answer=True, delay_s=30)

    config = make_config(prompts_per_round=4, concurrency=4)
    before = set(threading.enumerate())
    with serve(answer_half) as server:

        def connect() -> Endpoint:
            return Teacher(server.base_url, MODEL, KEY, concurrency=4)

        def interrupt(_draft: Draft) -> InstructionRecord | Rejection:
            raise KeyboardInterrupt

        with (
            Journal(tmp_path / "j.sqlite") as journal,
            pytest.raises(KeyboardInterrupt),
            Generation(
                Task(config, MODEL, make_seeds()), journal, connect, interrupt, drop
            ) as generation,
        ):
            generation.advance()
        with Journal(tmp_path / "j.sqlite") as journal:
            assert len(journal) == 4
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("language", ["en", "ko"])
def test_quota_without_a_seed_task_names_the_language(language: Language, tmp_path: Path) -> None:
    other: Language = "ko" if language == "en" else "en"
    config = make_config(quota={language: 3})

    with (
        Journal(tmp_path / "j.sqlite") as journal,
        pytest.raises(SeedPoolError, match=f"seeds/{language}.jsonl"),
    ):
        Generation(
            Task(config, MODEL, [make_seed(other, 1)]), journal, never_connect, admit_whole, drop
        )


def test_key_is_in_no_file(tmp_path: Path) -> None:
    with serve() as server:
        server.answer_text = lambda body: f'{{"instruction": "a", "output": "{KEY}"}}'
        generate(tmp_path / "j.sqlite", server.base_url, make_config(quota={"en": 3}, patience=9))

        assert server.asked[0].authorization == f"Bearer {KEY}"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(KEY.encode() in path.read_bytes() for path in files)


def test_answers_are_reported_while_a_slow_one_is_awaited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.generation.rounds._REPORT_EVERY_S", 0.1)
    heard: list[tuple[int, str]] = []

    def slow_first(number: int, _asked: Asked) -> Trick | None:
        return Trick(answer=True, delay_s=1.0) if number == 1 else None

    with serve(slow_first) as server:
        generate(
            tmp_path / "j.sqlite",
            server.base_url,
            make_config(quota={"ko": 4}, prompts_per_round=4, lag=0),
            lambda done, total, note="": heard.append((done, note)),
        )

    before_the_fold = [note for done, note in heard if done == 0]
    assert "ko 0/4, 4 requests, 54 tokens" in before_the_fold
