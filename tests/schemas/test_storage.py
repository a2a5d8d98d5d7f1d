"""Files appear whole or not at all; broken lines are named by file, line and field."""

import os
from pathlib import Path

import pytest

from schemas.records import SeedTask
from schemas.storage import (
    RecordFileError,
    StorageError,
    atomic_folder,
    atomic_path,
    read_jsonl,
    write_jsonl,
    write_text,
)


class InterruptedRunError(Exception):
    """Stands for whatever ends a run in the middle."""


def write_half_a_file(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        raise InterruptedRunError


def write_half_a_folder(path: Path) -> None:
    with atomic_folder(path) as folder:
        (folder / "half").write_text("x")
        raise InterruptedRunError


def make_seed(number: int) -> SeedTask:
    return SeedTask(
        id=f"ko-{number}", language="ko", instruction="과일을 말해 줘.", output="사과\n배"
    )


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    seeds = [make_seed(1), make_seed(2)]

    write_jsonl(tmp_path / "deep" / "seeds.jsonl", seeds)

    assert list(read_jsonl(tmp_path / "deep" / "seeds.jsonl", SeedTask)) == seeds


def test_blank_lines_are_skipped_and_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_text(make_seed(1).model_dump_json() + '\n\n{"id": "x", "language": "fr"}\n', "utf-8")

    with pytest.raises(RecordFileError, match=r"seeds\.jsonl:3: language: .*'en' or 'ko'"):
        list(read_jsonl(path, SeedTask))


@pytest.mark.parametrize("content", [b"not json\n", b"[1]\n", b'{"id": 3\n'])
def test_line_that_is_no_object_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f.jsonl").write_bytes(content)

    with pytest.raises(RecordFileError, match=r"f\.jsonl:1: "):
        list(read_jsonl(tmp_path / "f.jsonl", SeedTask))


def test_missing_file_and_other_encodings_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecordFileError, match=r"none\.jsonl: no such file"):
        list(read_jsonl(tmp_path / "none.jsonl", SeedTask))
    (tmp_path / "cp949.jsonl").write_bytes("한글".encode("cp949"))
    with pytest.raises(RecordFileError, match=r"cp949\.jsonl: cannot be read as UTF-8"):
        list(read_jsonl(tmp_path / "cp949.jsonl", SeedTask))


def test_failed_write_keeps_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    with pytest.raises(InterruptedRunError):
        write_half_a_file(path)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_failed_folder_leaves_nothing_and_a_published_one_is_never_replaced(tmp_path: Path) -> None:
    target = tmp_path / "v1"
    with pytest.raises(InterruptedRunError):
        write_half_a_folder(target)
    assert list(tmp_path.iterdir()) == []

    with atomic_folder(target) as folder:
        (folder / "whole").write_text("x")
    with pytest.raises(StorageError, match="never rewritten"), atomic_folder(target) as folder:
        (folder / "other").write_text("y")
    assert [file.name for file in target.iterdir()] == ["whole"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="PACALOOM_OUTPUTS"):
        write_text(tmp_path / "a.txt", "x")


def test_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("a file")

    with pytest.raises(StorageError, match="cannot be written"):
        write_text(tmp_path / "outputs" / "a.txt", "x")


def test_failure_of_another_kind_inside_the_block_is_not_called_the_disks(tmp_path: Path) -> None:
    with pytest.raises(ConnectionRefusedError), atomic_path(tmp_path / "x"):
        raise ConnectionRefusedError(111, "Connection refused")

    assert list(tmp_path.iterdir()) == []
