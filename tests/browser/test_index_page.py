"""The entry page in a real browser: it filters, walks along lines, translates, and asks nothing."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipeline.publishing.index_page.contents import Outputs
from pipeline.publishing.index_page.page import render_index
from tests.publishing.test_index_page import make_family, make_version, place_everywhere

pytestmark = pytest.mark.browser

HOSTILE: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[1] / "publishing" / "hostile.json").read_text("utf-8")
)


def open_index(page: Page, folder: Path, outputs: Outputs) -> Page:
    path = folder / "index.html"
    path.write_text(render_index(outputs), encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector(".edges path", state="attached")
    return page


def make_outputs() -> Outputs:
    other = make_family(1)._replace(
        name="mixture",
        models=(),
        evaluations=(),
        versions=(make_version(1, name="mixture")._replace(teachers=("교사",)),),
    )
    return Outputs((make_family(12), other), ())


def test_lines_join_what_belongs_together(page: Page, tmp_path: Path) -> None:
    open_index(page, tmp_path, make_outputs())

    page.locator(".node-champion").hover()

    lit = page.locator(".node.lit .node-name").all_inner_texts()
    assert lit[-1] == "chat"
    assert "0001-0123456789ab" in lit
    assert "0012-0123456789ab" not in lit
    assert page.locator("path.lit").count() == 5


def test_arrow_keys_walk_from_the_champion_back_to_the_seeds(page: Page, tmp_path: Path) -> None:
    open_index(page, tmp_path, make_outputs())
    page.locator(".node-champion").focus()

    way: list[str] = []
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
        way.append(page.evaluate("document.activeElement.firstElementChild.textContent"))

    assert way == ["01234567", "chat/0001-0123456789ab", "0001-0123456789ab", "fruit", "ko.jsonl"]


def test_filter_takes_names_teachers_and_hangul(page: Page, tmp_path: Path) -> None:
    open_index(page, tmp_path, make_outputs())
    shown = page.locator(".family:visible h2")

    page.keyboard.press("/")
    page.keyboard.type("교사")
    assert shown.all_inner_texts() == ["mixture"]
    page.locator("#filter").fill("FRUIT 0003")
    assert shown.all_inner_texts() == ["fruit"]
    assert page.locator("tr.entry:visible").count() == 1
    page.locator("#filter").fill("없는 이름")
    assert shown.count() == 0
    assert page.locator("#nothing").is_visible()
    page.keyboard.press("Escape")
    assert shown.count() == 2


def test_older_versions_unfold_and_a_link_to_one_finds_it(page: Page, tmp_path: Path) -> None:
    open_index(page, tmp_path, make_outputs())
    versions = page.locator(".family").first.locator(".entries").first.locator("tbody tr:visible")
    assert versions.count() == 6

    page.locator(".node", has_text="0001-0123456789ab").first.click()
    # The page unfolds it when it hears of the new address, which is after the click.
    expect(page.locator("tr:target")).to_be_visible()
    page.locator(".more").first.click()
    expect(versions).to_have_count(12)


def test_korean_and_dark_are_one_click_away(page: Page, tmp_path: Path) -> None:
    open_index(page, tmp_path, make_outputs())

    page.locator("#language").click()
    page.locator("#theme").click()

    assert page.locator("html").get_attribute("lang") == "ko"
    assert "데이터셋 버전" in page.locator("h3").first.inner_text()
    assert page.locator("html").get_attribute("data-theme") == "dark"


@pytest.mark.parametrize("width", [375, 1280])
def test_page_is_never_wider_than_the_window(page: Page, tmp_path: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_index(page, tmp_path, make_outputs())

    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".lineage").evaluate_all(
        "figures => figures.every(one => one.scrollWidth <= one.clientWidth)"
    )


def test_hostile_texts_are_shown_and_none_is_run(page: Page, tmp_path: Path) -> None:
    payloads = [payload for kind in HOSTILE.values() for payload in kind]
    families = [place_everywhere(payload).families[0] for payload in payloads]

    open_index(page, tmp_path, Outputs(tuple(families), ()))

    assert page.evaluate("window.hacked") is None
    shown = page.locator(".family h2").all_text_contents()
    assert len(shown) == len(payloads)
    plain = [(text, seen) for text, seen in zip(payloads, shown, strict=True) if text.isprintable()]
    assert len(plain) > 100
    assert all(text == seen for text, seen in plain)
