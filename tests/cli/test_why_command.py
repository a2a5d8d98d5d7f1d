"""`why` tells what became of a record, and what readers had to do with it."""

import json
from pathlib import Path

import pytest

from tests.cli.command import run_pacaloom, run_warm

ROWS = [
    {"instruction": "List three fruits that grow in Jeju.", "output": "Kiwi, orange and lemon."},
    {"instruction": "서울의 봄 날씨를 설명해 줘.", "output": "죄송하지만 도와드릴 수 없습니다."},
]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions: a reader of the first one brought the refusal back."""
    outputs = tmp_path_factory.mktemp("outputs")
    rows = outputs / "rows.jsonl"
    rows.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), "utf-8")
    options = ("--name", "a", "--input", str(rows), "--seeds", "none", "--processes", "1")
    first = json.loads(run_warm("curate", *options, outputs=outputs).stdout)["dataset"]
    found = run_warm("why", "서울", "--dataset", first, outputs=outputs)
    decision = {
        "record": json.loads(found.stdout)["id"],
        "verdict": "accept",
        "note": "그대로 \x1b[31m좋다",
        "author": "김서연",
        "time": "2026-11-20T10:00:00+09:00",
        "dataset": f"a/{Path(first).name}",
    }
    (outputs / "reviews").mkdir()
    (outputs / "reviews" / "a.jsonl").write_text(json.dumps(decision) + "\n", "utf-8")
    assert run_warm("curate", *options, outputs=outputs).status == 0
    return outputs


def test_record_that_was_brought_back_names_its_reader_and_what_had_dropped_it(
    outputs: Path,
) -> None:
    done = run_warm("why", "서울", "--dataset", "a", outputs=outputs)

    said = " ".join(done.stderr.split())
    assert "was brought back by a reader" in said
    assert "rules had dropped it: refusal" in said
    assert "김서연 accepted it" in said
    assert "\x1b" not in done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["kept"]
    assert outcome["overruled"] == "refusal"
    assert outcome["stages"]["rules"] == "overruled"
    assert [one["author"] for one in outcome["decisions"]] == ["김서연"]


def test_marks_stand_beside_their_stages_and_are_explained(outputs: Path) -> None:
    done = run_pacaloom("why", "Jeju", "--dataset", "a", outputs=outputs)

    for stage in ("✓ schema", "✓ near-duplicate", "– judge", "· review"):
        assert stage in done.stderr
    assert "✓ passed  · not asked  – switched off" in done.stderr
