import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.curation.index_files import IndexFileError, read_index, write_index

HEADER = {"index": "test 1", "language": "ko"}
ARRAYS = {
    "numbers": np.arange(5, dtype=np.int64),
    "table": np.ones((2, 3), np.uint8),
    "empty": np.empty(0, np.float64),
}


def write(folder: Path) -> Path:
    path = folder / "made" / "test.index"
    write_index(path, HEADER, ARRAYS)
    return path


def test_arrays_come_back_with_values_shape_and_type(tmp_path: Path) -> None:
    found = read_index(write(tmp_path), HEADER)

    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_writing_again_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = write(tmp_path)
    write_index(path, HEADER, {"numbers": np.zeros(1)})

    assert list(path.parent.iterdir()) == [path]
    assert list(read_index(path, HEADER)) == ["numbers"]


def test_equal_arrays_make_equal_bytes(tmp_path: Path) -> None:
    first = write(tmp_path).read_bytes()

    assert write(tmp_path / "again").read_bytes() == first


@pytest.mark.parametrize("kept", [0, 5, 40, 60, 200, -1])
def test_truncated_file_is_refused(tmp_path: Path, kept: int) -> None:
    path = write(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(IndexFileError, match=r"test\.index"):
        read_index(path, HEADER)


def test_any_changed_byte_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(IndexFileError):
            read_index(path, HEADER)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    text, archive = tmp_path / "text", tmp_path / "archive"
    text.write_text(json.dumps(HEADER))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("numbers.npy", b"")
    for path in (text, archive, tmp_path / "missing", tmp_path):
        with pytest.raises(IndexFileError, match=path.name):
            read_index(path, HEADER)


def test_index_of_something_else_is_refused_and_named(tmp_path: Path) -> None:
    path = write(tmp_path)

    with pytest.raises(IndexFileError, match=r"'ko'.*wanted.*'en'"):
        read_index(path, {**HEADER, "language": "en"})


def test_objects_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        write_index(tmp_path / "objects", HEADER, {"objects": np.array([{}], object)})
