"""People read an evaluation: verdict, matrix, differences, answers; and no text of it runs."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from schemas.evaluation import GateCheck, GateVerdict
from schemas.records import Language
from tests.evaluation.evaluated import (
    MODELS,
    Asked,
    Evaluated,
    make_cycles,
    make_evaluation,
)
from training.evaluation.page.answers import ItemRow, Score
from training.evaluation.page.page import render_page
from training.evaluation.page.trend import Cycle

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]

FAMILIES: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[1] / "publishing" / "hostile.json").read_text("utf-8")
)
PAYLOADS = [text if text.strip() else f"x{text}" for own in FAMILIES.values() for text in own]
# Unfolds the other models, and shows all of long texts.
OPEN_ALL = """() => {
  for (const fold of document.querySelectorAll(".item details")) fold.open = true;
  for (const more of document.querySelectorAll(".item .quiet")) more.click();
}"""
EVALUATED = make_evaluation()
BASE, FULL, LORA = MODELS


def write(path: Path, evaluated: Evaluated, cycles: Sequence[Cycle], language: Language) -> None:
    page = render_page(evaluated.report, evaluated.blocks, cycles, language)
    path.write_text("".join(page), encoding="utf-8")


@pytest.fixture
def open_page(page: Page, tmp_path: Path) -> OpenPage:
    def open_it(
        evaluated: Evaluated = EVALUATED,
        address: str = "",
        cycles: Sequence[Cycle] = (),
        language: Language = "en",
    ) -> Page:
        path = tmp_path / "report.html"
        write(path, evaluated, cycles, language)
        page.goto(path.as_uri() + address)
        page.wait_for_selector("body[data-loaded]")
        return page

    return open_it


def texts(page: Page, selector: str) -> list[str]:
    return page.locator(selector).all_text_contents()


def test_the_verdict_comes_first_with_what_decided_and_how_many_items_are_missing(
    open_page: OpenPage,
) -> None:
    page = open_page()

    verdict = page.locator("#verdict")
    expect(verdict.locator(".verdict-word")).to_have_text("Hold")
    expect(verdict).to_contain_text("With about 1,140 items")
    expect(verdict.locator(".check.decided")).to_contain_text("zero-shot is 3.1 points better")
    assert texts(page, ".check .check-outcome") == ["passed", "undecided", "failed", "not measured"]


def test_each_cell_of_the_matrix_shows_its_share_and_interval(open_page: OpenPage) -> None:
    page = open_page()
    rows = EVALUATED.report.matrix

    for code, table in (("en", 0), ("ko", 1)):
        own = [row for row in rows if row.language == code]
        wanted = [
            (f"{100 * row.accuracy:.0f}", f"{100 * row.low:.0f}–{100 * row.high:.0f}")
            for row in own
        ]
        cells = page.locator(".matrix").nth(table).locator(".cell")
        # Half-way values are rounded apart by a digit at most; the texts are whole per cents.
        shown = [
            (cell.locator("b").inner_text(), cell.locator(".range").inner_text())
            for cell in cells.all()
        ]
        for (share, span), (right, interval) in zip(shown, wanted, strict=True):
            assert abs(int(share) - int(right)) <= 1
            assert len(span.split("–")) == len(interval.split("–")) == 2


def test_colours_stand_for_the_distance_from_chance_and_not_from_half(
    open_page: OpenPage,
) -> None:
    row = EVALUATED.report.matrix[0]
    at_chance = row.model_copy(update={"accuracy": 1 / 3})
    below = row.model_copy(update={"accuracy": 0.0, "shots": 1})
    above = row.model_copy(update={"accuracy": 2 / 3, "shots": 4})
    report = EVALUATED.report.model_copy(update={"matrix": (at_chance, below, above)})
    page = open_page(Evaluated(report, EVALUATED.rows))

    heats = page.locator(".matrix .cell").evaluate_all(
        "all => all.map(e => [e.classList[2], e.style.getPropertyValue('--amount')])"
    )

    assert heats == [["above", "0%"], ["below", "100%"], ["above", "50%"]]


def test_a_cell_tells_of_its_wordings_and_draws_and_leads_to_its_answers(
    open_page: OpenPage,
) -> None:
    page = open_page()
    cell = page.locator(".matrix").first.locator("tbody tr").nth(2).locator(".cell").nth(1)

    cell.hover()
    tip = page.locator("#tip")
    expect(tip).to_contain_text("movie-sentiment-en, 4-shot")
    assert len(texts(page, "#tip tbody tr")) == 4

    cell.click()
    tip.get_by_role("button", name="Read the answers").click()
    expect(page.locator("#hits")).to_have_text("48 of 288")
    assert page.locator("#select-task").input_value() == "movie-sentiment-en"
    page.go_back()
    expect(page.locator("#verdict")).to_be_visible()


def test_keys_move_through_the_matrix(open_page: OpenPage) -> None:
    page = open_page()
    page.locator(".matrix .cell").first.focus()

    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")

    expect(page.locator("#tip")).to_contain_text("chat-full/0003")
    expect(page.locator("#tip")).to_contain_text("4-shot")
    assert page.locator(".matrix .cell[tabindex='0']").count() == 2
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Read the answers")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#tip")).to_be_hidden()
    expect(page.locator(".matrix .cell:focus")).to_have_count(1)


def test_every_part_of_the_report_has_its_place(open_page: OpenPage) -> None:
    page = open_page(cycles=make_cycles())

    assert texts(page, "#sections > .card > h2") == [
        "Matrix", "Differences", "How much the prompt matters", "Ways of scoring",
        "Held-out answers", "Written answers", "Canaries", "Judge", "Overlaps with training data",
        "Over cycles", "Models",
    ]  # fmt: skip
    assert page.locator(".cycle").count() == 3
    assert texts(page, ".gains tbody td") == ["+10.0", "+1.0", "+5.5", "0.0"]
    expect(page.locator("#part-judge")).to_contain_text("at equal length 61.0 %")
    expect(page.locator("#part-canaries")).to_contain_text("does not end")


def test_parts_without_data_are_left_out(open_page: OpenPage) -> None:
    report = EVALUATED.report.model_copy(
        update={
            "comparisons": (), "held_out": (), "canaries": (), "overlaps": (), "judged": (),
            "verdict": None,
        }
    )  # fmt: skip
    page = open_page(Evaluated(report, []))

    expect(page.locator(".verdict-word")).to_have_text("No verdict")
    assert texts(page, "#sections > .card > h2") == [
        "Matrix", "How much the prompt matters", "Ways of scoring", "Written answers", "Models",
    ]  # fmt: skip


def test_another_challenger_has_its_own_differences(open_page: OpenPage) -> None:
    page = open_page()
    part = page.locator("#part-differences")
    before = texts(page, "#part-differences .forest-text")

    part.get_by_role("button", name="chat-full/0003").click()

    assert texts(page, "#part-differences .forest-text") != before
    assert part.locator(".forest-line .strip").count() == 12


@pytest.mark.parametrize("outcome", ["mine", "theirs", "both", "none"])
def test_answers_are_filtered_by_who_was_right(open_page: OpenPage, outcome: str) -> None:
    page = open_page(address=f"#view=answers&outcome={outcome}&task=movie-sentiment-ko")
    marks = {
        (row.model, row.item, row.shots, row.wording, row.draw): row.marks
        for row in EVALUATED.rows
        if row.task == "movie-sentiment-ko"
    }
    wanted = {"mine": (100, 0), "theirs": (0, 100), "both": (100, 100), "none": (0, 0)}[outcome]
    count = sum(
        (mark, marks[(BASE, *key[1:])]) == wanted for key, mark in marks.items() if key[0] == LORA
    )

    expect(page.locator("#hits")).to_have_text(f"{count} of 288")
    assert page.locator(".item").count() == min(20, count)
    sides = page.locator(".item").first.locator(".side")
    assert "right" in (sides.nth(1).get_attribute("class") or "") or wanted[0] == 0


def test_an_item_shows_text_label_predictions_and_probabilities(open_page: OpenPage) -> None:
    page = open_page(address="#view=answers&task=movie-sentiment-ko&shots=0&wording=arrow")
    row = next(
        r for r in EVALUATED.rows
        if (r.task, r.shots, r.wording, r.model) == ("movie-sentiment-ko", 0, "arrow", LORA)
    )  # fmt: skip
    item = page.locator(".item").first

    expect(item.locator(".item-text")).to_have_text(row.text)
    expect(item.locator(".wanted")).to_contain_text(row.label)
    mine = item.locator(".side").nth(1)
    expect(mine.locator(".predicted")).to_contain_text(row.prediction)
    # Three to one to one.
    assert sorted(mine.locator(".chance-line .note").all_text_contents()) == ["20%", "20%", "60%"]
    item.locator("summary").click()
    expect(item.locator(".side")).to_have_count(3)


def test_the_largest_gains_come_first_when_asked_for(open_page: OpenPage) -> None:
    page = open_page(address="#view=answers&order=gains&task=topic-ko&shots=0")

    expect(page.locator(".item").first.locator(".badge").first).to_have_text(
        "Only challenger right"
    )
    page.locator("#select-order").select_option("losses")
    expect(page.locator(".item").first.locator(".badge").first).not_to_have_text(
        "Only challenger right"
    )


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param("지루했지만 7번째", 20, id="korean-words-in-any-order"),
        pytest.param("SPLENDID 7", 20, id="english-in-any-case"),
        pytest.param("nothing-like-this", 0, id="absent"),
    ],
)
def test_answers_are_searched(open_page: OpenPage, query: str, count: int) -> None:
    page = open_page()
    page.keyboard.press("/")
    page.keyboard.insert_text(query)

    # Each text once in two tasks of a language; one variant each at zero-shot, two draws at four.
    said = f"{2 * 6 if count else 0} of 288" if count else "No answer fits."
    expect(page.locator("#hits")).to_contain_text(said)


def test_pages_turn_and_the_address_keeps_the_view(open_page: OpenPage) -> None:
    page = open_page(address="#view=answers")
    page.locator("#pager-top").get_by_role("button", name="Next page").click()

    expect(page.locator("#pager-top .note")).to_have_text("2 of 15")
    expect(page).to_have_url(re.compile("#view=answers&page=2$"))
    page.reload()
    page.wait_for_selector("body[data-loaded]")
    expect(page.locator("#pager-top .note")).to_have_text("2 of 15")
    page.locator("#outcomes").get_by_role("button", name="Both right").click()
    expect(page).not_to_have_url(re.compile("page="))


def test_the_page_speaks_korean_and_english(open_page: OpenPage) -> None:
    page = open_page(language="ko")

    expect(page.locator(".verdict-word")).to_have_text("보류")
    expect(page.locator("#part-matrix h2")).to_have_text("평가표")
    page.get_by_role("button", name="English").click()
    expect(page.locator(".verdict-word")).to_have_text("Hold")
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize(("language", "tab"), [("en", "Answers"), ("ko", "문항별 답")])
@pytest.mark.parametrize("width", [360, 420, 1400])
def test_nothing_is_wider_than_the_window(
    open_page: OpenPage, language: Language, tab: str, width: int
) -> None:
    page = open_page(cycles=make_cycles(), language=language)
    page.set_viewport_size({"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_role("button", name=tab, exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_on_colours_can_be_read(open_page: OpenPage, scheme: str) -> None:
    page = open_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    # WCAG 2.2, relative luminance; the canvas turns any colour of CSS into bytes.
    ratios: list[float] = page.evaluate(
        """() => {
          const sheet = document.createElement("canvas");
          const canvas = sheet.getContext("2d", { willReadFrequently: true });
          const light = colour => {
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(byte => {
              const part = byte / 255;
              return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const cell = document.querySelector(".matrix .cell");
          const ratios = [];
          for (const side of ["above", "below"]) for (const amount of [0, 50, 100]) {
            cell.className = `cell heat ${side}`;
            cell.style.setProperty("--amount", `${amount}%`);
            const style = getComputedStyle(cell);
            const [one, other] = [light(style.color), light(style.backgroundColor)];
            ratios.push((Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05));
          }
          return ratios;
        }"""
    )

    assert min(ratios) >= 4.5


def test_a_hundred_thousand_answers_are_filtered_without_a_wait(open_page: OpenPage) -> None:
    tasks = [Asked(f"t{n}", "topic", "en", ("a", "b", "c")) for n in range(5)]
    evaluated = make_evaluation(("base", "chat"), tasks, items=1_700, shots=(0, 4))
    assert len(evaluated.rows) > 100_000
    page = open_page(evaluated, "#view=answers")

    expect(page.locator("#hits")).to_have_text("51,000 of 51,000")
    page.keyboard.press("/")
    page.keyboard.insert_text("1699")
    expect(page.locator("#hits")).to_have_text("30 of 51,000")
    assert page.locator("*").count() < 5_000


def make_hostile() -> Evaluated:
    """Put every payload wherever a model or a user can write, names of models too."""
    models = ("__proto__", PAYLOADS[0], PAYLOADS[1])
    evaluated = make_evaluation(models, [Asked("made up", "topic", "en", ("a", "b"))], items=2)
    rows = [
        ItemRow(
            model=model, task=text, shots=0, wording=text, draw=0, item=text, text=text,
            label=text, references=(), prediction=text, marks=100, ended=None,
            log_probs=(Score(text, -1.0), Score(f"{text}!", -2.0)),
        )
        for text in PAYLOADS for model in models
    ]  # fmt: skip
    report = evaluated.report
    bad = "".join(PAYLOADS)
    variant = report.matrix[0].variants[0].model_copy(update={"wording": bad})
    matrix = tuple(
        row.model_copy(update={"task": text, "variants": (variant, variant)})
        for text, row in zip(PAYLOADS, report.matrix * len(PAYLOADS), strict=False)
    )
    return Evaluated(
        report.model_copy(
            update={
                "matrix": report.matrix + matrix,
                "template_note": bad,
                "comparisons": tuple(
                    one.model_copy(update={"task": text, "baseline_wording": text,
                                           "kind": "zero-to-best-wording"})
                    for text, one in zip(PAYLOADS, report.comparisons * 999, strict=False)
                ),
                "models": {
                    name: facts.model_copy(update={"dataset": bad, "damage": bad})
                    for name, facts in report.models.items()
                },
                "canaries": tuple(
                    report.canaries[0].model_copy(update={"answer": text, "instruction": text,
                                                          "model": text})
                    for text in PAYLOADS
                ),
                "overlaps": tuple(
                    report.overlaps[0].model_copy(update={"task": text, "items": (text,)})
                    for text in PAYLOADS
                ),
                "judged": (report.judged[0].model_copy(update={"judge": bad}),),
                "verdict": GateVerdict(
                    verdict="reject", reasons=tuple(PAYLOADS), challenger=bad, champion=bad,
                    checks=tuple(
                        GateCheck(name="gain", outcome="reject", reason=text) for text in PAYLOADS
                    ),
                ),
            }
        ),
        rows + evaluated.rows,
    )  # fmt: skip


@pytest.fixture(scope="module")
def hostile() -> Evaluated:
    return make_hostile()


def assert_nothing_ran(page: Page) -> None:
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("({}).hacked") is None
    own = page.locator("img, iframe, object, embed, base, form, video, audio")
    assert own.count() == 0
    assert page.locator("a[href]:not(.skip)").count() == 0


def test_payloads_are_read_as_text_in_the_findings(open_page: OpenPage, hostile: Evaluated) -> None:
    cycles = [Cycle(text, text, make_cycles()[0].scores, {}) for text in PAYLOADS[:20]]
    page = open_page(hostile, cycles=cycles)

    assert texts(page, ".canary .question") == list(dict.fromkeys(PAYLOADS))
    assert texts(page, ".check-text [lang]") == PAYLOADS
    assert set(PAYLOADS) <= set(texts(page, ".matrix .task-name"))
    page.locator(".matrix .cell").first.hover()
    assert_nothing_ran(page)


def test_payloads_are_read_as_text_in_the_answers(open_page: OpenPage, hostile: Evaluated) -> None:
    page = open_page(hostile, "#view=answers")
    found: list[str] = []
    for _ in range(len(PAYLOADS) // 20 + 1):
        page.evaluate(OPEN_ALL)
        found += texts(page, ".item-text")
        page.locator("#pager-top").get_by_role("button", name="Next page").click()

    assert found[: len(PAYLOADS)] == PAYLOADS
    for query in ("<script>", "__proto__", "\\", "[", ".*", "\u202e"):
        page.locator("#search").fill(query)
    assert_nothing_ran(page)


@pytest.mark.parametrize(
    "hash_",
    [
        "#view=answers&query=<img src=x onerror=window.hacked=1>",
        "#view=__proto__&outcome=constructor&order=__proto__&page=-1",
        "#view=answers&mine=__proto__&theirs=constructor",
        "#view=answers&task=<img src=x onerror=window.hacked=1>&page=1e9",
    ],
)
def test_a_hostile_address_does_nothing(open_page: OpenPage, hash_: str) -> None:
    page = open_page(address=hash_)

    assert_nothing_ran(page)
