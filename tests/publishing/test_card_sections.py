"""Each section of the card tells its figures, in both languages, and is absent without them."""

import pytest

from pipeline.publishing.card.card import render_card
from pipeline.publishing.difference import Change, Difference, Loss
from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.picture import Picture
from pipeline.publishing.statistics.drift import Shift
from schemas.manifest import JudgeReport, ParentDataset, ReviewReport, RoundYield
from schemas.records import Language
from tests.publishing.card_editions import (
    Texts,
    make_edition,
    make_phrases,
    make_record,
    make_rejection,
    make_run,
    make_statistics,
)

RECORDS = [make_record(), make_record(Texts("과일 하나만 말해 줘.", "", "사과"), "ko")]
PHRASES = make_phrases(["write"], ["story", "poem"])
STATISTICS = make_statistics({"en": PHRASES, "ko": []}, [RoundYield(drafts=4, admitted=2)] * 3)
LENGTHS = "2,000 | 8 | 12 | 1,234 | 2,000 | 3,999"
JUDGE = JudgeReport(
    model="judge-1",
    judged=1200,
    means={"helpfulness": 4.25},
    mean_score=4.1,
    audited=40,
    audited_mean_score=2.5,
    kappa=0.61,
)


def section(edition: Edition, heading: str) -> str:
    card = render_card(edition)
    assert f"\n## {heading}\n" in card
    return card.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize(
    ("language", "heading", "told"),
    [
        ("en", "What is in it", [f"| English | `output` | {LENGTHS} |"]),
        ("ko", "무엇이 들어 있나", [f"| 한국어 | `output` | {LENGTHS} |"]),
        ("en", "Diversity", ["in 75% what is asked for", "| `write` | `story` | 400 | 20% |"]),
        ("ko", "다양성", ["그중 75%에서", "| `write` | `story` | 400 | 20% |"]),
        (
            "en",
            "Similarity to the nearest neighbour",
            ["| Korean | 1,000 of 2,000 | 0.41 | 0.66 |"],
        ),
        (
            "ko",
            "가장 비슷한 레코드와의 유사도",
            ["| 한국어 | 2,000건 중 1,000건 | 0.41 | 0.66 |"],
        ),
        ("en", "What the judge says", ["`judge-1` scored 1,200 records", "kappa", "0.61"]),
        ("ko", "심사 결과", ["`judge-1`", "1,200건", "| 유용성 | 4.25 |", "0.61"]),
        ("en", "Splits", ["by lineage", "| `train` | 1 |"]),
        ("ko", "학습용과 검증용", ["계보에 따라", "| `train` | 1 |"]),
    ],
)  # fmt: skip
def test_section_tells_its_figures(language: Language, heading: str, told: list[str]) -> None:
    edition = make_edition(RECORDS, [], STATISTICS, judge=JUDGE, card_language=language)

    text = section(edition, heading)

    for words in told:
        assert words in text


@pytest.mark.parametrize(
    ("language", "heading", "told"),
    [
        ("en", "Diversity", ["2 different pairs", "Of all words 25%", "Of all morphemes 25%"]),
        ("ko", "다양성", ["2가지", "서로 다른 낱말의 비율", "서로 다른 형태소의 비율"]),
    ],
)
def test_pairs_have_a_noun_and_korean_words_are_counted_as_morphemes(
    language: Language, heading: str, told: list[str]
) -> None:
    phrases = make_phrases(["write"], ["story", "poem", ""])
    figures = make_statistics({"en": phrases, "ko": make_phrases(["쓰다"], ["시", "글", ""])})

    text = section(make_edition(RECORDS, [], figures, card_language=language), heading)

    assert text.count(told[0]) == 2
    for words in told[1:]:
        assert text.count(words) == 1


def test_sections_without_figures_are_absent() -> None:
    card = render_card(make_edition(RECORDS))

    for heading in ("Diversity", "What the judge says", "What readers say", "Rounds and cost"):
        assert f"## {heading}" not in card
    assert "Since the version before" not in card
    assert "mixed from" not in card


def test_dollars_follow_from_tokens_and_the_price_of_the_run() -> None:
    # 2 million tokens at 0.40 and 1 million at 1.60 dollars for a million.
    priced = make_run({"price": {"input": 0.4, "output": 1.6}})
    rows = make_edition(
        RECORDS, runs=[priced], prompt_tokens=2_000_000, completion_tokens=1_000_000
    )

    text = section(rows, "Rounds and cost")

    assert "| US dollars | 2.40 |" in text
    assert "| tokens read by the teacher | 2,000,000 |" in text
    assert "| admitted on arrival | 2 (50%) |" in text
    assert "| tokens for a kept record | 1,500,000 |" in text


def test_dollars_are_unknown_when_one_run_had_no_price() -> None:
    priced = make_run({"price": {"input": 0.4, "output": 1.6}})
    edition = make_edition(RECORDS, runs=[priced, make_run({"price": None})])

    assert "| US dollars | unknown" in section(edition, "Rounds and cost")


@pytest.mark.parametrize(
    ("language", "heading", "told"),
    [
        ("en", "What readers say", "read 8 records and drafts and found 25% wrong"),
        ("ko", "사람의 검토", "8건을 읽었고 25%를 고치거나 거절했습니다"),
    ],
)
def test_share_that_readers_found_wrong_is_told(
    language: Language, heading: str, told: str
) -> None:
    review = ReviewReport(accepted=6, edited=1, rejected=1, restored=0, unused=3)
    edition = make_edition(RECORDS, review=review, card_language=language)

    assert told in section(edition, heading)
    assert "no person has checked" not in render_card(edition)


@pytest.mark.parametrize(
    ("language", "heading", "told"),
    [
        ("en", "From drafts to records", "2 drafts that an earlier stage had dropped"),
        ("ko", "초안에서 레코드까지", "사람이 되살린 초안 2건은 남은 것으로 셉니다"),
    ],
)
def test_funnel_owns_up_to_drafts_that_readers_brought_back(
    language: Language, heading: str, told: str
) -> None:
    review = ReviewReport(accepted=3, edited=0, rejected=0, restored=2, unused=0)
    edition = make_edition(RECORDS, review=review, card_language=language)

    assert told in section(edition, heading)


@pytest.mark.parametrize(
    ("language", "heading", "told"),
    [
        ("en", "Evaluation items", ["`exam.jsonl`", "2 drafts dropped", "does not find items"]),
        ("ko", "평가 문항 유출", ["`exam.jsonl`", "초안 2건을 버렸습니다", "찾지 못하며"]),
    ],
)
def test_contamination_says_what_was_held_against_and_what_it_does_not_prove(
    language: Language, heading: str, told: list[str]
) -> None:
    rejected = [
        make_rejection(reason="contaminated-exact", stage="contamination"),
        make_rejection(reason="contaminated-lineage", stage="contamination"),
    ]
    curation = {"stage": ["contamination"], "contamination": {"sets": ["exam.jsonl"]}}
    edition = make_edition(RECORDS, rejected, curation=curation, card_language=language)

    text = section(edition, heading)

    for words in told:
        assert words in text


@pytest.mark.parametrize(
    ("language", "heading", "told"),
    [
        ("en", "Evaluation items", "rewrote or brought back were not held against them again"),
        ("ko", "평가 문항 유출", "고치거나 되살린 레코드는 다시 대조하지 않았으므로"),
    ],
)
def test_contamination_proves_nothing_of_what_readers_wrote_or_brought_back(
    language: Language, heading: str, told: str
) -> None:
    accepted, edited, restored = (
        ReviewReport(accepted=1, edited=0, rejected=1, restored=0, unused=0),
        ReviewReport(accepted=0, edited=1, rejected=0, restored=0, unused=0),
        ReviewReport(accepted=1, edited=0, rejected=0, restored=1, unused=0),
    )

    for review, is_told in ((accepted, False), (edited, True), (restored, True)):
        edition = make_edition(RECORDS, review=review, card_language=language)
        assert (told in section(edition, heading)) == is_told


def test_contamination_that_was_not_looked_for_is_said() -> None:
    edition = make_edition(RECORDS, curation={"stage": ["schema"]})

    assert "Not checked" in section(edition, "Evaluation items")


def test_split_by_record_warns_of_a_loss_that_is_too_low() -> None:
    assert "do not take it" in section(make_edition(RECORDS, split_by="record"), "Splits")


def test_parents_are_told_with_licences() -> None:
    parent = ParentDataset(
        source="nsmc", revision=HASH_OF_PARENT, columns={}, available=9000, taken=1200, weight=0.25,
        licence="cc0-1.0",
    )  # fmt: skip
    edition = make_edition(RECORDS, parents=[parent])

    text = section(edition, "What it was mixed from")

    assert "| `nsmc` | `aaaaaaaaaaaa` | 1,200 | 9,000 | 25% | `cc0-1.0` |" in text
    assert "mixed from 1 dataset" in render_card(edition)


HASH_OF_PARENT = "a" * 40


@pytest.mark.parametrize(
    ("language", "heading", "told"),
    [
        (
            "en",
            "Since the version before",
            [
                "Compared with `toy/0001-0123456789ab`.",
                "| added | 1 |",
                "| changed | 1 |",
                "| unchanged | 1,234 |",
                "| – because: the teacher declined to answer | 2 |",
                "| – because: not among the drafts | 1 |",
                "Korean, share of code tasks: 25% → 0%",
                "English, median length of `output` in characters: 1,200 → 900",
            ],
        ),
        (
            "ko",
            "이전 버전과 달라진 점",
            [
                "| 새로 들어옴 | 1 |",
                "| – 이유: 교사 모델이 답변을 거부함 | 2 |",
                "한국어, 코드 과제의 비율: 25% → 0%",
                "영어, `output` 길이의 중앙값(글자): 1,200 → 900",
            ],
        ),
    ],
)
def test_difference_is_told_by_reason_with_the_drift(
    language: Language, heading: str, told: list[str]
) -> None:
    record = make_record()
    difference = Difference(
        older="toy/0001-0123456789ab",
        newer="toy/0002-0123456789ab",
        added=[record],
        lost=[Loss(record, "refusal"), Loss(record, "refusal"), Loss(record, None)],
        changed=[Change(record, record)],
        unchanged=1234,
        regained=[],
        drift=[
            Shift("task-type", "gone", "ko", "code", 0.25, 0.0, 0.001),
            Shift("length", "fell", "en", "output", 1200, 900, 0.001),
        ],
    )
    edition = make_edition(RECORDS, card_language=language)._replace(difference=difference)

    text = section(edition, heading)

    for words in told:
        assert words in text


def test_kinds_of_task_that_are_missing_are_named_as_gaps() -> None:
    provenance = RECORDS[0].provenance.model_copy(update={"task_type": "code"})
    record = RECORDS[0].model_copy(update={"provenance": provenance})

    text = section(make_edition([record], runs=[make_run()]), "Known limits")

    assert "Kinds of task with no English record: classification, extraction," in text
    assert "There is no Korean in it." in text


def test_licences_of_documents_are_told() -> None:
    provenance = RECORDS[0].provenance.model_copy(update={"source_licence": "cc-by-sa-4.0"})
    record = RECORDS[0].model_copy(update={"provenance": provenance})

    assert "`cc-by-sa-4.0` (1)" in section(make_edition([record]), "Known limits")


def test_pictures_stand_in_their_sections_with_their_descriptions() -> None:
    picture = Picture("funnel", "figures/funnel.png", "From drafts", "2 drafts, 1 kept")

    card = render_card(make_edition(RECORDS), [picture])

    funnel = card.split("## From drafts to records")[1].split("\n## ")[0]
    assert "![From drafts. 2 drafts, 1 kept](figures/funnel.png)" in funnel
    assert "`figures/`" in card


def test_notices_are_told_before_the_sections() -> None:
    card = render_card(make_edition(RECORDS), (), ["No font with Hangul was found."])

    assert card.index("> No font with Hangul") < card.index("## From drafts to records")


@pytest.mark.parametrize(
    ("language", "told"), [("en", "out of `r.jsonl`"), ("ko", "출처 `r.jsonl`")]
)
def test_imported_records_are_shown_without_a_teacher(language: Language, told: str) -> None:
    record = make_record()
    origin = record.provenance.model_copy(update={"strategy": "import", "teacher": "r.jsonl"})
    imported = record.model_copy(update={"provenance": origin})

    card = render_card(make_edition([imported], card_language=language, teachers={"r.jsonl": 1}))

    assert told in card
    assert "교사 `" not in card
    assert "by `" not in card


@pytest.mark.parametrize(("language", "heading"), [("en", "Use"), ("ko", "쓰는 법")])
def test_every_command_of_the_card_names_the_version(language: Language, heading: str) -> None:
    text = section(make_edition(RECORDS, card_language=language), heading)

    commands = [line for line in text.splitlines() if line.startswith("./pacaloom")]
    assert len(commands) == 4
    assert all("toy/0001-0123456789ab" in command for command in commands)
