"""Endpoints that refuse, and endpoints that do not serve the same model."""

import asyncio
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.generation.budget.budget import Budget
from pipeline.generation.teacher.answers import Failure, Fault
from pipeline.generation.teacher.endings import RawCompletionsMissingError, TeacherRefusedError
from pipeline.generation.teacher.endpoint import Miss
from pipeline.generation.teacher.endpoint_list import ListedEndpoint
from pipeline.generation.teacher.member import Member
from pipeline.generation.teacher.pool import TeacherPool
from pipeline.generation.teacher.rate_limits import Caps
from pipeline.generation.teacher.served_models import ModelsDifferError
from pipeline.generation.teacher.shares import Shares
from pipeline.generation.teacher.waiting import Clock
from pipeline.generation.teacher.watch import Watch
from schemas.exchange import Prompt
from tests.generation.scripted_server import Asked, Script, ScriptedServer, Trick, serve
from tests.generation.teacher_room import KEY, MODEL, make_prompt, make_raw_prompt, refuse


async def ask(
    servers: Iterable[ScriptedServer], prompts: Iterable[Prompt], told: list[str]
) -> None:
    listed = [ListedEndpoint(server.base_url, SecretStr(KEY)) for server in servers]
    pool = TeacherPool(listed, MODEL, concurrency=4, tell=told.append, timeout_s=20)
    try:
        await asyncio.gather(*(pool.complete(prompt, Budget()) for prompt in prompts))
    finally:
        await pool.close()


def listing(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"data": list(entries)}


async def ask_of(*models: dict[str, Any]) -> list[str]:
    """Ask servers that list these models; return the lines for people."""
    told: list[str] = []
    with ExitStack() as stack:
        servers = [stack.enter_context(serve()) for _ in models]
        for server, served in zip(servers, models, strict=True):
            server.models = served
        await ask(servers, [make_prompt(n) for n in range(8)], told)
    return told


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        pytest.param(
            listing({"id": MODEL}),
            listing({"id": "qwen3"}, {"id": "llama4"}),
            "one lists 'scripted', the other only llama4, qwen3",
            id="another name",
        ),
        pytest.param(
            listing({"id": "qwen3.gguf"}),
            listing({"id": "llama4.gguf"}),
            "one lists qwen3.gguf, the other llama4.gguf",
            id="any name is taken",
        ),
        pytest.param(
            listing({"id": MODEL, "meta": {"n_params": 1_543_714_304}}),
            listing({"id": MODEL, "meta": {"n_params": 494_032_768}}),
            "one has 1,543,714,304 parameters, the other 494,032,768",
            id="another size",
        ),
    ],
)
async def test_different_models_are_refused_before_anything_is_paid_for(
    one: dict[str, Any], other: dict[str, Any], difference: str
) -> None:
    with pytest.raises(ModelsDifferError, match=difference):
        await ask_of(one, other)


@pytest.mark.parametrize(
    ("one", "other", "doubt"),
    [
        pytest.param(
            listing({"id": MODEL, "root": "Qwen/Qwen3-8B"}),
            listing({"id": MODEL, "root": "/models/Qwen3-8B-AWQ"}),
            "one loaded 'Qwen3-8B', the other 'Qwen3-8B-AWQ'",
            id="another folder",
        ),
        pytest.param(
            listing({"id": MODEL, "max_model_len": 8192}),
            listing({"id": MODEL, "max_model_len": 32768}),
            "one takes 8,192 tokens, the other 32,768",
            id="another context",
        ),
    ],
)
async def test_what_may_be_two_models_is_told(
    one: dict[str, Any], other: dict[str, Any], doubt: str
) -> None:
    [line] = await ask_of(one, other)

    assert doubt in line


@pytest.mark.parametrize(
    "served",
    [
        pytest.param(listing({"id": MODEL, "root": "/models/Qwen3-8B/"}), id="as it should be"),
        pytest.param({"data": "?"}, id="no list"),
        pytest.param({"models": [{"name": "x"}]}, id="another shape"),
    ],
)
async def test_nothing_is_told_where_nothing_hints_at_two_models(served: dict[str, Any]) -> None:
    assert await ask_of(listing({"id": MODEL, "root": "Qwen/Qwen3-8B"}), served) == []


async def test_wrong_key_of_one_endpoint_ends_the_run_before_anything_is_paid_for() -> None:
    told: list[str] = []
    with serve() as good, serve() as strict:
        strict.key = "sk-another-key-1234567890"
        with pytest.raises(TeacherRefusedError) as caught:
            await ask([good, strict], [make_prompt()], told)

    assert strict.base_url in str(caught.value)
    assert "Check PACALOOM_ENDPOINTS" in str(caught.value)
    assert KEY not in str(caught.value)
    assert good.asked == strict.asked == []


async def test_endpoint_that_refuses_its_first_prompt_ends_the_run() -> None:
    def refuse_all(_number: int, _asked: Asked) -> Trick:
        return refuse("No such model", status=404)

    with serve() as good, serve(refuse_all) as other, pytest.raises(TeacherRefusedError):
        await ask([good, other], [make_prompt(n) for n in range(8)], [])


async def test_endpoint_that_refuses_later_is_left_out_and_told_of() -> None:
    told: list[str] = []
    with serve() as good, serve(_refuse_from(4)) as other:
        await ask([good, other], [make_prompt(n) for n in range(60)], told)

    [line] = told
    assert f"Endpoint {other.base_url} refuses: HTTP 401: Key is revoked" in line
    assert "left out for the rest of the run; 1 of 2 endpoints go on" in line
    assert len({*good.questions, *other.questions}) == 60


async def test_endpoint_that_is_left_out_while_it_is_set_aside_does_not_come_back() -> None:
    told: list[str] = []
    over = asyncio.Event()

    async def wait(_seconds: float) -> None:
        await over.wait()

    clock = Clock(sleep=wait)
    with serve() as good, serve() as other:
        members = [
            Member(
                ListedEndpoint(server.base_url, SecretStr(KEY)), MODEL, concurrency=4, caps=Caps(),
                timeout_s=20, clock=clock,
            )
            for server in (good, other)
        ]  # fmt: skip
        watch = Watch(members, Shares(members, 4, clock), MODEL, told.append, clock)
        for member in members:
            watch.note_answer(member, make_prompt())

        watch.note_miss(members[1], Miss(Failure(Fault.UNREACHABLE, "gone"), 0.0))
        # Of a request that was sent before.
        watch.note_miss(members[1], Miss(Failure(Fault.NO_CREDIT, "no credit"), 0.0))
        over.set()
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)
        await asyncio.gather(*(member.endpoint.close() for member in members))

    assert (members[1].is_open, members[1].is_out) == (False, True)
    assert "left out for the rest of the run" in told[-1]


async def test_run_ends_when_all_refuse_later() -> None:
    prompts = [make_prompt(n) for n in range(60)]
    with (
        serve(_refuse_from(4)) as one,
        serve(_refuse_from(4)) as other,
        pytest.raises(TeacherRefusedError, match="all refuse") as caught,
    ):
        await ask([one, other], prompts, [])

    assert one.base_url in str(caught.value)
    assert other.base_url in str(caught.value)


async def test_endpoint_without_raw_completions_ends_a_run_that_needs_them() -> None:
    def refuse_raw(_number: int, asked: Asked) -> Trick | None:
        return refuse("Not found", status=404) if asked.path == "/v1/completions" else None

    with serve() as good, serve(refuse_raw) as other:
        prompts = [make_raw_prompt(f"<|user|>{n}\n") for n in range(8)]
        with pytest.raises(RawCompletionsMissingError, match=other.base_url):
            await ask([good, other], prompts, [])


async def test_each_endpoint_is_spoken_to_in_its_own_dialect() -> None:
    def knows_no_seed(_number: int, asked: Asked) -> Trick | None:
        if "seed" in asked.body:
            return refuse("Unknown parameter: 'seed'", param="seed")
        return None

    with serve() as modern, serve(knows_no_seed) as old:
        await ask([modern, old], [make_prompt(n) for n in range(30)], [])

    assert all("seed" in asked.body for asked in modern.asked)
    assert sum("seed" not in asked.body for asked in old.asked) > 5


def _refuse_from(first: int) -> Script:
    def play(number: int, _asked: Asked) -> Trick | None:
        return refuse("Key is revoked", status=401) if number >= first else None

    return play
