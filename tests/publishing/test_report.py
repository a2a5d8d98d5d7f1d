"""The report holds all of a version in one inert file that is the same on every machine."""

import base64
import hashlib
import json
import re
import zlib
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.generation.config import StrategyName
from pipeline.publishing.edition import Edition
from pipeline.publishing.report import report
from pipeline.publishing.report.encoding import pack, to_inline_json
from pipeline.publishing.report.overview import list_asked_stages
from pipeline.publishing.report.report import ReviewMode, render_report, write_report
from pipeline.publishing.report.rows import MOST_CHARACTERS, collect_rows
from pipeline.publishing.report.stories import collect_stories
from schemas.exchange import Completion, Decoding, Exchange, Message, Prompt
from schemas.judgements import Assessment, Grade, Judgement
from schemas.records import LANGUAGES, STAGES, Neighbour, Reason, SeedTask, TaskType
from tests.browser.editions import make_edition, make_origin, make_record, make_rejection

WORDS = json.loads(
    (Path(report.__file__).parent / "words.json").read_text("utf-8"),
)
SHARED_LINE = "Write one task as a JSON object."


def make_exchange(completion_id: str) -> Exchange:
    prompt = Prompt(
        messages=(Message(role="user", content=f"{SHARED_LINE}\nAbout {completion_id}."),),
        decoding=Decoding(),
        strategy="structured",
        language="ko",
    )
    answer = Completion(id=completion_id, model="t", text="답", finish_reason="stop", latency_s=3)
    return Exchange(prompt, answer)


def make_full_edition() -> Edition:
    first = make_record("서울을 설명해 줘.", "수도이다.", "", "ko", make_origin("a1", 0, ("ko-1",)))
    second = make_record("Name a fruit.", "Kiwi.", "", "en", make_origin("a2"))
    rejected = make_rejection(second, "novelty", "repeat", "same", 0.91234567, first.id)
    seed = SeedTask(id="ko-1", language="ko", instruction="부산을 설명해 줘.", output="항구이다.")
    unused = SeedTask(id="ko-2", language="ko", instruction="쓰이지 않는다.", output="그렇다.")
    judged = Assessment(Judgement(Grade(5, "a"), Grade(4, "b"), Grade(4, "c")), None)
    return make_edition(
        [first, second],
        [rejected],
        assessments={first.id: judged},
        nearest={first.id: Neighbour("ko-1", 0.5)},
        seeds=[seed, unused],
        find_exchange=make_exchange,
    )


def render(edition: Edition, review: ReviewMode | None = None) -> str:
    return "".join(render_report(edition, review=review))


def read_block(page: str, name: str) -> list[dict[str, object]]:
    found = re.search(rf'id="{name}">([^<]*)</script>', page)
    assert found is not None
    return json.loads(zlib.decompress(base64.b64decode(found[1]), wbits=-15))


def test_the_same_edition_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.html", "other.html"):
        write_report(tmp_path / name, make_full_edition())

    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "other.html").read_bytes()


def test_all_rows_are_there_with_what_is_known_of_them() -> None:
    rows = read_block(render(make_full_edition()), "rows-0")

    columns = {name: list(values) for name, values in rows.items()}  # type: ignore[union-attr]
    assert sorted(columns["instruction"]) == sorted(
        ["서울을 설명해 줘.", "Name a fruit.", "Name a fruit."]
    )
    place = columns["instruction"].index("서울을 설명해 줘.")
    assert columns["score"][place] == pytest.approx(13 / 3, abs=1e-4)
    assert columns["nearest"][place] == "ko-1"
    assert columns["decided"][-1] == 0.9123
    assert columns["side"][-1] == 0


def test_lines_that_prompts_share_are_stored_once_and_only_used_seed_tasks() -> None:
    page = render(make_full_edition())

    assert read_block(page, "lines") == [SHARED_LINE]
    told = read_block(page, "stories-0")
    assert [one["messages"] for one in told] == [
        [["user", [0, "About a1."]]],
        [["user", [0, "About a2."]]],
    ]
    assert [seed["id"] for seed in read_block(page, "seeds")] == ["ko-1"]
    # Measured times differ between machines that get the same answers.
    assert "latency_s" not in told[0]


def test_of_many_stories_a_sample_is_held_that_does_not_depend_on_order() -> None:
    kept = [make_record(f"Task {n}.", origin=make_origin(f"{n:016x}")) for n in range(40)]

    found = [
        collect_stories(collect_rows(make_edition(rows)), make_exchange, 5)
        for rows in (kept, kept[::-1])
    ]

    held = [[one.completion.id for one in each.exchanges] for each in found]
    assert held[0] == held[1] == sorted(held[0])
    assert len(held[0]) == 5
    assert found[0].looked_for == 40


def test_imported_records_are_not_looked_for_in_journals() -> None:
    def refuse(completion_id: str) -> Exchange | None:
        raise AssertionError(completion_id)

    origin = make_origin("rows.jsonl:1").model_copy(update={"strategy": "import"})
    render(make_edition([make_record("안녕?", origin=origin)], find_exchange=refuse))


def test_a_long_text_is_cut_and_its_length_kept() -> None:
    page = render(make_edition([make_record("긴 글", "가" * (MOST_CHARACTERS + 7))]))

    columns = read_block(page, "rows-0")
    assert columns["lengths"] == [[3, 0, MOST_CHARACTERS + 7]]  # type: ignore[call-overload]
    assert len(columns["output"][0]) == MOST_CHARACTERS  # type: ignore[call-overload]


@given(
    st.recursive(
        st.text(st.characters(codec=None)) | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_text_comes_back_and_is_no_markup_on_its_way(value: object) -> None:
    inline, packed = to_inline_json(value), pack(value)

    assert json.loads(inline) == value
    assert json.loads(zlib.decompress(base64.b64decode(packed), wbits=-15)) == value
    assert not set("<>&\u2028\u2029") & set(inline + packed)
    inline.encode("utf-8")


def test_half_a_surrogate_pair_does_not_stop_the_report(tmp_path: Path) -> None:
    record = make_record("이모지를 써 줘.")
    judged = Assessment(Judgement(*(Grade(3, "half \ud83d and NUL \0") for _ in range(3))))

    write_report(tmp_path / "report.html", make_edition([record], assessments={record.id: judged}))

    page = (tmp_path / "report.html").read_text("utf-8")
    grades = read_block(page, "rows-0")["grades"]  # type: ignore[call-overload]
    assert grades[0][0] == [3, "half \ud83d and NUL \0"]


@pytest.mark.parametrize("review", [None, ReviewMode()])
def test_the_policy_admits_only_the_scripts_and_styles_of_the_page(
    review: ReviewMode | None,
) -> None:
    page = render(make_full_edition(), review)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None

    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    for text in (*scripts, *styles):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]
    assert len(scripts) == (2 if review else 1)
    assert policy[1].startswith("default-src 'none'; ")
    assert "unsafe" not in policy[1]
    assert ("connect-src 'self'" in policy[1]) == (review is not None)


def test_the_page_names_no_other_host() -> None:
    page = render(make_full_edition())

    assert set(re.findall(r"https?://[^\s'\"]+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\son[a-z]+=", page.split("<script>")[0])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("stages", STAGES),
        ("reasons", get_args(Reason)),
        ("tasks", get_args(TaskType)),
        ("strategies", (*get_args(StrategyName), "import")),
    ],
)
def test_every_name_is_explained_in_both_languages(
    language: str, kind: str, values: tuple[str, ...]
) -> None:
    assert set(WORDS[language][kind]) == set(values)
    assert all(WORDS[language][kind].values())


def test_both_languages_say_the_same_with_the_same_figures() -> None:
    english, korean = WORDS["en"]["page"], WORDS["ko"]["page"]

    assert english.keys() == korean.keys()
    for key in english:
        assert set(re.findall(r"\{\w+\}", english[key])) == set(re.findall(r"\{\w+\}", korean[key]))


def test_stages_are_off_that_were_not_chosen_or_had_nobody_to_ask() -> None:
    manifest = make_edition().manifest

    assert list_asked_stages(manifest) == STAGES[:-2]
    chosen = manifest.model_copy(
        update={"curation": {"stage": ["novelty", "judge"], "judge": {"model": "m"}}}
    )
    assert list_asked_stages(chosen) == ("schema", "novelty", "judge")
