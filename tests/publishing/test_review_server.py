"""The review answers its own reader, and nobody else."""

import gc
import json
import logging
import stat
import threading
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from pathlib import Path
from socket import create_connection
from typing import NamedTuple

import pytest

from pipeline.publishing.review.api import build_app
from pipeline.publishing.review.decisions import DecisionLog, read_stored_decisions
from pipeline.publishing.review.door import lend_door
from pipeline.publishing.review.server import PortTakenError, listen, make_server
from pipeline.publishing.review.session import ReviewSession
from schemas.errors import UserError
from schemas.identity import short_id
from schemas.records import Language
from schemas.review import ReviewedText

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=timezone(timedelta(hours=9)))
PAGE = "<!doctype html><title>과일</title>".encode()
TOKEN = "s3cret-token"  # noqa: S105 - of this test
KEPT = short_id("ko", "봄꽃은?", "", "개나리입니다.")
DRAFT = short_id("en", "Name a fruit.", "", "I cannot.")


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.text)


class Reader:
    """Talks to the server as a browser would."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self.cookie = ""

    def ask(
        self, path: str, body: object = None, *, method: str | None = None, **headers: str
    ) -> Answer:
        """Send a request; a body makes it a POST of JSON unless the headers say otherwise."""
        sent = {"cookie": self.cookie} if self.cookie else {}
        content: bytes | None = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent["content-type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method or ("POST" if body is not None else "GET"), path, content, sent)
        response = connection.getresponse()
        answer = Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read().decode(),
        )
        connection.close()
        return answer

    def enter(self) -> None:
        self.cookie = self.ask(f"/?token={TOKEN}").headers["set-cookie"].partition(";")[0]

    def decide(self, record: str, verdict: str, seen: int | None = None, **more: object) -> Answer:
        return self.ask("/decisions", {"record": record, "verdict": verdict, "seen": seen, **more})


def check_edit(text: ReviewedText, language: Language) -> ReviewedText:
    if "\u200b" in text.output:
        raise UserError("This text cannot be kept: it holds what nobody sees.")
    return text


@contextmanager
def serving(path: Path, page: bytes = PAGE) -> Generator[Reader]:
    with listen(0) as listener:
        port: int = listener.getsockname()[1]
        session = ReviewSession(
            page=page,
            languages={KEPT: "ko", DRAFT: "en"},
            log=DecisionLog(path),
            dataset="fruits/0001-0123456789ab",
            author="김서연",
            now=lambda: NOON,
            check_edit=check_edit,
        )
        server = make_server(build_app(session, TOKEN, port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Reader(port, path)
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with serving(tmp_path_factory.mktemp("reviews") / "fruits.jsonl") as one:
        yield one


@pytest.fixture
def reader(shared: Reader) -> Reader:
    """Come to a server where nobody may decide anything: its file must stay absent."""
    return Reader(shared.port, shared.log)


@pytest.fixture
def refused(reader: Reader) -> Reader:
    reader.enter()
    return reader


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Reader]:
    """Come to a server of one's own."""
    with serving(tmp_path / "fruits.jsonl") as one:
        one.enter()
        yield one


def test_end_closes_the_connection_of_who_takes_nothing_of_the_page(tmp_path: Path) -> None:
    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with serving(tmp_path / "fruits.jsonl", page=b"x" * 2**25) as reader:
            reader.enter()
            idle = create_connection(("127.0.0.1", reader.port))
            idle.sendall(
                f"GET / HTTP/1.1\r\nhost: 127.0.0.1:{reader.port}\r\n"
                f"cookie: {reader.cookie}\r\n\r\n".encode()
            )
            assert idle.recv(8) == b"HTTP/1.1"
        gc.collect()
    idle.close()

    assert [str(one.message) for one in told] == []


def test_address_with_the_token_opens_the_door_and_leaves_the_address(reader: Reader) -> None:
    answer = reader.ask(f"/?token={TOKEN}")

    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"pacaloom_review_{reader.port}=")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    reader.cookie = cookie.partition(";")[0]
    assert "과일" in reader.ask("/").text


def test_page_that_knows_the_token_leads_in_by_a_step_of_our_own(reader: Reader) -> None:
    led_here = {"sec_fetch_site": "cross-site"}

    answer = reader.ask(f"/?token={TOKEN}", **led_here)

    assert answer.status == 200
    assert "url=/" in answer.text
    assert "과일" not in answer.text
    assert reader.ask("/?token=wrong", **led_here).status == 403
    reader.cookie = answer.headers["set-cookie"].partition(";")[0]
    assert reader.ask("/", **led_here).status == 403
    assert reader.ask("/?token=wrong", **led_here).status == 403


@pytest.mark.parametrize(
    "path", ["/", "/?token=", "/?token=wrong", "/?token=%ED%86%A0", "/decisions"]
)
def test_without_the_token_nothing_is_shown(reader: Reader, path: str) -> None:
    answer = reader.ask(path)

    assert answer.status == 403
    assert "`./pacaloom review` has printed" in answer.text
    assert "set-cookie" not in answer.headers


def test_without_the_cookie_nothing_is_decided_even_with_the_token(reader: Reader) -> None:
    body = {"record": KEPT, "verdict": "accept", "seen": None}

    assert reader.ask("/decisions", body).status == 403
    assert reader.ask(f"/decisions?token={TOKEN}", body).status == 403
    assert not reader.log.exists()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"host": "evil.example"}, id="name-that-was-pointed-here"),
        pytest.param({"host": "127.0.0.1"}, id="host-without-the-port"),
        pytest.param({"host": "127.0.0.1.evil.example:{port}"}, id="host-that-begins-alike"),
        pytest.param({"origin": "https://evil.example"}, id="other-origin"),
        pytest.param({"origin": "null"}, id="origin-of-a-sandboxed-page"),
        pytest.param({"origin": "http://127.0.0.1:1"}, id="other-port"),
        pytest.param({"origin": "https://127.0.0.1:{port}"}, id="other-scheme"),
        pytest.param({"sec_fetch_site": "cross-site"}, id="other-site"),
        pytest.param({"sec_fetch_site": "same-site"}, id="other-port-of-this-machine"),
    ],
)
def test_requests_of_other_hosts_and_pages_are_refused(
    refused: Reader, headers: dict[str, str]
) -> None:
    sent = {name: value.replace("{port}", str(refused.port)) for name, value in headers.items()}
    body = {"record": KEPT, "verdict": "accept", "seen": None}

    for answer in (refused.ask("/", **sent), refused.ask("/decisions", body, **sent)):
        assert answer.status == 403
        assert answer.text.count("\n") == 1
    assert not refused.log.exists()


def test_localhost_and_the_own_origin_are_the_readers(inside: Reader) -> None:
    host = f"localhost:{inside.port}"
    sent = {"host": host, "origin": f"http://{host}", "sec_fetch_site": "same-origin"}

    body = {"record": KEPT, "verdict": "accept", "seen": None}
    assert inside.ask("/decisions", body, **sent).status == 200


def test_no_answer_may_be_kept_framed_guessed_at_or_read_elsewhere(refused: Reader) -> None:
    answers = [
        refused.ask("/", origin=f"http://127.0.0.1:{refused.port}"),
        refused.ask("/decisions"),
        refused.ask("/nothing"),
        refused.ask("/decisions", method="OPTIONS"),
        refused.ask("/", host="evil.example"),
    ]

    assert [answer.status for answer in answers] == [200, 200, 404, 405, 403]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_decision_gets_author_and_time_from_the_server_and_is_on_disk(inside: Reader) -> None:
    answer = inside.decide(KEPT, "reject", note="꽃 이름이 틀렸다.")

    assert answer.status == 200
    assert answer.json["standing"] == {
        "place": 0,
        "record": KEPT,
        "verdict": "reject",
        "edited": None,
        "note": "꽃 이름이 틀렸다.",
        "author": "김서연",
        "time": "2026-11-23T12:00:00+09:00",
    }
    (decision,) = read_stored_decisions(inside.log).decisions
    assert (decision.author, decision.time) == ("김서연", NOON)
    assert decision.dataset == "fruits/0001-0123456789ab"


def test_decisions_are_listed_for_the_page_that_comes_back(inside: Reader) -> None:
    text = {"instruction": "Name a fruit.", "input": "", "output": "Kiwi."}
    inside.decide(DRAFT, "edit", edited=text)
    inside.decide(KEPT, "accept")
    inside.decide(KEPT, "withdraw", 1)

    found = inside.ask("/decisions").json

    assert (found["author"], found["records"]) == ("김서연", 2)
    decisions = found["decisions"]
    assert isinstance(decisions, dict)
    assert list(decisions) == [DRAFT]
    assert decisions[DRAFT]["edited"] == text


def test_decision_that_another_reader_made_meanwhile_is_shown_instead(inside: Reader) -> None:
    inside.decide(KEPT, "reject")

    answer = inside.decide(KEPT, "accept")

    assert answer.status == 409
    assert answer.json["error"] == "김서연 has decided meanwhile: reject. Look at it again."
    standing = answer.json["standing"]
    assert isinstance(standing, dict)
    assert standing["verdict"] == "reject"


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        pytest.param({"record": "f" * 16}, 404, "has no record or draft f", id="unknown-record"),
        pytest.param({"record": "../x"}, 422, "record: ", id="no-id"),
        pytest.param({"verdict": "maybe"}, 422, "verdict: ", id="unknown-verdict"),
        pytest.param({"author": "somebody"}, 422, "no such field", id="author-of-the-page"),
        pytest.param({"time": "2020-01-01"}, 422, "no such field", id="time-of-the-page"),
        pytest.param({"verdict": "edit"}, 422, "edited text is for", id="edit-without-text"),
        pytest.param({"note": "가" * 2001}, 422, "note: ", id="long-note"),
        pytest.param(
            {"verdict": "edit", "edited": {"instruction": "봄꽃은?", "output": " "}},
            422,
            "edited.output: ",
            id="empty-output",
        ),
        pytest.param(
            {"verdict": "edit", "edited": {"instruction": "봄꽃은?", "output": "개나리입니다.\n"}},
            422,
            "Nothing was changed",
            id="nothing-changed",
        ),
        pytest.param(
            {"verdict": "edit", "edited": {"instruction": "봄꽃은?", "output": "개\u200b나리"}},
            422,
            "cannot be kept",
            id="invisible-character",
        ),
    ],
)
def test_what_is_no_decision_is_refused_in_one_clear_line(
    refused: Reader, changes: dict[str, object], status: int, reason: str
) -> None:
    answer = refused.ask(
        "/decisions", {"record": KEPT, "verdict": "accept", "seen": None, **changes}
    )

    assert answer.status == status
    assert reason in answer.text
    assert answer.text.count("\n") == 1
    assert not refused.log.exists()


def test_only_json_of_bearable_size_is_read(refused: Reader) -> None:
    form = refused.ask("/decisions", b"record=1", content_type="application/x-www-form-urlencoded")
    plain = refused.ask("/decisions", b"{}", content_type="text/plain")
    broken = refused.ask("/decisions", b"{")
    surrogate = refused.ask("/decisions", b'{"note":"\\ud800"}')
    large = refused.ask("/decisions", b" " * (8 * 2**20 + 1))

    statuses = [answer.status for answer in (form, plain, broken, surrogate, large)]
    assert statuses == [415, 415, 422, 422, 413]


def test_full_disk_is_said_and_nothing_half_written_stays(
    inside: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside.decide(KEPT, "accept")
    before = inside.log.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    answer = inside.decide(DRAFT, "accept")

    assert answer.status == 500
    assert "No space left on device" in answer.text
    assert inside.log.read_bytes() == before


def test_token_is_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), serving(tmp_path / "fruits.jsonl") as reader:
        reader.enter()
        reader.ask(f"/?token={TOKEN}")
        reader.decide(KEPT, "accept")

    assert TOKEN not in caplog.text


def test_request_that_the_end_cuts_short_is_no_fault(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path / "fruits.jsonl") as reader:
        reader.enter()
        head = (
            f"POST /decisions HTTP/1.1\r\nHost: 127.0.0.1:{reader.port}\r\n"
            f"Cookie: {reader.cookie}\r\nContent-Type: application/json\r\n"
            "Content-Length: 99\r\n\r\n{"
        ).encode()
        with create_connection(("127.0.0.1", reader.port)) as left:
            left.sendall(head)
        staying = create_connection(("127.0.0.1", reader.port))
        staying.sendall(head)
        assert reader.ask("/decisions").status == 200
    staying.close()

    assert capfd.readouterr().err == ""


def test_fault_of_the_review_itself_is_said_in_its_terminal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(log: DecisionLog) -> None:
        raise ZeroDivisionError

    with serving(tmp_path / "fruits.jsonl") as reader:
        reader.enter()
        monkeypatch.setattr(DecisionLog, "look", fail)
        answer = reader.ask("/decisions")

    assert answer.status == 500
    assert "terminal" in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_door_is_the_readers_alone_and_goes_afterwards(tmp_path: Path) -> None:
    with lend_door("http://127.0.0.1:1/?token=a", tmp_path) as door:
        assert stat.S_IMODE(door.stat().st_mode) == 0o600
        assert "http://127.0.0.1:1/?token=a" in door.read_text("utf-8")

    assert list(tmp_path.iterdir()) == []


def test_port_that_is_taken_is_named(reader: Reader) -> None:
    with pytest.raises(PortTakenError, match=rf"Port {reader.port} .* is taken .* --port"):
        listen(reader.port)
