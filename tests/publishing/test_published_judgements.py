"""What judge and student found goes with the version, and changes neither its records nor hash."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.publishing.publish import Publication, publish
from pipeline.publishing.tables import TableError, read_assessments, write_assessments
from pipeline.publishing.versions import open_version
from schemas.judgements import Assessment, Grade, Judgement
from schemas.manifest import JudgeReport
from schemas.records import InstructionRecord, Provenance

PROVENANCE = Provenance(strategy="import", teacher="t", completion_id="c")
RECORDS = [
    InstructionRecord(instruction=text, output="답", language="ko", provenance=PROVENANCE)
    for text in ("하나", "둘", "셋")
]
JUDGEMENT = Judgement(Grade(5, "다 했다."), Grade(4, "one slip"), Grade(3, ""))
FOUND = {
    RECORDS[0].id: Assessment(JUDGEMENT, 0.7512345678901234),
    RECORDS[1].id: Assessment(None, 1.25),
    RECORDS[2].id: Assessment(),
}
HOSTILE = "x` <img src=y> ``| z\n# Heading"


def make_publication(
    found: dict[str, Assessment] | None = None, model: str | None = None
) -> Publication:
    report = None
    if model is not None:
        report = JudgeReport(
            model=model,
            judged=3,
            means={"helpfulness": 4.25, "correctness": 3.5, "clarity": 3.0},
            mean_score=3.58,
            audited=7,
            audited_mean_score=None,
            kappa=None,
        )
    return Publication(
        "toy",
        RECORDS,
        [],
        (),
        {},
        report,
        (),
        (),
        "apache-2.0",
        "v",
        assessments=found or {},
        card_language="en",
    )


def test_scores_reasons_and_difficulties_are_read_back_exactly(tmp_path: Path) -> None:
    folder = publish(make_publication(FOUND), tmp_path)

    assert read_assessments(folder) == FOUND
    assert "judgements.parquet" in {file.path for file in open_version(folder).files}


REASONS = st.text(st.characters(exclude_categories=["Cs"]))
GRADES = st.builds(Grade, st.integers(1, 5), REASONS)
JUDGEMENTS = st.builds(Judgement, GRADES, GRADES, GRADES)
DIFFICULTIES = st.floats(min_value=0, allow_nan=False)


@given(
    st.dictionaries(
        st.text("0123456789abcdef", min_size=16, max_size=16),
        st.builds(Assessment, st.none() | JUDGEMENTS, st.none() | DIFFICULTIES),
    )
)
def test_anything_found_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, found: dict[str, Assessment]
) -> None:
    folder = tmp_path_factory.mktemp("judgements")
    write_assessments(folder, found)

    assert read_assessments(folder) == found


def test_version_that_nobody_judged_has_no_such_file_and_the_same_hash(tmp_path: Path) -> None:
    plain = publish(make_publication(), tmp_path)
    judged = publish(make_publication(FOUND), tmp_path / "other")

    assert read_assessments(plain) == {}
    assert not list(plain.glob("judgements*"))
    assert plain.name == judged.name
    assert "What the judge says" not in (plain / "README.md").read_text(encoding="utf-8")


def test_same_records_with_new_scores_are_a_version_of_their_own(tmp_path: Path) -> None:
    first = publish(make_publication(FOUND), tmp_path)
    other = {**FOUND, RECORDS[2].id: Assessment(JUDGEMENT)}
    second = publish(make_publication(other), tmp_path)

    assert publish(make_publication(other), tmp_path) == second
    assert publish(make_publication(), tmp_path) == second
    assert (first.name[:4], second.name[:4]) == ("0001", "0002")
    assert first.name[4:] == second.name[4:]


def test_damaged_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "judgements.parquet").write_bytes(b"PAR1 or not")

    with pytest.raises(TableError, match=r"judgements\.parquet cannot be read"):
        read_assessments(tmp_path)


def test_card_tells_means_and_that_agreement_is_not_known(tmp_path: Path) -> None:
    folder = publish(make_publication(FOUND, "judge-1"), tmp_path)
    card = (folder / "README.md").read_text(encoding="utf-8")

    section = card.split("## What the judge says")[1].split("\n## ")[0]
    assert "`judge-1` scored 3 records" in section
    assert "| helpfulness | 4.25 |" in section
    assert "| the same of 7 that the rules dropped | none |" in section
    assert "agreement is not known" in section


def test_name_of_a_judge_cannot_become_markup(tmp_path: Path) -> None:
    folder = publish(make_publication(FOUND, HOSTILE), tmp_path)
    card = (folder / "README.md").read_text(encoding="utf-8")

    assert "\n# Heading" not in card
    outside = re.sub(r"(?s)(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", card)
    assert "<img" in card
    assert "<img" not in outside
