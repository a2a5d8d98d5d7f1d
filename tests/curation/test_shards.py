import multiprocessing

import pytest

from pipeline.curation.config import CurationConfig
from pipeline.curation.funnel import curate
from pipeline.curation.processes import LostProcessError
from pipeline.curation.shards import examine_here, examine_in_processes
from schemas.progress import no_progress
from schemas.records import Draft
from tests.curation.making import make_draft


def make_drafts(count: int) -> list[Draft]:
    """Every third is wrong by itself, every seventh repeats another."""
    drafts: list[Draft] = []
    for number in range(count):
        topic = f"topic {number % 7 and number}"
        wrong = "12 * 12 = 154" if number % 3 == 0 else f"About {topic} there is much to say."
        drafts.append(make_draft(f"Explain {topic} in two sentences.", "en", output=wrong))
    return drafts


def test_processes_and_this_one_find_the_same_in_the_same_order() -> None:
    drafts = make_drafts(9000)
    config = CurationConfig(stage=("schema", "duplicate", "rules"))

    here = curate(drafts, [], config)
    beside = curate(drafts, [], config, examine=examine_in_processes(2))

    assert beside == here
    assert here.kept
    assert here.dropped


def test_interrupted_examination_leaves_no_process() -> None:
    others = set(multiprocessing.active_children())

    def interrupt(done: int, total: int, note: str = "") -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine_in_processes(2)(make_drafts(20_000), CurationConfig(), interrupt)

    assert set(multiprocessing.active_children()) <= others


def test_killed_process_is_an_error_that_says_so() -> None:
    others = set(multiprocessing.active_children())

    def kill(done: int, total: int, note: str = "") -> None:
        for process in set(multiprocessing.active_children()) - others:
            process.kill()

    with pytest.raises(LostProcessError, match="for want of memory"):
        examine_in_processes(2)(make_drafts(20_000), CurationConfig(), kill)

    assert set(multiprocessing.active_children()) <= others


def test_progress_is_told_shard_by_shard_and_ends_at_the_whole() -> None:
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int, note: str = "") -> None:
        told.append((done, total))

    examine_here(make_drafts(2500), CurationConfig(), progress)

    assert told == [(1000, 2500), (2000, 2500), (2500, 2500)]


def test_few_drafts_start_no_process() -> None:
    drafts = make_drafts(5)

    findings = examine_in_processes(2)(drafts, CurationConfig(), no_progress)

    assert findings == examine_here(drafts, CurationConfig(), no_progress)
