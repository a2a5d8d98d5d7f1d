from pathlib import Path

import pytest

from pipeline.curation.index_files import IndexFileError
from pipeline.curation.near_duplicates.index import NearDuplicateIndex
from pipeline.curation.near_duplicates.near_duplicates import (
    NearDuplicatesConfig,
    drop_near_duplicates,
)
from tests.curation.making import make_record

CONFIG = NearDuplicatesConfig()
EN = "Water boils at 100 degrees Celsius at sea level, and on a mountain at fewer degrees"
KO = "물은 해수면에서 섭씨 100도에 끓고, 산에서는 그보다 낮은 온도에서 끓는다고 알려져 있다"
OLD = [make_record("When?", "en", output=EN + ","), make_record("언제?", "ko", output=KO + ",")]
COPIES = [make_record("When?", "en", output=EN + "."), make_record("언제?", "ko", output=KO + ".")]
OTHERS = [make_record("Say hello.", "en"), make_record("인사해 주세요.", "ko")]


def test_copies_of_known_records_are_dropped_however_good_they_are() -> None:
    known = NearDuplicateIndex(CONFIG)
    known.add(OLD)

    result = drop_near_duplicates([COPIES[0], OTHERS[0], COPIES[1], OTHERS[1]], CONFIG, known)

    assert result.kept == OTHERS
    assert [dropped.collides_with for dropped in result.dropped] == [one.id for one in OLD]
    assert "When?" in result.dropped[0].detail


def test_known_records_do_not_drop_each_other_and_only_added_ones_are_known() -> None:
    known = NearDuplicateIndex(CONFIG)
    known.add(OLD)
    known.add(COPIES)

    assert drop_near_duplicates(OTHERS, CONFIG, known).kept == OTHERS
    assert drop_near_duplicates(OTHERS, CONFIG, known).kept == OTHERS
    assert [dropped.score for dropped in drop_near_duplicates(COPIES, CONFIG, known).dropped] == [
        1.0,
        1.0,
    ]


def test_a_saved_index_decides_as_the_one_that_was_saved(tmp_path: Path) -> None:
    known = NearDuplicateIndex(CONFIG)
    known.add([*OLD, make_record("What is this?", "en", output="A 👩‍👩‍👧 \x00 and more of it")])
    known.save(tmp_path / "known")

    loaded = NearDuplicateIndex.load(tmp_path / "known", CONFIG)

    new = [*COPIES, *OTHERS]
    assert drop_near_duplicates(new, CONFIG, loaded) == drop_near_duplicates(new, CONFIG, known)
    loaded.add(OTHERS)
    assert drop_near_duplicates(new, CONFIG, loaded).kept == []


def test_an_empty_index_can_be_saved(tmp_path: Path) -> None:
    NearDuplicateIndex(CONFIG).save(tmp_path / "known")

    known = NearDuplicateIndex.load(tmp_path / "known", CONFIG)

    assert drop_near_duplicates(OTHERS, CONFIG, known).kept == OTHERS


def test_an_index_for_other_bands_or_a_truncated_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "known"
    NearDuplicateIndex(CONFIG).save(path)

    with pytest.raises(IndexFileError, match="6 rows"):
        NearDuplicateIndex.load(path, NearDuplicatesConfig(threshold=0.9))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IndexFileError, match="truncated"):
        NearDuplicateIndex.load(path, CONFIG)
