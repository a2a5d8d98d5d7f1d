"""Whatever stands in a record, it ends kept or rejected, and is published as it ended."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.curation.config import CurationConfig
from pipeline.curation.contamination.contamination import ProtectedItem
from pipeline.curation.funnel import curate
from pipeline.curation.rules.catalogue import Profile, RulesConfig
from pipeline.curation.shards import examine_in_processes
from pipeline.publishing.publish import Publication, publish
from pipeline.publishing.tables import read_records, read_rejections
from schemas.records import LANGUAGES, STAGES, Draft, Language, Provenance, Stage, StageResult
from tests.curation.making import make_draft, make_seed

PROFILES: tuple[Profile, ...] = get_args(Profile)
SEEDS = [
    make_seed("en-1", "List three fruits.", "en"),
    make_seed("ko-1", "과일 세 가지를 말해 줘.", "ko"),
    make_seed("en-2", "😀", "en"),
]
PROTECTED = [ProtectedItem("p1", ("What is the capital of Korea?",), "exam")]

# Characters that break text handling: controls, surrogates, invisible and direction marks,
# combining and conjoining letters, flags and joined emoji, digits of other scripts, the last ones.
ODD = (
    "\x00\x07\t\n\r\x1b\x7f\x85\xa0\xad\u0301\u034f\u0e33\u1100\u1161\u11a8\u115f\u2028\u2029"
    "\u200b\u200d\u200e\u202e\u2066\u3000\u3164\ud800\udbff\udc00\udfff\ue000\ufdd0\ufe0f\ufeff"
    "\ufffd\uffff\U0001f1f0\U0001f468\U000e0041\U00010330\U0010ffff٣９½²ſßİ가힣ㅋㅏ漢か"
)
# What rules look for, so that arbitrary text comes near to it.
BAIT = (
    "1 + 1 = 3", "٣ × 4 = ½", "1e999 - 5 =", "일 더하기 일은 삼", "3 * (", "12,345.6.7 / 0 = 0",
    "http://[", "https://a.kr/", "a@b.co", "010-1234-5678", "900101-1234567", "4111 1111 1111 1111",
    "sk-" + "a" * 40, "password: ", "비밀번호는 ", "```python\n", "```", "def f(", "<noinput>",
    "### Response:", "[이름]", "___", "위의 글을 요약해 줘.", "Sorry, I cannot", "as an AI",
    "다음 그림을 보고", "translate to Korean", "한국어로 번역해 줘.", "합니다.", "해요.", "한다.",
)  # fmt: skip


def repeat(pair: tuple[str, int]) -> str:
    return pair[0] * pair[1]


PIECE = st.one_of(
    st.text(st.characters(), max_size=12),
    st.text(st.sampled_from(ODD), max_size=6),
    st.sampled_from(BAIT),
    st.tuples(
        st.one_of(st.characters(), st.sampled_from(ODD), st.sampled_from(BAIT)),
        st.integers(2, 400),
    ).map(repeat),
)
TEXT = st.lists(PIECE, max_size=5).map("".join)


@st.composite
def draw_drafts(draw: st.DrawFn) -> list[Draft]:
    """Draw drafts of both languages whose texts come back, so that some repeat each other."""
    texts = draw(st.lists(TEXT, min_size=1, max_size=4))
    one = st.sampled_from(texts)
    return [
        Draft(
            instruction=draw(one),
            input=draw(st.one_of(st.just(""), one)),
            output=draw(one),
            language=draw(st.sampled_from(LANGUAGES)),
            provenance=Provenance(strategy="import", teacher="f", completion_id=f"f:{number}"),
        )
        for number in range(draw(st.integers(1, 5)))
    ]


def check_and_publish(drafts: Sequence[Draft], result: StageResult) -> None:
    """Hold the result against what went in, and against what is read back."""
    ended = [*result.kept, *(one.draft for one in result.dropped)]
    assert sorted(one.provenance.completion_id for one in ended) == sorted(
        draft.provenance.completion_id for draft in drafts
    )
    assert all(one.detail and one.reason for one in result.dropped)
    assert all(unicodedata.is_normalized("NFC", record.instruction) for record in result.kept)
    publication = Publication(
        name="odd",
        kept=result.kept,
        rejected=result.dropped,
        seeds=(),
        curation={},
        judge=None,
        against=(),
        runs=(),
        licence="other",
        code_version="test",
    )
    with TemporaryDirectory() as folder:
        version = publish(publication, Path(folder))
        assert read_rejections(version) == result.dropped
        by_id = {record.id: record for record in result.kept}
        assert {record.id: record for record in read_records(version)} == by_id


@pytest.mark.parametrize("profile", PROFILES)
@given(draw_drafts())
@example([])
@settings(max_examples=12, deadline=None)
def test_any_text_ends_kept_or_rejected_and_is_published_as_it_ended(
    profile: Profile, drafts: list[Draft]
) -> None:
    config = CurationConfig(rules=RulesConfig(profile=profile))

    check_and_publish(drafts, curate(drafts, SEEDS, config, protected=PROTECTED))


@pytest.mark.parametrize("stage", STAGES)
@given(draw_drafts())
@settings(max_examples=6, deadline=None)
def test_any_text_passes_through_each_stage_alone(stage: Stage, drafts: list[Draft]) -> None:
    config = CurationConfig(stage=(stage,))

    check_and_publish(drafts, curate(drafts, SEEDS, config, protected=PROTECTED))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field", ["instruction", "input", "output"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("가나다 " * 87_000, id="syllables"),
        pytest.param("word " * 200_000, id="words"),
        pytest.param("a" * 1_000_000, id="one-word"),
        pytest.param("(" * 1_000_000, id="brackets"),
        pytest.param("1 + " * 250_000, id="sum"),
        pytest.param("e" + "\u0301" * 1_000_000, id="combining-marks"),
        pytest.param("\n" * 500_000 + "x" + "\r\n" * 250_000, id="line-ends"),
    ],
)
def test_megabyte_of_text_ends_in_any_field(language: Language, field: str, text: str) -> None:
    draft = make_draft("Explain 바다.", language).model_copy(update={field: text})

    check_and_publish([draft], curate([draft], SEEDS))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a\ud800b", "broken-text"),
        ("a\x00b", "broken-text"),
        ("a\u202eb", "broken-text"),
        ("a\u200bb", "broken-text"),
        ("", "empty-instruction"),
        (" \r\n\u2028\t", "empty-instruction"),
        ("😀😀", "instruction-too-short"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_broken_instruction_is_rejected_with_its_reason(
    language: Language, text: str, reason: str
) -> None:
    result = curate([make_draft(text, language)], ())

    assert [one.reason for one in result.dropped] == [reason]


def test_decomposed_korean_with_mixed_line_ends_is_kept_composed() -> None:
    text = "다음 낱말로 문장을 지어 줘.\r\n바다\r하늘\u2028구름"
    draft = make_draft(
        unicodedata.normalize("NFD", text), "ko", output="바다 위 하늘에 구름이 떠 있다."
    )

    result = curate(
        [draft, make_draft(text, "ko", output="하늘에 구름이, 아래에 바다가 있다.")], ()
    )

    assert [one.instruction for one in result.kept] == [
        "다음 낱말로 문장을 지어 줘.\n바다\n하늘\n구름"
    ]
    assert [one.reason for one in result.dropped] == ["exact-duplicate"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", ["duplicate", "novelty", "near-duplicate"])
def test_identical_records_leave_one_in_each_stage_that_compares(
    stage: Stage, language: Language
) -> None:
    drafts = [make_draft("바다를 묘사해 줘. Describe the sea.", language)] * 3000

    result = curate(drafts, (), CurationConfig(stage=(stage,)))

    assert len(result.kept) == 1
    assert {one.collides_with for one in result.dropped} == {result.kept[0].id}


def test_nothing_at_all_gives_an_empty_version_also_with_processes() -> None:
    result = curate([], SEEDS, examine=examine_in_processes(2), protected=PROTECTED)

    assert result == StageResult([], [])
    check_and_publish([], result)
