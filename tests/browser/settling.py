"""Wait for what a page is about to do, and for no length of time."""

from playwright.sync_api import Page


def settle(page: Page) -> None:
    """Go on when the page has drawn what it was told to.

    It draws in frames, and a search that takes long pauses with timers of zero: both come before a
    timer that is set in a frame asked for now.
    """
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
