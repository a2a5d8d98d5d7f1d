"""A reader decides in a real browser, and only the reader can."""

import json
import re
import shutil
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from flows.compositions import curate
from flows.engine import PlainEngine
from flows.parameters import CurateParams
from flows.reviewing import open_review
from flows.settings import Settings
from pipeline.publishing.opening import load_edition
from pipeline.publishing.review.api import build_app
from pipeline.publishing.review.decisions import read_stored_decisions
from pipeline.publishing.review.door import lend_door
from pipeline.publishing.review.server import listen, make_server
from schemas.identity import short_id
from schemas.review import ReviewDecision

pytestmark = pytest.mark.browser

HOSTILE = (
    "<img src=x onerror=\"document.title='run'\"></script><script>document.title='run'</script>"
)
ROWS = [
    {"instruction": "Name three fruits that grow in Jeju.", "output": "Kiwi, orange and lemon."},
    {"instruction": "서울의 봄 날씨를 설명해 줘.", "output": "죄송하지만 도와드릴 수 없습니다."},
    {"instruction": "봄에 피는 꽃을 하나 말해 줘.", "output": "국화입니다."},
    {"instruction": "Write a tag that shows a picture.", "output": HOSTILE},
]
JEJU, WEATHER, FLOWER, TAG = (row["instruction"] for row in ROWS)
TOKEN = "a-token-of-these-tests"  # noqa: S105 - opens nothing else


class Served(NamedTuple):
    """A review that is open."""

    address: str
    port: int
    log: Path

    def read(self) -> list[ReviewDecision]:
        """Read what is on disk."""
        return read_stored_decisions(self.log).decisions


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-US")
    context.add_init_script("localStorage.setItem('pacaloom.language', 'en')")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Lend a page whose errors and requests to elsewhere fail the test."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("request", lambda one: faults.append(one.url) if not _is_ours(one.url) else None)
    yield page
    # The browser notes each answer that is no success; what the page makes of it is tested.
    assert [fault for fault in faults if not fault.startswith("Failed to load resource")] == []


def _is_ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:image/svg+xml,"))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = make_settings(tmp_path_factory.mktemp("published"))
    lines = (json.dumps(row, ensure_ascii=False) for row in ROWS)
    (settings.outputs / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    publish(settings)
    return settings.outputs


@pytest.fixture
def settings(published: Path, tmp_path: Path) -> Settings:
    return make_settings(shutil.copytree(published, tmp_path / "outputs"))


def make_settings(outputs: Path) -> Settings:
    nothing = {"base_url": None, "api_key": None, "prefect_api_url": None}
    return Settings.model_validate({**nothing, "outputs": outputs})


def publish(settings: Settings) -> Path:
    source = settings.outputs / "rows.jsonl"
    params = CurateParams(name="fruits", input=source, seeds=("none",), processes=1)
    return curate(params, settings, PlainEngine()).dataset


@contextmanager
def serving(
    settings: Settings, *, author: str = "김서연", port: int = 0, token: str = TOKEN
) -> Generator[Served]:
    session = open_review("fruits", author, settings, PlainEngine()).session
    with listen(port) as listener:
        taken: int = listener.getsockname()[1]
        server = make_server(build_app(session, token, taken))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Served(f"http://127.0.0.1:{taken}/?token={token}", taken, session.log.path)
        finally:
            server.should_exit = True
            thread.join(10)


def open_records(page: Page, served: Served) -> None:
    page.goto(served.address)
    expect(page.locator("body[data-loaded=true]")).to_be_attached()


def open_record(page: Page, instruction: str) -> str:
    """Open a record by its instruction, and return its id."""
    (row,) = (row for row in ROWS if row["instruction"] == instruction)
    language = "en" if instruction.isascii() else "ko"
    id_ = short_id(language, row["instruction"], "", row["output"])
    page.evaluate("id => pacaloom.open(id)", id_)
    expect(page.locator("#story-id")).to_have_text(id_)
    return id_


def test_decisions_survive_a_reload_and_are_in_the_next_version(
    page: Page, settings: Settings
) -> None:
    with serving(settings) as served:
        open_records(page, served)
        expect(page).to_have_url(f"http://127.0.0.1:{served.port}/")
        page.get_by_role("button", name="Records").click()
        page.locator(".line", has_text=JEJU).click()
        jeju = page.inner_text("#story-id")
        page.keyboard.press("a")
        expect(page.locator(".review-progress")).to_have_text("1 of 4 decided")
        tag = open_record(page, TAG)
        page.keyboard.press("r")
        page.keyboard.insert_text("위험한 답이다.")
        page.keyboard.press("Enter")
        flower = open_record(page, FLOWER)
        page.keyboard.press("e")
        page.locator("#review textarea[name=output]").fill("개나리입니다.")
        expect(page.locator("#review del").first).to_have_text("국화")
        expect(page.locator("#review ins").first).to_have_text("개나리")
        page.keyboard.press("Control+Enter")
        weather = open_record(page, WEATHER)
        page.get_by_role("button", name="Bring back").click()
        expect(page.locator(".review-progress")).to_have_text("4 of 4 decided")

        page.reload()
        expect(page.locator("body[data-loaded=true]")).to_be_attached()
        open_record(page, FLOWER)
        expect(page.locator(".review-state")).to_contain_text("Edited by 김서연")
        open_record(page, TAG)
        expect(page.locator(".review-state")).to_contain_text("“위험한 답이다.”")
        expect(page.locator(".review-progress")).to_have_text("4 of 4 decided")
        decisions = {one.record: one for one in served.read()}

    assert {id_: one.verdict for id_, one in decisions.items()} == {
        jeju: "accept",
        tag: "reject",
        flower: "edit",
        weather: "accept",
    }
    assert decisions[tag].note == "위험한 답이다."
    edition = load_edition(publish(settings))
    assert {record.output for record in edition.kept} == {
        ROWS[0]["output"],
        ROWS[1]["output"],
        "개나리입니다.",
    }
    assert [one.detail for one in edition.rejected] == ["위험한 답이다."]


def test_undo_takes_back_the_last_decision_also_with_a_korean_keyboard(
    page: Page, settings: Settings
) -> None:
    with serving(settings) as served:
        open_records(page, served)
        jeju = open_record(page, JEJU)
        press_jamo(page, "ㅁ")
        # The next undecided record is open by now, and undo goes back.
        expect(page.locator("#story-id")).not_to_have_text(jeju)
        expect(page.locator(".review-progress")).to_have_text("1 of 4 decided")
        press_jamo(page, "ㅕ")
        expect(page.locator("#story-id")).to_have_text(jeju)
        expect(page.locator(".review-progress")).to_have_text("0 of 4 decided")
        expect(page.locator(".review-state")).to_have_text("Not decided yet.")

        assert [one.verdict for one in served.read()] == ["accept", "withdraw"]


def press_jamo(page: Page, key: str) -> None:
    page.evaluate(
        "key => document.getElementById('story-scroll').dispatchEvent("
        "new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}))",
        key,
    )


def test_key_that_is_held_down_decides_about_one_record(page: Page, settings: Settings) -> None:
    with serving(settings) as served:
        open_records(page, served)
        open_record(page, FLOWER)
        for _ in range(5):
            page.keyboard.down("a")
            page.wait_for_timeout(50)
        page.keyboard.up("a")

        expect(page.locator(".review-progress")).to_contain_text("1 of")
        assert len(served.read()) == 1


def test_text_is_kept_while_the_server_is_gone_and_saved_when_it_is_back(
    page: Page, context: BrowserContext, settings: Settings
) -> None:
    with serving(settings) as served:
        open_records(page, served)
        flower = open_record(page, FLOWER)
    page.keyboard.press("e")
    page.locator("#review textarea[name=output]").fill("개나리입니다.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".review-state")).to_contain_text("The server does not answer")
    expect(page.locator(".review-state")).to_contain_text(f"--port {served.port}")
    expect(page.locator(".review-progress")).to_have_text("0 of 4 decided")
    page.keyboard.press("n")
    expect(page.locator(".review-alert")).to_contain_text("1 not saved.")
    page.locator(".review-alert").get_by_role("button", name="Show").click()
    expect(page.locator("#review > .review-change ins")).to_have_text("개나리")

    with serving(settings, port=served.port, token=TOKEN[::-1]) as again:
        other = context.new_page()
        other.goto(again.address)
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".review-state")).to_contain_text("Edited by 김서연")
        decisions = again.read()

    assert [(one.record, one.edited and one.edited.output) for one in decisions] == [
        (flower, "개나리입니다.")
    ]


def test_text_that_the_server_refuses_stays_in_the_form(page: Page, settings: Settings) -> None:
    with serving(settings) as served:
        open_records(page, served)
        open_record(page, FLOWER)
        page.keyboard.press("e")
        page.locator("#review textarea[name=output]").fill("개\u200b나리입니다.")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".review-state")).to_contain_text("U+200B")
        page.keyboard.press("e")
        expect(page.locator("#review textarea[name=output]")).to_have_value("개\u200b나리입니다.")
        page.locator("#review textarea[name=output]").fill("개나리입니다.")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".review-state")).to_contain_text("Edited by")

        assert len(served.read()) == 1


def test_decision_of_another_reader_is_shown_and_not_overwritten(
    page: Page, context: BrowserContext, settings: Settings
) -> None:
    with serving(settings) as mine, serving(settings, author="<b>Lee</b>") as theirs:
        open_records(page, mine)
        other = context.new_page()
        open_records(other, theirs)
        open_record(other, FLOWER)
        other.keyboard.press("r")
        other.keyboard.press("Enter")
        expect(other.locator(".review-progress")).to_have_text("1 of 4 decided")
        other.close()
        flower = open_record(page, FLOWER)
        page.keyboard.press("a")
        open_record(page, FLOWER)
        expect(page.locator(".review-state")).to_contain_text("<b>Lee</b> has decided meanwhile")
        assert [one.verdict for one in mine.read()] == ["reject"]

        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".review-state")).to_contain_text("Accepted by 김서연")

        assert [(one.record, one.verdict) for one in mine.read()] == [
            (flower, "reject"),
            (flower, "accept"),
        ]


def test_hostile_text_is_text_in_every_field_of_the_review(page: Page, settings: Settings) -> None:
    with serving(settings, author=HOSTILE) as served:
        open_records(page, served)
        title = page.title()
        open_record(page, TAG)
        page.keyboard.press("e")
        expect(page.locator("#review textarea[name=output]")).to_have_value(HOSTILE)
        page.locator("#review textarea[name=instruction]").fill(HOSTILE)
        page.locator("#review .review-form textarea[name=note]").last.fill(HOSTILE)
        page.keyboard.press("Control+Enter")
        expect(page.locator(".review-state")).to_contain_text(f"Edited by {HOSTILE}")
        expect(page.locator(".review-state")).to_contain_text(f"“{HOSTILE}”")
        expect(page.locator("#review ins").first).to_contain_text("onerror")

        assert page.title() == title
        assert page.locator("#review img, #review script").count() == 0


def test_page_speaks_korean_and_fits_a_phone(page: Page, settings: Settings) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    with serving(settings) as served:
        open_records(page, served)
        page.click("#language")
        open_record(page, FLOWER)
        expect(page.locator(".review-state")).to_have_text("아직 결정하지 않았습니다.")
        expect(page.get_by_role("button", name="승인")).to_be_in_viewport()
        page.get_by_role("button", name="고치기").click()
        page.locator("#review textarea[name=output]").fill("개나리입니다.")

        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390
        page.get_by_role("button", name="저장").click()
        expect(page.locator(".review-state")).to_contain_text("김서연 님이 고침")


ATTACK = """<!doctype html><title>attack</title><script>
const target = "http://127.0.0.1:PORT/decisions";
const body = JSON.stringify({record: "RECORD", verdict: "reject", seen: null});
const tries = [
  {mode: "no-cors", headers: {"content-type": "text/plain"}},
  {mode: "cors", headers: {"content-type": "application/json"}},
  {mode: "no-cors", headers: {"content-type": "application/x-www-form-urlencoded"}},
].map((one) => fetch(target, {method: "POST", credentials: "include", body, ...one}));
const reading = fetch(target, {credentials: "include"}).then((answer) => answer.text());
const frame = document.createElement("iframe");
frame.src = "http://127.0.0.1:PORT/";
document.documentElement.append(frame);
Promise.allSettled([reading, ...tries]).then((all) => {
  window.outcome = all.map((one) => one.status);
});
</script>"""


@contextmanager
def attacking(text: str) -> Generator[int]:
    """Serve a page on another port of this machine, which browsers take for the same site."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(10)


def test_page_of_another_origin_can_neither_decide_nor_read_nor_frame(
    page: Page, context: BrowserContext, settings: Settings
) -> None:
    with serving(settings) as served:
        open_records(page, served)
        flower = open_record(page, FLOWER)
        text = ATTACK.replace("PORT", str(served.port)).replace("RECORD", flower)
        with attacking(text) as port:
            evil = context.new_page()
            evil.goto(f"http://127.0.0.1:{port}/")
            evil.wait_for_function("window.outcome !== undefined")
            outcome = evil.evaluate("window.outcome")
            framed = evil.frames[-1].content() if len(evil.frames) > 1 else ""
            evil.close()

        assert outcome == ["rejected"] * 4
        assert "봄에 피는 꽃" not in framed
        assert "review-bar" not in framed
        assert served.read() == []


def test_browser_without_the_token_sees_nothing(
    context: BrowserContext, settings: Settings
) -> None:
    page = context.new_page()
    with serving(settings) as served:
        answer = page.goto(f"http://127.0.0.1:{served.port}/")

        assert answer is not None
        assert answer.status == 403
        assert "./pacaloom review" in page.inner_text("body")


def test_browser_that_is_started_with_a_page_from_disk_is_led_in(
    context: BrowserContext, settings: Settings, tmp_path: Path
) -> None:
    page = context.new_page()
    with serving(settings) as served, lend_door(served.address, tmp_path) as door:
        page.goto(door.as_uri())
        expect(page.locator("body[data-loaded=true]")).to_be_attached()

        expect(page).to_have_url(re.compile(f"^http://127.0.0.1:{served.port}/(#|$)"))
