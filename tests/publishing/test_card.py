"""The card is a valid dataset card, and text by a teacher cannot become markup in it."""

import re
from pathlib import Path

from huggingface_hub import DatasetCard

from pipeline.publishing.funnel import count_funnel
from pipeline.publishing.publish import Publication, publish
from schemas.records import Draft, InstructionRecord, Provenance, Rejection, Stage

PROVENANCE = Provenance(strategy="alpaca", teacher="teacher|2", completion_id="c")
HOSTILE = "# 제목 <img src=x onerror=alert(1)> ```` \n```\n| a | b |"


def make_rejection(stage: Stage, language: str) -> Rejection:
    draft = Draft.model_validate(
        {
            "instruction": HOSTILE,
            "output": HOSTILE,
            "language": language,
            "provenance": PROVENANCE,
        }
    )
    reason = "repeat" if stage == "novelty" else "refusal"
    return Rejection(draft=draft, stage=stage, reason=reason, detail="because")


def publish_card(folder: Path) -> str:
    kept = [
        InstructionRecord(
            instruction=HOSTILE, input="입력", output="답", language="ko", provenance=PROVENANCE
        ),
        InstructionRecord(instruction="Say hi.", output="Hi", language="en", provenance=PROVENANCE),
    ]
    rejected = [make_rejection("rules", "en"), make_rejection("novelty", "ko")]
    publication = Publication("toy", kept, rejected, (), {}, None, (), (), "apache-2.0", "v")
    return (publish(publication, folder) / "README.md").read_text(encoding="utf-8")


def test_front_matter_is_a_dataset_cards(tmp_path: Path) -> None:
    data = DatasetCard(publish_card(tmp_path)).data.to_dict()

    assert data["language"] == ["en", "ko"]
    assert data["license"] == "apache-2.0"
    assert data["size_categories"] == ["n<1K"]
    assert data["configs"][0]["data_files"][1]["path"] == "data/validation.parquet"


def test_hostile_text_stays_inside_fences(tmp_path: Path) -> None:
    text = publish_card(tmp_path)

    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text)
    assert "onerror" in text
    assert "onerror" not in outside
    assert "teacher|2" not in outside.split("## How it was made")[0].replace("`teacher|2`", "")


def test_funnel_ends_at_the_kept_records() -> None:
    kept = [InstructionRecord(instruction="a", output="b", language="en", provenance=PROVENANCE)]
    steps = count_funnel(kept, [make_rejection("rules", "en"), make_rejection("novelty", "ko")])

    assert steps[0].remaining == {"en": 2, "ko": 1}
    assert steps[-1].remaining == {"en": 1, "ko": 0}
    assert sum(sum(step.dropped.values()) for step in steps) == 2
