"""Statistics of a journal, worked out by hand."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from pipeline.generation.budget.caps import Spending
from pipeline.generation.journal.journal import Journal, PendingBatch
from pipeline.generation.journal.statistics import Tally, read_statistics
from schemas.exchange import Completion, Exchange, Usage
from tests.generation.journal_making import exchanges, make_exchange


def make_answer(model: str, finish_reason: str, latency_s: float, attempts: int) -> Completion:
    return Completion(
        id="",
        model=model,
        text="x",
        finish_reason=finish_reason,
        usage=Usage(prompt_tokens=100, completion_tokens=10),
        latency_s=latency_s,
        attempts=attempts,
    )


def test_answers_are_counted_by_what_they_are(tmp_path: Path) -> None:
    times = iter([0.0, 86_400.0])
    small = make_exchange(1, completion=make_answer("small", "stop", 4.0, 1))
    english = small.prompt.model_copy(
        update={"language": "en", "strategy": "evolve", "sample_index": 7}
    )
    answer = make_answer("big", "length", 2.0, 3).model_copy(update={"id": english.key("big")})
    with Journal(tmp_path / "j.sqlite", clock=lambda: next(times)) as journal:
        journal.put_all(
            [small, make_exchange(2, completion=make_answer("big", "stop", 1.0, 1))],
            {"a": Spending(usd=0.5), "b": Spending(usd=0.25)},
        )
        journal.put_all([Exchange(english, answer)])
        journal.write_batch(PendingBatch("b1", "big", ("k",)))

    found = read_statistics(tmp_path / "j.sqlite")

    one = Tally(answers=1, requests=1, prompt_tokens=100, completion_tokens=10)
    retried = one.model_copy(update={"requests": 3})
    assert found.total == Tally(answers=3, requests=5, prompt_tokens=300, completion_tokens=30)
    assert found.by_model["small"] == one
    assert found.by_model["big"] == Tally(
        answers=2, requests=4, prompt_tokens=200, completion_tokens=20
    )
    assert found.by_strategy["evolve"] == retried
    assert found.by_language["en"] == retried
    assert found.by_language["ko"].answers == 2
    assert found.finish_reasons == {"stop": 2, "length": 1}
    assert found.attempts == {1: 2, 3: 1}
    # Nearest rank of 1, 2, 4: the second and the third.
    assert (found.latency_p50_s, found.latency_p95_s) == (2.0, 4.0)
    assert found.first_arrival == "1970-01-01T00:00:00Z"
    assert found.last_arrival == "1970-01-02T00:00:00Z"
    assert (found.runs, found.spent_usd, found.pending_batches) == (2, 0.75, 1)
    assert found.bytes == (tmp_path / "j.sqlite").stat().st_size


def test_empty_journal_has_numbers_too(tmp_path: Path) -> None:
    Journal(tmp_path / "j.sqlite").close()

    found = read_statistics(tmp_path / "j.sqlite")

    assert found.total == Tally()
    assert found.by_model == {}
    assert found.latency_p95_s is None
    assert found.first_arrival is None


@settings(max_examples=15, deadline=None)
@given(made=exchanges)
def test_every_breakdown_adds_up_to_the_whole(made: list[Exchange]) -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / "j.sqlite"
        with Journal(path) as journal:
            journal.put_all(made)

        found = read_statistics(path)

        for tallies in (found.by_model, found.by_strategy, found.by_language):
            assert sum(tally.answers for tally in tallies.values()) == len(made)
            assert sum(tally.prompt_tokens for tally in tallies.values()) == sum(
                exchange.completion.usage.prompt_tokens for exchange in made
            )
        assert sum(found.finish_reasons.values()) == len(made)
        latencies = sorted(exchange.completion.latency_s for exchange in made)
        if made:
            assert found.latency_p95_s == pytest.approx(latencies[-1])  # of at most six
