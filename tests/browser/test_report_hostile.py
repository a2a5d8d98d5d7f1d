"""Whatever a model or a user wrote, the report shows it as text and runs none of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from pipeline.publishing.edition import Edition
from pipeline.publishing.statistics.figures import Diversity, Phrase
from schemas.exchange import Completion, Decoding, Exchange, Message, Prompt
from schemas.judgements import Assessment, Grade, Judgement
from schemas.records import InstructionRecord, Neighbour, Provenance, Rejection, SeedTask, to_draft
from tests.browser.editions import make_edition
from tests.browser.settling import settle

pytestmark = pytest.mark.browser

OpenReport = Callable[..., Page]

FAMILIES: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[1] / "publishing" / "hostile.json").read_text("utf-8")
)
# A record cannot be white space alone; all else stands in it from its first character on.
PAYLOADS = [text if text.strip() else f"x{text}" for own in FAMILIES.values() for text in own]

# Opens every row and reads what a person would: its texts, and all other text of its story.
READ_STORIES = """async addresses => {
  const found = [];
  const id = document.getElementById("story-id");
  for (const address of addresses) {
    const channel = new MessageChannel();
    const turn = () => new Promise(resolve => {
      channel.port1.onmessage = resolve;
      channel.port2.postMessage(0);
    });
    while (id.textContent !== address) await turn();
    const read = field => document.querySelector(`.text-${field} .prose`)?.textContent ?? "";
    const story = document.getElementById("story").textContent;
    found.push([["instruction", "input", "output"].map(read), story]);
    document.getElementById("next").click();
  }
  return found;
}"""


def make_origin(number: int) -> Provenance:
    return Provenance(
        strategy=PAYLOADS[number],
        teacher=PAYLOADS[number],
        completion_id=f"{number:016x}",
        seed_ids=(f"seed {PAYLOADS[number]}",),
        source_licence=PAYLOADS[number],
        derived_from=PAYLOADS[number],
    )


def make_record(number: int) -> InstructionRecord:
    text = PAYLOADS[number]
    return InstructionRecord(
        instruction=text,
        input=text,
        output=text,
        language=("en", "ko")[number % 2],
        provenance=make_origin(number),
    )


def make_rejected(number: int) -> Rejection:
    record = make_record(number).model_copy(update={"output": f"again {PAYLOADS[number]}".strip()})
    return Rejection(
        draft=to_draft(record),
        stage="rules",
        reason="nonsense",
        detail=PAYLOADS[number],
        score=0.5,
        collides_with=PAYLOADS[number],
    )


def find_exchange(completion_id: str) -> Exchange:
    text = PAYLOADS[int(completion_id, 16)]
    prompt = Prompt(
        messages=(Message(role="system", content=text), Message(role="user", content=f"{text}!")),
        decoding=Decoding(),
        strategy=text,
        language="en",
    )
    completion = Completion(
        id=completion_id, model=text, text=f'{{"output": "{text}"}}', finish_reason=text
    )
    return Exchange(prompt, completion)


def make_hostile_edition() -> Edition:
    kept = [make_record(number) for number in range(len(PAYLOADS))]
    seeds = [
        SeedTask(id=f"seed {text}", language="en", instruction=text, output=text, source=text)
        for text in PAYLOADS
    ]
    judgement = {
        record.id: Assessment(Judgement(*(Grade(3, text) for _ in range(3))), 0.5)
        for record, text in zip(kept, PAYLOADS, strict=True)
    }
    edition = make_edition(
        kept,
        [make_rejected(number) for number in range(len(PAYLOADS))],
        assessments=judgement,
        nearest={
            record.id: Neighbour(seed.id, 0.5) for record, seed in zip(kept, seeds, strict=True)
        },
        seeds=seeds,
        find_exchange=find_exchange,
    )
    return edition._replace(
        manifest=edition.manifest.model_copy(
            update={
                "teachers": dict.fromkeys(PAYLOADS, 1),
                "strategies": dict.fromkeys(PAYLOADS, 1),
                "licence": "".join(PAYLOADS),
                "against": tuple(PAYLOADS),
            }
        ),
        statistics=edition.statistics.model_copy(
            update={
                "languages": {
                    language: figures.model_copy(
                        update={
                            "task_types": dict.fromkeys(PAYLOADS, 1),
                            "strategies": dict.fromkeys(PAYLOADS, 1),
                            "diversity": Diversity(
                                looked_at=1,
                                parsed=1,
                                phrases=tuple(
                                    Phrase(verb=text, noun=text, count=1) for text in PAYLOADS
                                ),
                                distinct_1=0.5,
                                distinct_2=0.5,
                            ),
                        }
                    )
                    for language, figures in edition.statistics.languages.items()
                }
            }
        ),
    )


@pytest.fixture(scope="module")
def edition() -> Edition:
    return make_hostile_edition()


def assert_nothing_ran(page: Page) -> None:
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("({}).hacked") is None
    own = page.locator("img, iframe, object, embed, base, form:not([method=dialog]), video, audio")
    assert own.count() == 0
    assert page.locator("a[href]:not(.skip)").count() == 0


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 200


def test_every_payload_is_read_as_text_in_every_place(
    open_report: OpenReport, edition: Edition
) -> None:
    kept = edition.kept
    page = open_report(edition, f"#open={kept[0].id}")
    drafts = [rejection.draft for rejection in edition.rejected]

    stories = page.evaluate(READ_STORIES, [one.id for one in [*kept, *drafts]])

    for task, (texts, story) in zip([*kept, *drafts], stories, strict=True):
        assert texts == [task.instruction, task.input, task.output]
        # Draft or record, judge or detail, seed task, prompt, answer, licence: all of it.
        assert story.count(task.provenance.source_licence.strip()) >= 6
    assert_nothing_ran(page)


def test_overview_and_table_show_payloads_as_text(
    open_report: OpenReport, edition: Edition
) -> None:
    page = open_report(edition)
    page.locator(".chart", has_text="Kinds of task").get_by_text("Show all").click()
    tasks = page.locator(".chart", has_text="Kinds of task").locator(".bar-name")
    assert set(PAYLOADS) <= set(tasks.all_text_contents())

    page.keyboard.press("o")
    settle(page)
    for key in ("PageDown",) * 8 + ("End", "Home"):
        page.keyboard.press(key)
    assert_nothing_ran(page)


def test_payloads_can_be_searched_for(open_report: OpenReport, edition: Edition) -> None:
    page = open_report(edition, "#view=records")
    page.keyboard.press("/")

    for query in ("<script>", "__proto__", '"', "\\", "${", "[", ".*", "\u202e", "\ufeff"):
        page.locator("#search").fill(query)
        settle(page)
    page.locator("#search").fill("</script><script>window.hacked=1</script>")
    settle(page)

    wanted = "</script><script>window.hacked=1</script>"
    assert page.locator("#hits").text_content() == (
        f"{2 * sum(wanted in text for text in PAYLOADS)} of {2 * len(PAYLOADS)} rows"
    )
    assert_nothing_ran(page)


@pytest.mark.parametrize(
    "hash_",
    [
        "#q=<img src=x onerror=window.hacked=1>&view=records",
        "#open=<img src=x onerror=window.hacked=1>",
        "#sort=__proto__&view=records",
        "#stage=__proto__&reason=constructor&view=records",
        "#score=..&similarity=x..y&view=records",
    ],
)
def test_a_hostile_address_does_nothing(
    open_report: OpenReport, edition: Edition, hash_: str
) -> None:
    page = open_report(edition, hash_)

    assert_nothing_ran(page)
