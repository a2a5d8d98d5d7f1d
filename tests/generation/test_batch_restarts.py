"""Processes that end at any moment: what was submitted is picked up and never paid for twice."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from pipeline.generation.batch.life import LostBatchError
from pipeline.generation.batch.teacher import BatchTeacher
from pipeline.generation.budget.budget import Budget
from pipeline.generation.journal.journal import Journal, PendingBatch
from pipeline.generation.teacher.client import Teacher
from pipeline.generation.teacher.endings import TeacherRefusedError
from schemas.errors import UserError
from schemas.exchange import Exchange, Prompt
from tests.generation.batch_run import (
    KEY,
    MODEL,
    ask,
    ask_and_write,
    keys_of,
    make_prompts,
    make_teacher,
)
from tests.generation.batch_server import (
    BatchFate,
    BatchServer,
    LineFate,
    Mishap,
    Script,
    serve_batches,
)

FOR_EVER = BatchFate(polls=-1)


@pytest.fixture
def journal(tmp_path: Path) -> Generator[Journal]:
    with Journal(tmp_path / "j.sqlite") as journal:
        yield journal


class MortalTeacher(BatchTeacher):
    """One whose process can die: nothing is written or awaited any more."""

    async def drop_connections(self) -> None:
        """Do what the kernel does for a dead process."""
        await self._api.close()


async def start_and_die(
    server: BatchServer, journal: Journal, prompts: list[Prompt], moment: threading.Event
) -> None:
    """Ask until the moment comes, then stop everything as a dying process does."""
    teacher = MortalTeacher(
        server.base_url, MODEL, KEY, journal=journal, poll_s=0.005, gather_s=0.02
    )
    for prompt in prompts:
        asyncio.create_task(teacher.complete(prompt, Budget()))  # noqa: RUF006 - all_tasks has it
    assert await asyncio.to_thread(moment.wait, 10)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await teacher.drop_connections()


def hang_at(name: str, mishap: Mishap, moment: threading.Event) -> Script:
    """Never answer the first request of a kind, and tell when it has come."""

    def script(asked: str, number: int) -> Mishap | None:
        if asked != name or moment.is_set():
            return None
        moment.set()
        return mishap

    return script


BEFORE, AFTER = Mishap(hangs_before=True), Mishap(hangs_after=True)


@pytest.mark.parametrize(
    ("name", "mishap"),
    [
        pytest.param("POST /v1/files", AFTER, id="uploaded"),
        pytest.param("POST /v1/batches", BEFORE, id="not created yet"),
        pytest.param("POST /v1/batches", AFTER, id="created, and the reply lost"),
        pytest.param("GET /v1/batches/{id}", BEFORE, id="waiting"),
        pytest.param("GET /v1/files/{id}/content", BEFORE, id="reading"),
    ],
)
async def test_restart_at_any_request_pays_for_no_prompt_twice(
    journal: Journal, name: str, mishap: Mishap
) -> None:
    prompts = make_prompts(4)
    moment = threading.Event()
    with serve_batches(script=hang_at(name, mishap, moment)) as server:
        await start_and_die(server, journal, prompts, moment)
        async with make_teacher(server, journal) as teacher:
            answers = await ask_and_write(teacher, journal, prompts)

    assert [answer.id for answer in answers] == keys_of(prompts)
    assert dict(server.submitted) == dict.fromkeys(keys_of(prompts), 1)
    assert dict(server.paid) == dict.fromkeys(keys_of(prompts), 1)
    assert journal.read_batches() == []


async def test_batch_whose_reply_was_lost_is_found_among_others(journal: Journal) -> None:
    prompts = make_prompts(8)
    moment = threading.Event()

    def script(name: str, number: int) -> Mishap | None:
        if name != "POST /v1/batches" or number != 1:
            return None
        moment.set()
        return AFTER

    with serve_batches(script=script) as server, Journal(journal.path.parent / "other") as other:
        await start_and_die(server, journal, prompts[:2], moment)
        async with make_teacher(server, other, most_prompts=1) as teacher:
            await ask_and_write(teacher, other, prompts[2:])  # six newer ones, two a page
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, prompts[:2])

    assert set(server.submitted.values()) == {1}


async def test_prompt_that_waits_in_a_later_batch_is_not_asked_again(journal: Journal) -> None:
    """The first batch ended without it, the process died while the second was under way."""
    moment = threading.Event()

    def plan(number: int, _size: int) -> BatchFate:
        if number == 1:
            return BatchFate("expired", lines=lambda n, _line: LineFate() if n else LineFate(0))
        moment.set()
        return BatchFate(polls=6)

    prompts = make_prompts(3)
    with serve_batches(plan) as server:
        await start_and_die(server, journal, prompts, moment)
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, prompts)

    assert server.batch_sizes == [3, 1]
    assert set(server.paid.values()) == {1}


async def test_answers_that_were_delivered_and_not_written_are_fetched_again(
    journal: Journal,
) -> None:
    prompts = make_prompts(3)
    with serve_batches() as server:
        async with make_teacher(server, journal) as teacher:
            answers = await ask(teacher, prompts)
        journal.put_all([Exchange(prompts[0], answers[0])])
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, prompts[1:])

    assert set(server.paid.values()) == {1}
    assert journal.read_batches() == []


async def test_batch_whose_answers_are_all_written_is_forgotten_without_asking(
    journal: Journal,
) -> None:
    prompts = make_prompts(3)
    with serve_batches() as server:
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, prompts[:2])
            journal.write_batch(PendingBatch("batch_1", MODEL, tuple(keys_of(prompts[:2]))))
        server.requests.clear()
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, prompts[2:])

    assert server.requests["GET /v1/batches/{id}"] == 2  # of the new batch
    assert journal.read_batches() == []


async def test_answers_wait_until_somebody_asks(journal: Journal) -> None:
    prompts = make_prompts(4)
    moment = threading.Event()
    script = hang_at("GET /v1/batches/{id}", BEFORE, moment)
    with serve_batches(script=script) as server:
        await start_and_die(server, journal, prompts, moment)
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, prompts[:1])
            await ask_and_write(teacher, journal, prompts[1:])

    assert server.batch_sizes == [4]
    assert journal.read_batches() == []


async def test_closing_leaves_the_batch_running_and_says_so(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    prompts = make_prompts(3)
    budget = Budget()
    with serve_batches(lambda _number, _size: FOR_EVER) as server:
        async with make_teacher(server, journal) as teacher:
            asking = asyncio.create_task(ask(teacher, prompts, budget))
            while not server.requests["GET /v1/batches/{id}"]:
                await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        assert "still running at the endpoint: batch_1. The same command" in caplog.text
        assert [batch.id for batch in journal.read_batches()] == ["batch_1"]
        # Its answers may still be billed, so the worst case stays counted.
        assert budget.spent.completion_tokens == 3 * 50

        server.release = True
        later = Budget()
        async with make_teacher(server, journal) as teacher:
            await ask(teacher, prompts, later)

    assert server.requests["POST /v1/batches/{id}/cancel"] == 0
    assert set(server.paid.values()) == {1}
    assert later.requests_sent == 0
    assert KEY not in caplog.text


async def test_refusal_of_an_earlier_run_is_asked_again_by_the_next(journal: Journal) -> None:
    def plan(number: int, _size: int) -> BatchFate:
        refused = LineFate(401, "no credit")
        half = BatchFate(lines=lambda n, _line: refused if n else LineFate())
        return half if number == 1 else BatchFate()

    prompts = make_prompts(3)
    with serve_batches(plan) as server:
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(TeacherRefusedError):
                await ask(teacher, prompts)
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, prompts)

    assert server.batch_sizes == [3, 2]
    assert set(server.paid.values()) == {1}


async def test_batch_refused_while_nobody_watched_is_submitted_again(journal: Journal) -> None:
    moment = threading.Event()
    errors = ({"code": "token_limit_exceeded", "message": "full"},)

    def plan(number: int, _size: int) -> BatchFate:
        return BatchFate("failed", errors=errors) if number == 1 else BatchFate()

    script = hang_at("GET /v1/batches/{id}", BEFORE, moment)
    with serve_batches(plan, script) as server:
        await start_and_die(server, journal, make_prompts(2), moment)
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, make_prompts(2))

    assert server.batch_sizes == [2, 2]
    assert journal.read_batches() == []


@pytest.mark.parametrize("has_answer_files", [True, False], ids=["batch", "file"])
async def test_batch_unknown_to_the_endpoint_is_not_paid_again_unasked(
    journal: Journal, has_answer_files: bool
) -> None:
    prompts = make_prompts(2)

    def script(name: str, _number: int) -> Mishap | None:
        is_gone = name == "GET /v1/files/{id}/content" and not has_answer_files
        return Mishap(status=404, body='{"error": {"message": "gone"}}') if is_gone else None

    with serve_batches(script=script) as server:
        if has_answer_files:
            journal.write_batch(PendingBatch("batch_7", MODEL, tuple(keys_of(prompts))))
        async with make_teacher(server, journal) as teacher:
            with pytest.raises(LostBatchError, match=r"does not know .*transport live") as caught:
                await ask(teacher, prompts)

    assert isinstance(caught.value, UserError)
    assert max(server.submitted.values(), default=0) <= 1
    assert len(journal.read_batches()) == 1


async def test_lost_batch_holds_up_no_other_prompt(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    lost, *others = make_prompts(3)
    journal.write_batch(PendingBatch("batch_7", MODEL, tuple(keys_of([lost]))))
    with serve_batches() as server:
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, others)
            for _ in range(2):
                with pytest.raises(LostBatchError, match=r"batch_7 .*transport live"):
                    await ask(teacher, [lost])

        # What transport live does: from then on the batch is forgotten.
        async with Teacher(server.base_url, MODEL, KEY, concurrency=1) as live:
            journal.put_all([Exchange(lost, await live.complete(lost, Budget()))])
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, others)

    assert "does not know batch batch_7 any more" in caplog.text
    assert keys_of([lost])[0] not in server.submitted
    assert journal.read_batches() == []


async def test_batches_of_another_model_are_left_alone(journal: Journal) -> None:
    foreign = PendingBatch("batch_7", "another", ("k",))
    journal.write_batch(foreign)
    with serve_batches() as server:
        async with make_teacher(server, journal) as teacher:
            await ask_and_write(teacher, journal, make_prompts(2))

    assert journal.read_batches() == [foreign]


CHILD = """
import asyncio, sys
from pathlib import Path
from pipeline.generation.batch.teacher import BatchTeacher
from pipeline.generation.journal.journal import Journal
from tests.generation.batch_run import KEY, MODEL, ask, make_prompts

async def run():
    with Journal(Path(sys.argv[1])) as journal:
        teacher = BatchTeacher(sys.argv[2], MODEL, KEY, journal=journal, gather_s=0.02)
        await ask(teacher, make_prompts(4))

asyncio.run(run())
"""


async def test_process_killed_between_creation_and_its_reply_pays_once(tmp_path: Path) -> None:
    child: list[subprocess.Popen[bytes]] = []

    def plan(number: int, _size: int) -> BatchFate:
        if number == 1:
            os.kill(child[0].pid, signal.SIGKILL)
        return BatchFate()

    path = tmp_path / "j.sqlite"
    with serve_batches(plan) as server:
        command = [sys.executable, "-c", CHILD, str(path), server.base_url]
        child.append(subprocess.Popen(command))
        assert await asyncio.to_thread(child[0].wait, 60) == -signal.SIGKILL
        with Journal(path) as journal:
            assert journal.read_batches()[0].id.startswith("intent:")
            async with make_teacher(server, journal) as teacher:
                await ask_and_write(teacher, journal, make_prompts(4))

    assert server.batch_sizes == [4]
    assert set(server.paid.values()) == {1}
    assert KEY.encode() not in path.read_bytes()
