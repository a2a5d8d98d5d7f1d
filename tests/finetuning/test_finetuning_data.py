import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from schemas.storage import ManifestError
from training.finetuning.data import DatasetError, read_dataset

MakeDataset = Callable[..., Path]
MakeRows = Callable[[int], Sequence[Any]]


def test_all_rows_of_both_splits_are_read(colours: Path, make_rows: MakeRows) -> None:
    data = read_dataset(colours, min_rows=10)

    read = [(row.instruction, row.input, row.output, row.language) for row in data.train]
    assert read == [tuple(row) for row in make_rows(24)[:18]]
    assert len(data.validation) == 6


def test_too_few_rows_are_refused_with_their_number_the_reasons_and_the_knobs(
    tmp_path: Path, make_dataset: MakeDataset, make_rows: MakeRows
) -> None:
    rows = make_rows(6)
    rejected = {"repeat": 40, "too-long": 3, "unparseable": 9, "refusal": 1}
    folder = make_dataset(tmp_path / "v", rows[:5], rows[5:], rejected)

    with pytest.raises(DatasetError) as info:
        read_dataset(folder, min_rows=10)

    message = str(info.value)
    assert "at least 10 training rows" in message
    assert "found 5 and 1" in message
    assert "Of 59 drafts 6 were kept" in message
    assert "repeat 40, unparseable 9, too-long 3)" in message
    assert "--quota" in message
    assert "min_rows" in message
    assert "\n" not in message


def test_a_version_without_held_out_rows_is_refused(
    tmp_path: Path, make_dataset: MakeDataset, make_rows: MakeRows
) -> None:
    folder = make_dataset(tmp_path / "v", make_rows(20), [])

    with pytest.raises(DatasetError, match="1 validation row, found 20 and 0"):
        read_dataset(folder, min_rows=10)


def test_a_folder_that_is_no_dataset_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="is not a dataset version"):
        read_dataset(tmp_path, min_rows=2)


def test_a_split_that_was_changed_after_publishing_is_refused(
    tmp_path: Path, colours: Path
) -> None:
    folder = shutil.copytree(colours, tmp_path / "v")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["splits"]["train"] = 17
    (folder / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(DatasetError, match="promises 17 train rows"):
        read_dataset(folder, min_rows=2)


def test_a_split_that_is_no_parquet_is_refused_in_one_line(tmp_path: Path, colours: Path) -> None:
    folder = shutil.copytree(colours, tmp_path / "v")
    (folder / "data" / "train.parquet").write_text("instruction,output\n")

    with pytest.raises(DatasetError, match=r"train\.parquet is not a readable split") as info:
        read_dataset(folder, min_rows=2)
    assert "\n" not in str(info.value)


def test_a_split_without_its_columns_names_them(tmp_path: Path, colours: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    folder = shutil.copytree(colours, tmp_path / "v")
    table = pyarrow.table({"id": ["a"], "instruction": ["b"], "output": ["c"]})
    pyarrow.parquet.write_table(table, folder / "data" / "train.parquet")

    with pytest.raises(DatasetError, match="lacks the columns input, language"):
        read_dataset(folder, min_rows=2)


def test_a_row_knows_what_it_descends_from(
    tmp_path: Path, make_dataset: MakeDataset, make_rows: MakeRows
) -> None:
    import pyarrow
    import pyarrow.parquet

    folder = make_dataset(tmp_path / "v", make_rows(3)[:2], make_rows(3)[2:])
    path = folder / "data" / "train.parquet"
    table = pyarrow.parquet.read_table(path)
    seeds = pyarrow.array([["s1", "s2"], None], pyarrow.list_(pyarrow.string()))
    table = table.append_column("seed_ids", seeds)
    table = table.append_column("derived_from", pyarrow.array(["", "document"]))
    pyarrow.parquet.write_table(table, path)

    data = read_dataset(folder, min_rows=2)

    first, second = data.train
    assert first.lineage == (first.id, "s1", "s2")
    assert second.lineage == (second.id, "document")
    assert data.validation[0].lineage == (data.validation[0].id,)
