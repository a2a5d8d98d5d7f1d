"""A real browser, and a page that fails its test on any error, dialog or outside request.

The browser lives as long as a test module and not as long as the session: Playwright keeps an
event loop running in its thread, and the asynchronous tests of other modules need theirs.
"""

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pipeline.publishing.edition import Edition
from pipeline.publishing.report.report import ReviewMode, write_report

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OWN = ("file:", "data:", "blob:")
_PATIENCE_MS = 120_000

OpenReport = Callable[..., Page]
"""Write the report of an edition, open it from disk and wait for its records."""


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip(f"needs one of {', '.join(_NAMES)} on the PATH")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # 5 s by default, which a busy machine may take.
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def guarded(browser: Browser) -> Generator[Page]:
    """Lend a page of a fresh context; afterwards it must have done nothing that it may not."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("console", lambda said: faults.append(f"console: {said.type}: {said.text}"))
    page.on("dialog", lambda dialog: faults.append(f"dialog: {dialog.message}"))
    page.on("popup", lambda popup: faults.append(f"popup: {popup.url}"))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(_OWN) else faults.append(f"asks {asked.url}"),
    )
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with guarded(browser) as page:
        yield page


@pytest.fixture(scope="module")
def lasting_page(browser: Browser) -> Iterator[Page]:
    """Lend one page to many tests that look at the same thing."""
    with guarded(browser) as page:
        yield page


@pytest.fixture
def open_report(page: Page, tmp_path: Path) -> OpenReport:
    def open_it(edition: Edition, address: str = "", review: ReviewMode | None = None) -> Page:
        path = tmp_path / "report.html"
        write_report(path, edition, review=review)
        page.goto(path.as_uri() + address)
        page.wait_for_selector("body[data-loaded]")
        return page

    return open_it
