"""The card is a valid dataset card whose version loads, and its first screen answers."""

from pathlib import Path
from typing import get_args

import pytest
from huggingface_hub import DatasetCard
from hypothesis import given
from hypothesis import strategies as st

from pipeline.publishing.card.card import render_card
from pipeline.publishing.card.front_matter import render_front_matter
from pipeline.publishing.card.reasons import MEANINGS
from pipeline.publishing.card.speaker import percent
from pipeline.publishing.card.words import STAGE_NAMES, STAGE_QUESTIONS, TASK_NAMES
from pipeline.publishing.funnel import count_funnel
from pipeline.publishing.publish import Publication, publish
from schemas.manifest import DatasetManifest
from schemas.records import STAGES, InstructionRecord, Language, Reason, Rejection, TaskType
from tests.publishing.card_editions import (
    Texts,
    make_edition,
    make_record,
    make_rejection,
    make_run,
)

ENGLISH = make_record(Texts("Say hi.", "", "Hi"))
KOREAN = make_record(Texts("인사해 줘.", "철수에게", "철수야, 안녕!"), "ko")


def first_screen(card: str) -> str:
    return card.split("\n---\n", 1)[1].split("\n## ", 1)[0]


def publish_records(folder: Path, kept: list[InstructionRecord], rejected: list[Rejection]) -> Path:
    return publish(
        Publication("toy", kept, rejected, (), {}, None, (), (), "apache-2.0", "v"), folder
    )


def test_front_matter_is_a_dataset_cards() -> None:
    data = DatasetCard(render_card(make_edition([ENGLISH, KOREAN]))).data.to_dict()

    assert data["language"] == ["en", "ko"]
    assert data["license"] == "apache-2.0"
    assert data["task_categories"] == ["text-generation"]
    assert data["size_categories"] == ["n<1K"]
    assert data["language_creators"] == ["machine-generated"]
    assert "synthetic" in data["tags"]
    assert [part["split"] for part in data["configs"][0]["data_files"]] == ["train", "validation"]


@pytest.mark.parametrize(
    ("kept", "size"), [(999, "n<1K"), (1000, "1K<n<10K"), (100_000, "100K<n<1M")]
)
def test_size_is_the_hubs(kept: int, size: str) -> None:
    manifest = make_edition().manifest.model_copy(update={"kept": kept})

    card = DatasetCard(render_front_matter(manifest))

    assert card.data.to_dict()["size_categories"] == [size]


def test_licence_that_the_hub_does_not_know_is_named_beside_other() -> None:
    card = DatasetCard(render_front_matter(make_edition(licence="Teacher's Terms, v2").manifest))

    data = card.data.to_dict()
    assert (data["license"], data["license_name"]) == ("other", "teacher-s-terms-v2")


@given(licence=st.text(min_size=1))
def test_front_matter_survives_any_licence(licence: str) -> None:
    manifest = make_edition([ENGLISH]).manifest.model_copy(update={"licence": licence})

    card = DatasetCard(f"{render_front_matter(manifest)}\n\n# toy\n")
    data = card.data.to_dict()
    assert data["language"] == ["en"]
    assert data["configs"][0]["data_files"] == [{"split": "train", "path": "data/train.parquet"}]
    assert card.text.strip() == "# toy"


def test_version_loads_by_path_with_both_splits(tmp_path: Path) -> None:
    import datasets

    folder = publish_records(tmp_path, [ENGLISH, KOREAN], [make_rejection()])

    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))

    assert {name: len(rows) for name, rows in loaded.items()} == {"train": 1, "validation": 1}
    assert loaded["train"].column_names == loaded["validation"].column_names
    rows = [output for split in loaded.values() for output in split["output"]]
    assert set(rows) == {"Hi", "철수야, 안녕!"}


def test_version_of_one_record_loads_and_has_no_validation_split(tmp_path: Path) -> None:
    import datasets

    folder = publish_records(tmp_path, [ENGLISH], [])

    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))

    assert {name: len(rows) for name, rows in loaded.items()} == {"train": 1}


def test_version_of_rejections_names_no_split_and_says_that_there_is_nothing_to_load() -> None:
    card = DatasetCard(render_card(make_edition([], [make_rejection()])))

    assert "configs" not in card.data.to_dict()
    assert "there is nothing to load" in card.text


@pytest.mark.parametrize(
    ("language", "answers"),
    [
        pytest.param(
            "en",
            [
                "**2 instruction records** (1 English, 1 Korean)",
                "1 train, 1 validation",
                "67% of 3 drafts kept; no person has checked it",
                "`apache-2.0`",
                'load_dataset("outputs/datasets/toy/0001-0123456789ab")',
                "[instruction]\nSay hi.",
            ],
            id="en",
        ),
        pytest.param(
            "ko",
            [
                "**지시 레코드 2건**(영어 1건, 한국어 1건)",
                "학습용 1건, 검증용 1건",
                "초안 3건 가운데 67%를 남김, 사람이 확인하지 않음",
                "`apache-2.0`",
                'load_dataset("outputs/datasets/toy/0001-0123456789ab")',
                "[input]\n철수에게",
            ],
            id="ko",
        ),
    ],
)
def test_first_screen_says_what_how_big_how_good_and_how_to_load(
    language: Language, answers: list[str]
) -> None:
    edition = make_edition([ENGLISH, KOREAN], [make_rejection()], card_language=language)

    screen = first_screen(render_card(edition))

    for answer in answers:
        assert answer in screen
    assert screen.count("\n") < 40


def test_korean_card_speaks_no_english_of_ours() -> None:
    edition = make_edition(
        [KOREAN], [make_rejection(language="ko")], card_language="ko", runs=[make_run()]
    )

    headings = [line for line in render_card(edition).splitlines() if line.startswith("#")]

    assert len(headings) > 10
    for heading in headings[2:]:
        assert any("가" <= letter <= "힣" for letter in heading), heading


def test_every_reason_stage_and_kind_of_task_has_words_in_both_languages() -> None:
    assert set(MEANINGS) == set(get_args(Reason))
    assert set(STAGE_NAMES) == set(STAGE_QUESTIONS) == set(STAGES)
    assert set(TASK_NAMES) == set(get_args(TaskType))
    said = [*MEANINGS.values(), *((one["en"], one["ko"]) for one in STAGE_NAMES.values())]
    for english, korean in said:
        assert english.isprintable()
        assert any("가" <= letter <= "힣" for letter in korean), korean


def test_funnel_ends_at_the_kept_records() -> None:
    rejected = [
        make_rejection(stage="rules", reason="refusal"),
        make_rejection(stage="novelty", language="ko"),
    ]
    steps = count_funnel([ENGLISH], rejected)

    assert steps[0].remaining == {"en": 2, "ko": 1}
    assert steps[-1].remaining == {"en": 1, "ko": 0}
    assert sum(step.dropped_count for step in steps) == 2


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(
    ("kept", "rejected"),
    [
        pytest.param([ENGLISH], [], id="one-record"),
        pytest.param([], [make_rejection()], id="only-rejections"),
        pytest.param([], [], id="no-drafts"),
    ],
)
def test_versions_with_next_to_nothing_in_them_have_cards(
    kept: list[InstructionRecord], rejected: list[Rejection], language: Language
) -> None:
    edition = make_edition(kept, rejected, card_language=language)

    card = DatasetCard(render_card(edition))

    assert card.data.to_dict()["size_categories"] == ["n<1K"]
    assert "nan" not in card.text.replace("finance", "")


def test_megabyte_records_are_clipped_and_say_how_much_is_missing() -> None:
    huge = Texts("가" * 1_000_000, "\n" * 10 + "b " * 500_000, "`" * 1_000_000)

    card = render_card(make_edition([make_record(huge)], [make_rejection(huge)]))

    assert len(card) < 30_000
    assert "[…+999,400]" in card
    assert max(map(len, card.splitlines())) < 1_500


def test_hundreds_of_teachers_are_named_in_part() -> None:
    teachers = {f"teacher-{number}": number for number in range(1, 301)}

    card = render_card(make_edition([ENGLISH], teachers=teachers, runs=[make_run()]))

    assert "`teacher-300`, `teacher-299`, `teacher-298` and 297 more" in first_screen(card)
    assert len(card) < 10_000


def test_every_reason_may_occur_at_once() -> None:
    rejected = [make_rejection(reason=reason) for reason in get_args(Reason)]

    card = render_card(make_edition([ENGLISH], rejected))

    assert all(f"| `{reason}` |" in card for reason in get_args(Reason))
    assert card.count("<details>") == 8


def test_same_edition_gives_the_same_card() -> None:
    edition = make_edition([ENGLISH, KOREAN], [make_rejection()])

    assert render_card(edition) == render_card(edition)


def test_manifest_of_an_import_says_that_nobody_knows_who_wrote_it() -> None:
    edition = make_edition([ENGLISH], teachers={"rows.jsonl": 1}, strategies={"import": 1})

    card = render_card(edition)

    assert isinstance(edition.manifest, DatasetManifest)
    assert "does not know who or what wrote them" in card
    assert "## Rounds and cost" not in card
    assert "teacher" not in card.split("```")[0].split("# toy", 1)[1]
    assert "./pacaloom curate --name toy --input FILE" in card


def test_front_matter_does_not_say_that_a_machine_wrote_an_import() -> None:
    imported = make_edition([ENGLISH], strategies={"import": 1})
    mixed = make_edition([ENGLISH, KOREAN], strategies={"import": 1, "structured": 1})

    data, both = (DatasetCard(render_card(one)).data.to_dict() for one in (imported, mixed))

    assert data["language_creators"] == data["annotations_creators"] == ["found"]
    assert data["tags"] == ["instruction-tuning", "pacaloom"]
    assert "source_datasets" not in data
    assert both["language_creators"] == ["machine-generated", "found"]
    assert "synthetic" in both["tags"]


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 0, "0%"),
        (0, 9, "0%"),
        (1, 100_000, "<0.1%"),
        (1, 1000, "0.1%"),
        (99, 1000, "9.9%"),
        (100, 1000, "10%"),
        (1999, 2000, ">99.9%"),
        (999, 1000, "99.9%"),
        (7, 7, "100%"),
    ],
)
def test_share_says_nothing_only_of_nothing_and_all_only_of_all(
    part: int, whole: int, said: str
) -> None:
    assert percent(part, whole) == said
