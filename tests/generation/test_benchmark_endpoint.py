"""The endpoint of the benchmarks: what it injects, bills and counts is what clients meet."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.endpoint import RunningEndpoint, serving
from benchmarks.scripted.connection import Behaviour
from benchmarks.scripted.faults import Fault, FaultPlan
from benchmarks.scripted.question import (
    Asked,
    Turn,
    name_prompt,
    name_question,
    read_request,
)
from benchmarks.scripted.replies import write_reply
from pipeline.generation.budget.budget import Budget
from pipeline.generation.strategies.reading.loose_json import find_records
from pipeline.generation.strategies.reading.numbered_list import find_tasks
from pipeline.generation.teacher.client import Teacher
from pipeline.generation.teacher.waiting import Clock
from schemas.exchange import Decoding, Message, Prompt

ROOT = Path(__file__).resolve().parents[2]
STORM = FaultPlan(dict.fromkeys(Fault, 1 / 24), faulty_attempts=1)
Body = dict[str, object]


@pytest.fixture(scope="module")
def endpoint() -> Generator[RunningEndpoint]:
    """Every other first request meets some fault, as its question decides."""
    with serving(Behaviour(latency_s=0.001, faults=STORM)) as running:
        yield running


def make_body(seed: int = 0, content: str = "New task.", max_tokens: int = 400) -> Body:
    messages = [{"role": "user", "content": content}]
    return {"model": "m", "messages": messages, "seed": seed, "max_tokens": max_tokens}


def make_raw_body(seed: int) -> Body:
    return {"model": "m", "prompt": "<|user|>\n", "seed": seed}


def read(body: Body) -> Asked:
    return read_request(json.dumps(body).encode())


def find_body(fault: Fault | None, make: Callable[[int], Body] = make_body) -> Body:
    """Look for a question that meets the fault when it is first asked."""
    bodies = map(make, itertools.count())
    return next(body for body in bodies if STORM.find(read(body).question, 1) == fault)


def ask(endpoint: RunningEndpoint, body: Body, path: str = "/chat/completions") -> httpx2.Response:
    with httpx2.Client(trust_env=False, timeout=10) as client:
        return client.post(endpoint.base_url + path, json=body)


async def sleep_briefly(_seconds: float) -> None:
    await asyncio.sleep(0)


def test_same_question_gets_the_same_answer_and_another_another() -> None:
    first, again, other = (write_reply(read(make_body(seed))).text for seed in (1, 1, 2))

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("content", "language"),
    [
        pytest.param("New task. Kind: code.", "en", id="english"),
        pytest.param("새 과제. 종류: 코드.", "ko", id="korean"),
    ],
)
def test_answer_is_one_record_in_the_language_of_the_prompt(content: str, language: str) -> None:
    reply = write_reply(read(make_body(content=content)))

    [record] = find_records(reply.text)

    is_korean = any("가" <= character <= "힣" for character in record.instruction)
    assert is_korean == (language == "ko")
    assert record.output


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param("Continue the list with tasks 4 to 20, in the same form.", id="english"),
        pytest.param("4번부터 20번까지 같은 형식으로 목록을 이어서 써 주세요.", id="korean"),
    ],
)
def test_list_is_continued_up_to_its_twentieth_task(wish: str) -> None:
    reply = write_reply(read(make_body(content=wish, max_tokens=4000)))

    tasks = find_tasks(reply.text, is_cut=False)

    assert len({task.instruction for task in tasks}) == 17
    assert all(task.output for task in tasks)
    assert reply.finish_reason == "stop"


def test_answer_follows_the_schema_of_the_request() -> None:
    item = {"type": "object", "properties": {"number": {"type": "integer"}, "text": {}}}
    properties = {
        "kind": {"type": "string", "enum": ["label", "text"]},
        "tasks": {"type": "array", "items": item},
    }
    schema = {"type": "object", "properties": properties}
    body = make_body() | {"response_format": {"json_schema": {"schema": schema}}}

    answer = json.loads(write_reply(read(body)).text)

    assert answer["kind"] in ("label", "text")
    assert [task["number"] for task in answer["tasks"]] == [1, 2, 3]
    assert len({task["text"] for task in answer["tasks"]}) == 3


@settings(deadline=None)
@given(
    contents=st.lists(st.text(max_size=200), min_size=1, max_size=4),
    max_tokens=st.integers(min_value=16, max_value=100),
)
def test_bill_stays_within_the_worst_case(contents: Sequence[str], max_tokens: int) -> None:
    messages = [{"role": "user", "content": content} for content in contents]
    body: Body = {"model": "m", "messages": messages, "max_tokens": max_tokens}

    reply = write_reply(read(body))

    sent_bytes = sum(len(content.encode()) for content in contents)
    assert reply.prompt_tokens <= sent_bytes + 4 * len(contents)
    assert 0 < reply.completion_tokens <= max_tokens
    assert len(reply.text.encode()) <= 4 * max_tokens


def test_answer_longer_than_allowed_is_cut_and_says_so() -> None:
    reply = write_reply(read(make_body(max_tokens=16)))

    assert reply.finish_reason == "length"
    assert reply.completion_tokens == 16
    assert len(reply.text.encode()) == 64


def test_raw_prompt_is_continued(endpoint: RunningEndpoint) -> None:
    response = ask(endpoint, find_body(None, make_raw_body), "/completions")

    assert response.json()["choices"][0]["text"]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        pytest.param(Fault.RATE_LIMIT, 429, id="429"),
        pytest.param(Fault.RATE_LIMIT_WITH_RETRY_AFTER, 429, id="429-retry-after"),
        pytest.param(Fault.SERVER_ERROR, 500, id="500"),
        pytest.param(Fault.UNAVAILABLE, 503, id="503"),
        pytest.param(Fault.TRUNCATED, 200, id="truncated"),
        pytest.param(Fault.WRONG_TYPE, 200, id="wrong-type"),
        pytest.param(Fault.EMPTY_CHOICES, 200, id="empty-choices"),
        pytest.param(Fault.SLOW, 200, id="slow"),
        pytest.param(Fault.LENGTH, 200, id="length"),
        pytest.param(Fault.CONTENT_FILTER, 200, id="content-filter"),
    ],
)
def test_fault_arrives_as_what_it_is_called(
    fault: Fault, status: int, endpoint: RunningEndpoint
) -> None:
    before = endpoint.counts().faults.get(fault, 0)

    response = ask(endpoint, find_body(fault))

    assert response.status_code == status
    assert endpoint.counts().faults[fault] == before + 1
    assert ("retry-after" in response.headers) == (fault is Fault.RATE_LIMIT_WITH_RETRY_AFTER)
    assert ("json" in response.headers["content-type"]) == (fault is not Fault.WRONG_TYPE)
    if fault in (Fault.LENGTH, Fault.CONTENT_FILTER):
        reason = response.json()["choices"][0]["finish_reason"]
        assert reason == fault.replace("-", "_")
    if fault is Fault.EMPTY_CHOICES:
        assert response.json()["choices"] == []
    if fault is Fault.TRUNCATED:
        with pytest.raises(json.JSONDecodeError):
            response.json()


def test_reset_cuts_the_connection_in_mid_body(endpoint: RunningEndpoint) -> None:
    body = find_body(Fault.RESET)

    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        ask(endpoint, body)

    count = endpoint.counts().questions[read(body).question]
    assert (count.asked, count.answered) == (1, 0)


def test_hang_never_answers_and_is_billed(endpoint: RunningEndpoint) -> None:
    body = find_body(Fault.HANG)
    before = endpoint.counts()

    patience = httpx2.Timeout(60, read=0.3)
    with httpx2.Client(trust_env=False, timeout=patience) as client:
        with pytest.raises(httpx2.ReadTimeout):
            client.post(endpoint.base_url + "/chat/completions", json=body)
        # On a busy machine it is read later than that.
        while (counts := endpoint.counts()).requests == before.requests:
            time.sleep(0.01)

    assert counts.answers == before.answers
    assert counts.completion_tokens > before.completion_tokens


def test_transport_faults_end_and_faults_of_the_answer_stay() -> None:
    shares = {Fault.SERVER_ERROR: 0.5, Fault.RATE_LIMIT: 0.5, Fault.LENGTH: 1.0}
    plan = FaultPlan(shares, faulty_attempts=3)

    found = [plan.find("a question", attempt) for attempt in range(1, 6)]

    assert set(found[:3]) <= {Fault.SERVER_ERROR, Fault.RATE_LIMIT}
    assert found[3:] == [Fault.LENGTH, Fault.LENGTH]


def test_faults_come_as_often_as_they_should() -> None:
    plan = FaultPlan({Fault.SERVER_ERROR: 0.1, Fault.RESET: 0.3})

    found = [plan.find(f"question {number}", 1) for number in range(10_000)]

    # Five standard deviations of a binomial: sqrt(10000 * 0.3 * 0.7) = 46.
    assert abs(found.count(Fault.SERVER_ERROR) - 1000) < 150
    assert abs(found.count(Fault.RESET) - 3000) < 230


async def test_teacher_gets_through_a_storm_and_the_counts_agree_with_it() -> None:
    shares = {fault: 0.07 for fault in Fault if fault is not Fault.HANG}
    behaviour = Behaviour(latency_s=0.001, faults=FaultPlan(shares, faulty_attempts=1))
    prompts = [
        Prompt(
            messages=(Message(role="user", content="New task."),),
            decoding=Decoding(),
            strategy="structured",
            language="en",
            sample_index=number,
        )
        for number in range(20)
    ]
    budget = Budget()
    with serving(behaviour) as running:
        clock = Clock(sleep=sleep_briefly)
        async with Teacher(running.base_url, "m", concurrency=1, clock=clock) as teacher:
            completions = [await teacher.complete(prompt, budget) for prompt in prompts]
        counts = running.counts()

    assert counts.answers == 20
    assert counts.requests == sum(completion.attempts for completion in completions) > 20
    assert set(counts.questions) == {name_prompt(prompt, "m") for prompt in prompts}
    assert counts.most_under_way == 1
    assert 0 < counts.work_s <= counts.busy_s <= counts.clock_s
    spent = budget.spent
    # What nobody told the client stays reserved in full, so its account is never below the bill.
    assert spent.prompt_tokens >= counts.prompt_tokens
    assert spent.completion_tokens >= counts.completion_tokens


def test_forgotten_questions_are_asked_for_the_first_time() -> None:
    with serving(Behaviour(latency_s=0.001)) as running:
        ask(running, make_body())
        running.forget()
        assert running.counts().requests == 0
        ask(running, make_body())

        [count] = running.counts().questions.values()

    assert (count.asked, count.answered) == (1, 1)


def test_name_of_a_question_tells_turns_apart() -> None:
    one = name_question("m", [Turn("user", "a"), Turn("user", "b")], 0)

    assert one != name_question("m", [Turn("user", "ab")], 0)
    assert one != name_question("m", [Turn("user", "a"), Turn("user", "b")], 1)
    assert one != name_question("n", [Turn("user", "a"), Turn("user", "b")], 0)


def test_body_that_is_no_request_is_refused(endpoint: RunningEndpoint) -> None:
    response = ask(endpoint, {"model": "m", "messages": []})

    assert response.status_code == 400


def test_endpoint_ends_with_the_process_that_started_it() -> None:
    program = (
        "import subprocess, sys, os\n"
        "child = subprocess.Popen([sys.executable, '-m', 'benchmarks.endpoint'],\n"
        "    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)\n"
        "print(child.pid, child.stdout.readline(), flush=True)\n"
        "os._exit(0)\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    pid = int(printed.split()[0])

    deadline = time.monotonic() + 20
    while _is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
