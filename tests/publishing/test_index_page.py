"""The entry page shows what there is, in words and links, and lets no text become markup."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.publishing.index_page.contents import (
    EvaluationEntry,
    Family,
    JournalEntry,
    Link,
    ModelEntry,
    Outputs,
    Unreadable,
    VersionEntry,
)
from pipeline.publishing.index_page.lineage import describe_size, lay_out
from pipeline.publishing.index_page.markup import make_anchor, tag
from pipeline.publishing.index_page.page import render_index
from pipeline.publishing.index_page.speaking import read_words
from schemas.evaluation import MatrixRow
from schemas.manifest import SourceFile

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOSTILE = Path(__file__).parent / "hostile.json"


def make_version(ordinal: int, name: str = "fruit") -> VersionEntry:
    return VersionEntry(
        name=name, version=f"{ordinal:04d}-0123456789ab", changed=NOON, kept=60, generated=80,
        kept_by_language={"en": 20, "ko": 40}, teachers=("teacher-1",),
        seeds=(SourceFile(path="seeds/ko.jsonl", sha256="a" * 64),), parents=(), against=(),
        is_generated=True, judge_score=None, reviewed=0, licence="apache-2.0",
        links=(Link("report", f"datasets/{name}/x/report.html"),),
    )  # fmt: skip


def make_model(dataset: str, *, is_champion: bool = False, text: str = "smollm2") -> ModelEntry:
    return ModelEntry(
        name="chat", version="0001-0123456789ab", changed=NOON, method="lora", student=text,
        dataset=dataset, loss_before=1.5, loss_after=1.25, verdict="promote",
        is_champion=is_champion, links=(),
    )  # fmt: skip


def make_evaluation(model: str, text: str = "better") -> EvaluationEntry:
    row = MatrixRow(
        model=model, task=text, family="other", language="ko", metric="accuracy", shots=0,
        item_count=100, cluster_count=100, accuracy=0.34, low=0.25, high=0.43, variants=(),
    )  # fmt: skip
    return EvaluationEntry("0123456789abcdef", model, model, NOON, (row,), "promote", (text,), ())


def make_family(count: int = 2) -> Family:
    versions = tuple(make_version(ordinal) for ordinal in range(count, 0, -1))
    model = make_model(versions[-1].reference, is_champion=True)
    evaluation = make_evaluation(model.reference)
    return Family("fruit", JournalEntry(246_000, NOON), versions, (model,), (evaluation,))


class Elements(HTMLParser):
    """All elements of a page, with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_lineage_leads_from_seeds_over_the_journal_to_the_champion() -> None:
    nodes = {node.key: node for node in lay_out(make_family())}

    way = ["champion:chat"]
    while nodes[way[-1]].sources:
        way.append(nodes[way[-1]].sources[0])

    assert [nodes[key].layer for key in way] == [
        "champion", "evaluations", "models", "versions", "journal", "sources",
    ]  # fmt: skip
    assert nodes[way[3]].name == "0001-0123456789ab"


def test_lineage_of_many_versions_keeps_the_newest_and_the_champions_own() -> None:
    nodes = lay_out(make_family(500))

    shown = [node.name for node in nodes if node.layer == "versions"]
    assert shown == [
        "0500-0123456789ab", "0499-0123456789ab", "0498-0123456789ab", "0497-0123456789ab",
        "0001-0123456789ab", "+495",
    ]  # fmt: skip


def test_model_whose_dataset_is_gone_hangs_on_a_node_that_says_so() -> None:
    family = Family("gone", None, (), (make_model("gone/0001-0123456789ab"),), ())

    nodes = lay_out(family)

    assert [(node.layer, node.unit) for node in nodes] == [
        ("versions", "not-here"), ("models", ""),
    ]  # fmt: skip
    assert nodes[1].sources == (nodes[0].key,)


def test_mixture_hangs_on_its_parents_and_imported_records_on_no_journal() -> None:
    mixture = make_version(1)._replace(
        is_generated=False, seeds=(), parents=("other/0001-0123456789ab", "owner/repo")
    )

    nodes = lay_out(Family("fruit", None, (mixture,), (), ()))

    assert [node.layer for node in nodes] == ["sources", "sources", "versions"]
    assert nodes[-1].sources == (nodes[0].key, nodes[1].key)


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "1 kB"), (246_000, "246 kB"), (1_840_000, "1.8 MB"), (73e6, "73 MB"), (2.46e9, "2.5 GB")],
)
def test_size_is_said_in_about_two_digits(size: float, shown: str) -> None:
    assert describe_size(int(size)) == shown


def test_every_line_of_the_picture_and_every_link_within_the_page_ends_somewhere() -> None:
    gone = make_model("gone/0001-0123456789ab")._replace(name="orphan")
    mixture = make_version(1, name="mixture")._replace(parents=("owner/repo", "gone/0009"))
    others = Family("mixture", None, (mixture,), (gone,), ())
    elements = Elements(render_index(Outputs((make_family(12), others), ()))).found

    ids = {attributes["id"] for _, attributes in elements if "id" in attributes}
    nodes = {attributes["data-node"] for _, attributes in elements if "data-node" in attributes}
    for _, attributes in elements:
        href = attributes.get("href") or ""
        if href.startswith("#"):
            assert href[1:] in ids
        assert set((attributes.get("data-from") or "").split()) <= nodes


def test_both_languages_have_the_same_words_and_the_page_uses_no_other() -> None:
    words = read_words()
    page = render_index(Outputs((make_family(12),), (Unreadable("x", "y"),)))

    assert words["en"].keys() == words["ko"].keys()
    for _, attributes in Elements(page).found:
        for use in ("data-say", "data-label", "data-placeholder", "data-column"):
            assert attributes.get(use) is None or attributes[use] in words["en"]


def test_page_asks_nothing_of_any_network_and_forbids_it() -> None:
    page = render_index(Outputs((make_family(),), ()))

    assert "default-src 'none'" in page
    assert "connect-src 'none'" in page
    for _, attributes in Elements(page).found:
        for name in ("src", "href"):
            assert not re.match(r"(?:[a-z]+:)?//|javascript:", attributes.get(name) or "")
        assert not any(name.startswith("on") or name == "style" for name in attributes)


def test_empty_folder_says_how_to_begin() -> None:
    assert "./pacaloom generate" in render_index(Outputs((), ()))


PAYLOADS: list[str] = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{script}}",
    "]]><!--",
    "</title></style>",
    "\x00\u202e\ud800 되돌린 글",
]


def read_payloads() -> list[str]:
    """Take all texts of the shared list too, whatever its shape."""
    found = list(PAYLOADS)
    waiting: list[object] = [json.loads(HOSTILE.read_text(encoding="utf-8"))]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, list):
            waiting += one  # pyright: ignore[reportUnknownArgumentType] - checked one by one
        elif isinstance(one, dict):
            waiting += one.values()  # pyright: ignore[reportUnknownArgumentType]
    return found


def place_everywhere(text: str) -> Outputs:
    version = make_version(1, name=text)._replace(
        teachers=(text,), parents=(text,), against=(text,), licence=text,
        seeds=(SourceFile(path=text, sha256=text),),
    )  # fmt: skip
    model = make_model(text, is_champion=True, text=text)._replace(name=text, method=text)
    family = Family(text, None, (version,), (model,), (make_evaluation(text, text),))
    return Outputs((family,), (Unreadable(text, text),))


def test_no_hostile_text_becomes_markup() -> None:
    harmless = Elements(render_index(place_everywhere("harmless"))).found
    shape = [(name, sorted(attributes)) for name, attributes in harmless]

    for payload in read_payloads():
        page = render_index(place_everywhere(payload))
        page.encode("utf-8")
        found = Elements(page).found
        assert [(name, sorted(attributes)) for name, attributes in found] == shape, payload


def test_text_that_reorders_or_hides_is_replaced_by_a_sign() -> None:
    assert tag("p", None, "a\u202eb\x00c\ud800") == "<p>a\ufffdb\ufffdc\ufffd</p>"


def test_hangul_is_shown_as_it_is_and_makes_an_anchor_of_plain_letters() -> None:
    assert tag("p", {"title": "한 & 글"}, "한글 <b>") == '<p title="한 &amp; 글">한글 &lt;b&gt;</p>'
    assert re.fullmatch(r"[\w.~-]+", make_anchor("dataset", '과일/0001 "x"'), re.ASCII)
