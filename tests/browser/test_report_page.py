"""People browse a version: search, filter, sort, read, with mouse, keys and a phone."""

import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipeline.publishing.report.report import write_report
from schemas.exchange import Completion, Decoding, Exchange, Message, Prompt
from schemas.judgements import Assessment, Grade, Judgement
from schemas.records import InstructionRecord, Language, Neighbour, Rejection, SeedTask
from schemas.review import ReviewDecision
from tests.browser.editions import make_edition, make_origin, make_record, make_rejection
from tests.browser.settling import settle

pytestmark = pytest.mark.browser

OpenReport = Callable[..., Page]

SEED = SeedTask(
    id="ko-100",
    language="ko",
    instruction="서울의 여름을 한 문장으로 설명해 줘.",
    output="덥고 비가 잦다.",
)
ORIGIN = make_origin("c1", seed_ids=("ko-100",))
SEOUL = make_record("서울의 겨울을 한 문장으로 설명해 줘.", "춥고 맑다.", "", "ko", ORIGIN)
TOWER = make_record(
    "Name a tower in SEOUL.", "Namsan tower.", "City: Seoul", "en", make_origin("c1", 1)
)
BUSAN = make_record("부산에서 먹을 음식을 추천해 줘.", "돼지국밥이다.", "", "ko")
SORT = make_record("Sort the list.", "1, 2, 3", "3, 1, 2")
REPEAT = make_rejection(
    make_record("서울의 여름을 두 문장으로 설명해 줘.", "덥다.", "", "ko"),
    "novelty",
    "repeat",
    "overlap with ko-100",
    0.844,
    "ko-100",
)
BLANK = make_rejection(make_record("Write a letter.", "Dear [name], hello."))


def find_exchange(completion_id: str) -> Exchange | None:
    if completion_id != "c1":
        return None
    text = f'{{"instruction": "{SEOUL.instruction}", "output": "{SEOUL.output}"}}'
    prompt = Prompt(
        messages=(
            Message(role="system", content="You invent tasks.\nEach is a JSON object."),
            Message(role="user", content="New task. Kind: explanation."),
        ),
        decoding=Decoding(),
        strategy="structured",
        language="ko",
    )
    return Exchange(prompt, Completion(id="c1", model="teacher", text=text, finish_reason="stop"))


EDITION = make_edition(
    [SEOUL, TOWER, BUSAN, SORT],
    [REPEAT, BLANK],
    assessments={
        SEOUL.id: Assessment(Judgement(Grade(5, "clear"), Grade(4, "true"), Grade(5, "")), 0.42)
    },
    nearest={SEOUL.id: Neighbour("ko-100", 0.61), SORT.id: Neighbour(TOWER.id, 0.2)},
    seeds=[SEED],
    find_exchange=find_exchange,
)


@pytest.fixture(scope="module")
def table(lasting_page: Page, tmp_path_factory: pytest.TempPathFactory) -> Page:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, EDITION)
    lasting_page.goto(path.as_uri() + "#view=records")
    lasting_page.wait_for_selector("body[data-loaded]")
    return lasting_page


def titles(page: Page) -> list[str]:
    """Read the instructions in the table, from top to bottom."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".line")]
          .sort((one, other) => one.ariaRowIndex - other.ariaRowIndex)
          .map(line => line.querySelector(".line-title").textContent)"""
    )


def search(page: Page, query: str) -> list[str]:
    page.keyboard.press("/")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(query)
    settle(page)
    return sorted(titles(page))


def test_overview_shows_the_figures_before_any_record_is_asked_for(open_report: OpenReport) -> None:
    page = open_report(EDITION)

    expect(page.get_by_role("heading", name="From drafts to records")).to_be_visible()
    expect(page.get_by_role("button", name="Kept 4")).to_contain_text("67% of the drafts")
    expect(page.locator("#records")).to_be_hidden()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("서울의", [SEOUL.instruction, REPEAT.draft.instruction], id="syllables"),
        pytest.param("ㅅㅇㅇ", [SEOUL.instruction, REPEAT.draft.instruction], id="initials"),
        pytest.param("ㅂㅅㅇㅅ", [BUSAN.instruction], id="initials-with-a-joined-pair-in-text"),
        pytest.param("ㅄㅇㅅ", [BUSAN.instruction], id="initials-joined-by-the-input-method"),
        pytest.param("서ㅇㅇ 겨", [SEOUL.instruction], id="mixed-and-half-typed"),
        pytest.param("부사", [BUSAN.instruction], id="half-typed-syllable"),
        pytest.param("부산엣", [BUSAN.instruction], id="final-of-the-next-syllable"),
        pytest.param("seoul", [TOWER.instruction], id="case"),
        pytest.param("tower NAME", [TOWER.instruction], id="words-in-any-order"),
        pytest.param('"tower name"', [], id="quoted-words-stand-together"),
        pytest.param("City", [TOWER.instruction], id="input"),
        pytest.param("돼지국밥", [BUSAN.instruction], id="output"),
        pytest.param(SORT.id, [SORT.instruction], id="id"),
        pytest.param(
            unicodedata.normalize("NFD", "서울의"),
            [SEOUL.instruction, REPEAT.draft.instruction],
            id="decomposed",
        ),
        pytest.param('"한 문장"', [SEOUL.instruction], id="quoted-hangul"),
    ],
)
def test_search_finds(table: Page, query: str, found: list[str]) -> None:
    assert search(table, query) == sorted(found)


def test_found_words_are_marked_and_counted(open_report: OpenReport) -> None:
    page = open_report(EDITION, "#view=records")

    search(page, "ㅅㅇㅇ")

    expect(page.locator("#hits")).to_have_text("2 of 6 rows")
    assert set(page.locator(".line mark").all_text_contents()) == {"서울의"}


def test_filters_narrow_and_show_what_each_would_leave(open_report: OpenReport) -> None:
    page = open_report(EDITION, "#view=records")

    page.get_by_role("checkbox", name="Korean").check()
    page.get_by_role("checkbox", name="Repeats a task").check()

    assert titles(page) == [REPEAT.draft.instruction]
    expect(page.locator("label", has_text="Kept")).to_contain_text("0")
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator("#hits")).to_have_text("6 rows")


def test_ranges_narrow_by_judge_and_similarity(open_report: OpenReport) -> None:
    page = open_report(EDITION, "#view=records")

    page.get_by_label("Nearest similarity: from").fill("0.5")
    settle(page)
    assert sorted(titles(page)) == sorted([SEOUL.instruction, REPEAT.draft.instruction])
    page.get_by_label("Judge’s score: from").fill("4.5")
    settle(page)
    assert titles(page) == [SEOUL.instruction]


def test_columns_sort_both_ways_with_empty_values_last(open_report: OpenReport) -> None:
    page = open_report(EDITION, "#view=records")
    head = page.get_by_role("columnheader", name="Nearest")

    head.get_by_role("button").click()
    settle(page)
    falling = titles(page)
    head.get_by_role("button").click()
    settle(page)
    rising = titles(page)

    with_value = [REPEAT.draft.instruction, SEOUL.instruction, SORT.instruction]
    assert falling[:3] == with_value
    assert rising[:3] == with_value[::-1]
    expect(page.get_by_role("columnheader", name="Nearest")).to_have_attribute(
        "aria-sort", "ascending"
    )


def test_a_view_is_shared_by_its_address(open_report: OpenReport) -> None:
    page = open_report(EDITION, "#view=records")
    search(page, "서울")
    page.get_by_role("checkbox", name="Rejected").check()
    settle(page)

    # page.url hears of it from another process, a moment later.
    address: str = page.evaluate("location.hash")
    again = open_report(EDITION, address)

    assert titles(again) == [REPEAT.draft.instruction]
    expect(again.get_by_role("checkbox", name="Rejected")).to_be_checked()
    expect(again.locator("#search")).to_have_value("서울")


def test_an_address_of_a_record_marks_it_in_the_list(open_report: OpenReport) -> None:
    records = [make_record(f"Name lake number {number}.") for number in range(300)]
    page = open_report(make_edition(records), f"#view=records&open={records[250].id}")

    marked = page.locator("#space [aria-selected=true]")

    expect(marked).to_contain_text("Name lake number 250.")
    expect(marked).to_be_in_viewport()


@pytest.mark.parametrize(
    ("language", "words"), [("en", "A reader accepted"), ("ko", "사람이 승인하거나")]
)
def test_a_record_that_a_reader_accepted_says_so_beside_its_stages(
    open_report: OpenReport, language: Language, words: str
) -> None:
    kept = [make_record("Name a lake."), make_record("Name a river.")]
    accepted = ReviewDecision(
        record=kept[0].id, verdict="accept", author="kim", time=datetime.now(UTC), dataset="d/1"
    )
    edition = make_edition(kept)._replace(decisions=[accepted])
    manifest = edition.manifest.model_copy(update={"card_language": language})
    edition = edition._replace(manifest=manifest)

    decided = open_report(edition, f"#open={kept[0].id}")
    expect(decided.locator("#panel")).to_contain_text(words)

    undecided = open_report(edition, f"#open={kept[1].id}")
    expect(undecided.locator("#panel")).to_contain_text("Name a river.")
    expect(undecided.locator("#panel")).not_to_contain_text(words)


def test_a_chart_leads_to_its_records(open_report: OpenReport) -> None:
    page = open_report(EDITION)

    page.get_by_role("region", name="Why drafts were rejected").get_by_role(
        "button", name="Placeholder"
    ).click()

    settle(page)
    assert titles(page) == [BLANK.draft.instruction]


def test_each_chart_has_its_figures_as_a_table(open_report: OpenReport) -> None:
    page = open_report(EDITION)
    charts = page.locator(".chart")

    for place in range(charts.count()):
        charts.nth(place).get_by_role("button", name="Table").click()
        expect(charts.nth(place).locator("tbody tr").first).to_be_visible()

    assert charts.count() >= 5


def test_a_story_goes_back_to_the_seed_task(open_report: OpenReport) -> None:
    page = open_report(EDITION, f"#open={SEOUL.id}")
    story = page.locator("#story")

    expect(story.locator(".text-instruction")).to_contain_text(SEOUL.instruction)
    expect(story.locator(".step.off")).to_have_count(2)
    expect(story.locator(".step.passed")).to_have_count(7)
    expect(story.get_by_role("img", name="4 of 5")).to_be_visible()
    expect(story.locator(".raw mark")).to_have_text([SEOUL.instruction, SEOUL.output])
    story.get_by_text("Prompt", exact=False).first.click()
    expect(story.locator(".turn.system")).to_contain_text("You invent tasks.\nEach is a JSON")
    expect(story.locator(".fold").first).to_contain_text(SEED.output)
    story.get_by_role("button", name=TOWER.instruction).click()
    expect(page.locator("#story-id")).to_have_text(TOWER.id)


def test_a_rejection_stands_beside_what_it_repeats_with_only_the_difference_marked(
    open_report: OpenReport,
) -> None:
    page = open_report(EDITION, f"#open={REPEAT.draft.id}")
    story = page.locator("#story")

    expect(story.locator(".verdict")).to_contain_text("Dropped by Novelty: Repeats a task")
    expect(story.locator(".verdict")).to_contain_text("overlap with ko-100")
    expect(story.locator(".step.dropped")).to_contain_text("Novelty")
    expect(story.locator(".step.unasked")).to_have_count(2)
    expect(story.locator(".compare ins").first).to_have_text("두")
    expect(story.locator(".compare del").first).to_have_text("한")


def test_everything_works_with_keys_alone(open_report: OpenReport) -> None:
    page = open_report(EDITION)

    page.keyboard.press("/")
    page.keyboard.insert_text("서울")
    settle(page)
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_visible()
    first = page.locator("#story-id").text_content()
    page.keyboard.press("j")
    expect(page.locator("#story-id")).not_to_have_text(first or "")
    page.keyboard.press("k")
    expect(page.locator("#story-id")).to_have_text(first or "")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#grid")).to_have_attribute("aria-activedescendant", "line-1")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()


def test_going_back_closes_the_record(open_report: OpenReport) -> None:
    page = open_report(EDITION, "#view=records")

    page.locator(".line").first.click()
    expect(page.locator("#panel")).to_be_visible()
    page.go_back()

    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator("#records")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("address", ["", "#view=records", f"#open={REPEAT.draft.id}"])
def test_a_phone_never_scrolls_sideways(
    open_report: OpenReport, page: Page, address: str, language: str
) -> None:
    page.set_viewport_size({"width": 375, "height": 812})
    page = open_report(EDITION, address)
    if language == "ko" and "open" not in address:
        page.locator("#language").click()

    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert page.evaluate("document.getElementById('story-scroll').scrollWidth") <= 375


def test_theme_follows_the_system_and_can_be_switched(open_report: OpenReport, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page = open_report(EDITION)
    ground = "getComputedStyle(document.body).backgroundColor"

    dark = page.evaluate(ground)
    page.keyboard.press("t")

    assert dark == "rgb(22, 24, 27)"
    assert page.evaluate(ground) == "rgb(247, 246, 243)"


def test_page_speaks_korean_from_the_start_where_the_card_does(open_report: OpenReport) -> None:
    page = open_report(make_edition([SEOUL], [REPEAT], card_language="ko"), "#view=records")

    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator(".line").nth(1)).to_contain_text("되풀이")
    page.get_by_role("button", name="English").click()
    expect(page.locator(".line").nth(1)).to_contain_text("Repeats a task")


@pytest.mark.parametrize(
    ("kept", "rejected", "rows"), [((), (), 0), ((SEOUL,), (), 1), ((), (REPEAT, BLANK), 2)]
)
def test_versions_with_little_in_them_are_fine(
    open_report: OpenReport,
    kept: Sequence[InstructionRecord],
    rejected: Sequence[Rejection],
    rows: int,
) -> None:
    page = open_report(make_edition(kept, rejected))

    page.keyboard.press("o")

    expect(page.locator(".line")).to_have_count(rows)
    if not rows:
        expect(page.locator("#nothing")).to_have_text("This version has no records.")


def test_a_record_of_a_megabyte_opens_and_says_what_is_cut(open_report: OpenReport) -> None:
    long = make_record("긴 글을 써 줘.", "가나다라 " * 200_000, "", "ko")
    page = open_report(make_edition([long]), f"#open={long.id}")

    expect(page.locator("#story")).to_contain_text("the first 100,000 of 999,999 characters")
    page.get_by_role("button", name="Show 94,000 more characters").click()
    assert len(page.locator(".text-output .prose").text_content() or "") == 100_000


def test_a_duplicate_with_the_id_of_its_original_has_a_story_of_its_own(
    open_report: OpenReport,
) -> None:
    twin = make_rejection(SEOUL, "duplicate", "exact-duplicate", "the same", None, SEOUL.id)
    page = open_report(make_edition([SEOUL], [twin]), "#view=records")

    page.locator(".line").nth(1).click()
    expect(page.locator(".verdict")).to_contain_text("Exact duplicate")
    page.reload()
    expect(page.locator(".verdict")).to_contain_text("Exact duplicate")


def test_a_damaged_file_says_so(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, EDITION)
    text = path.read_text("utf-8")
    start = text.index('id="rows-0">') + len('id="rows-0">')
    path.write_text(text[:start] + "AAAA" + text[start + 40 :], "utf-8")
    page.goto(path.as_uri() + "#view=records")

    expect(page.locator("#hits")).to_contain_text("cannot be read")


def test_printing_takes_pages_for_what_is_in_sight_only(open_report: OpenReport) -> None:
    rows = [make_record(f"Task {number}.") for number in range(3000)]
    page = open_report(make_edition(rows), "#view=records")

    # Each page of a PDF is an object of its own.
    assert page.pdf().count(b"/Type /Page\n") <= 2
