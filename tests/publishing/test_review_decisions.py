"""Decisions are appended to a file that never loses one."""

import json
import multiprocessing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipeline.publishing.review.decisions import (
    DecisionConflictError,
    DecisionLog,
    read_stored_decisions,
)
from schemas.review import ReviewDecision, ReviewVerdict
from schemas.storage import RecordFileError, StorageError

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=timezone(timedelta(hours=9)))


def decide(record: str, verdict: ReviewVerdict = "accept", note: str = "") -> ReviewDecision:
    return ReviewDecision(
        record=record.rjust(16, "0"),
        verdict=verdict,
        note=note,
        author="김서연",
        time=NOON,
        dataset="fruits/0001-0123456789ab",
    )


def append_many(path: Path, prefix: str, count: int) -> None:
    log = DecisionLog(path)
    for number in range(count):
        log.append(decide(f"{prefix}{number:x}", note="나란히 " * 100), None)


def test_decision_is_one_line_that_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "reviews" / "fruits.jsonl"
    decision = decide("a1", "reject", "꽃 이름이\n틀렸다.")

    standing = DecisionLog(path).append(decision, None)

    assert standing == (0, decision)
    assert path.read_bytes().count(b"\n") == 1
    assert json.loads(path.read_bytes())["time"] == "2026-11-23T12:00:00+09:00"
    assert read_stored_decisions(path) == ([decision], "")


def test_no_file_is_no_decision_and_makes_none(tmp_path: Path) -> None:
    assert read_stored_decisions(tmp_path / "reviews" / "fruits.jsonl") == ([], "")
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_was_written_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "fruits.jsonl"
    log = DecisionLog(path)
    log.append(decide("a1", "reject"), None)
    before = path.read_bytes()

    assert log.append(decide("a1", "withdraw"), 0) is None

    assert path.read_bytes().startswith(before)
    assert log.look() == []
    assert len(read_stored_decisions(path).decisions) == 2


def test_file_that_was_taken_away_or_replaced_is_read_anew(tmp_path: Path) -> None:
    path, other = tmp_path / "fruits.jsonl", tmp_path / "other.jsonl"
    log = DecisionLog(path)
    log.append(decide("a1", "reject"), None)
    DecisionLog(other).append(decide("b2", note="길어진 파일 " * 50), None)

    path.rename(tmp_path / "kept.jsonl")
    gone = log.look()
    other.rename(path)

    assert gone == []
    assert [one.decision.record for one in log.look()] == ["b2".rjust(16, "0")]
    log.append(decide("a1"), None)
    assert len(read_stored_decisions(path).decisions) == 2


def test_withdrawing_what_nobody_decided_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "fruits.jsonl"

    assert DecisionLog(path).append(decide("a1", "withdraw"), None) is None
    assert not path.exists()


def test_decision_on_a_record_that_another_reader_decided_meanwhile_is_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "fruits.jsonl"
    mine, theirs = DecisionLog(path), DecisionLog(path)
    theirs.append(decide("a1", "reject"), None)

    with pytest.raises(
        DecisionConflictError, match="김서연 has decided meanwhile: reject"
    ) as raised:
        mine.append(decide("a1", "accept"), None)

    assert raised.value.standing == (0, decide("a1", "reject"))
    assert path.read_bytes().count(b"\n") == 1
    assert mine.append(decide("a1", "accept"), 0) == (1, decide("a1", "accept"))


def test_lines_of_two_servers_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "fruits.jsonl"
    # Not forked: a copy of a process that has threads may hang.
    context = multiprocessing.get_context("spawn")
    servers = [context.Process(target=append_many, args=(path, prefix, 25)) for prefix in "ab"]
    for server in servers:
        server.start()
    for server in servers:
        server.join()

    assert len({one.record for one in read_stored_decisions(path).decisions}) == 50


@pytest.mark.parametrize(
    "torn",
    [
        pytest.param('{"record":"00000000000000a2","note":"꽃이'.encode()[:-1], id="in-a-syllable"),
        pytest.param(b'{"rec', id="in-a-name"),
        pytest.param(b"\0\0\0\0", id="blocks-that-were-never-written"),
    ],
)
def test_line_that_a_crash_cut_is_set_aside_before_the_next_one(
    tmp_path: Path, torn: bytes
) -> None:
    path = tmp_path / "fruits.jsonl"
    DecisionLog(path).append(decide("a1"), None)
    with path.open("ab") as file:
        file.write(torn)

    assert read_stored_decisions(path).decisions == [decide("a1")]
    assert read_stored_decisions(path).torn
    assert path.read_bytes().endswith(torn)
    log = DecisionLog(path)
    log.append(decide("a3"), None)
    log.append(decide("a4"), None)

    assert read_stored_decisions(path) == ([decide("a1"), decide("a3"), decide("a4")], "")
    assert (tmp_path / "fruits.torn").read_bytes() == torn + b"\n"


def test_last_line_that_only_lacks_its_end_counts(tmp_path: Path) -> None:
    path = tmp_path / "fruits.jsonl"
    path.write_text(decide("a1").model_dump_json())
    log = DecisionLog(path)

    log.append(decide("a2"), None)

    assert read_stored_decisions(path) == ([decide("a1"), decide("a2")], "")
    assert [one.place for one in log.look()] == [0, 1]


def test_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "fruits.jsonl"
    line = decide("a1").model_dump_json()
    path.write_text(f"{line}\n\n{line.replace('accept', 'maybe')}\n{line}\n")

    with pytest.raises(RecordFileError, match=r"fruits\.jsonl:3: verdict: .*Mend the line"):
        DecisionLog(path)


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "reviews").write_text("a file")

    with pytest.raises(StorageError, match=r"reviews/fruits\.jsonl cannot be locked"):
        DecisionLog(tmp_path / "reviews" / "fruits.jsonl")
