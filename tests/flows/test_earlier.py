"""A new batch is curated against earlier versions through saved indexes."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.compositions import curate
from flows.engine import PlainEngine
from flows.outcomes import CurateOutcome
from flows.parameters import CurateParams
from flows.settings import Settings
from pipeline.publishing.tables import TableError, read_records, read_rejections

FIRST = [
    {"instruction": "List three fruits that grow in Jeju.", "output": "Kiwi, orange and lemon."},
    {"instruction": "봄에 피는 꽃을 하나 말해 줘.", "output": "개나리입니다."},
]
SECOND = [
    {"instruction": "List three fruits that grow in Busan.", "output": "Pear, grape and plum."},
    {"instruction": "봄에 피는 꽃을 하나 말해줘", "output": "진달래입니다."},
    {"instruction": "Explain why the sky is blue.", "output": "Air scatters blue light more."},
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    nothing = {"base_url": None, "api_key": None, "prefect_api_url": None}
    return Settings.model_validate({**nothing, "outputs": tmp_path})


def curate_rows(
    rows: list[dict[str, str]], settings: Settings, *against: str, **knobs: dict[str, float]
) -> CurateOutcome:
    source = settings.outputs / f"{len(rows)}.jsonl"
    source.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    params = {"name": "plants", "input": source, "seeds": ("none",), "against": against}
    params = CurateParams.model_validate({**params, "processes": 1, **knobs})
    return curate(params, settings, PlainEngine())


def test_new_batch_differs_from_what_was_published_before(settings: Settings) -> None:
    first = curate_rows(FIRST, settings)

    second = curate_rows(SECOND, settings, "plants")

    earlier = {record.id for record in read_records(first.dataset)}
    rejected = read_rejections(second.dataset)
    assert second.kept == 1
    assert [one.reason for one in rejected] == ["repeat", "exact-duplicate"]
    assert {one.collides_with for one in rejected} == earlier


def test_saved_indexes_decide_as_fresh_ones_and_are_read(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    curate_rows(FIRST, settings)
    fresh = curate_rows(SECOND, settings, "plants/0001-" + newest_hash(settings))
    assert "Indexing 2 records" in capsys.readouterr().err

    saved = curate_rows(SECOND, settings, str(first_folder(settings)))

    assert "Indexing" not in capsys.readouterr().err
    assert saved.dataset == fresh.dataset


def truncate(content: bytes) -> bytes:
    return content[:-7]


def empty(_content: bytes) -> bytes:
    return b""


def flip_a_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def age(content: bytes) -> bytes:
    return content.replace(b"pacaloom-index/", b"pacaloom-index/0", 1)


def put_other_in_its_place(_content: bytes) -> bytes:
    return b"PAR1" + b"\0" * 500


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("tasks-en.index", truncate),
        ("tasks-en.index", empty),
        ("tasks-ko.index", age),
        ("near-duplicates.index", flip_a_bit),
        ("near-duplicates.index", put_other_in_its_place),
    ],
)
def test_index_of_no_use_is_built_again_and_said_so(
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    name: str,
    damage: Callable[[bytes], bytes],
) -> None:
    curate_rows(FIRST, settings)
    fresh = curate_rows(SECOND, settings, str(first_folder(settings)))
    (index,) = (settings.outputs / "indexes").rglob(name)
    whole = index.read_bytes()
    index.write_bytes(damage(whole))

    again = curate_rows(SECOND, settings, str(first_folder(settings)))

    assert f"Indexing the earlier versions again: {index}" in capsys.readouterr().err
    assert again.dataset == fresh.dataset
    assert index.read_bytes() == whole


def test_index_that_is_gone_or_of_another_threshold_is_built_again(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    curate_rows(FIRST, settings)
    fresh = curate_rows(SECOND, settings, str(first_folder(settings)))
    (index,) = (settings.outputs / "indexes").rglob("tasks-en.index")
    index.unlink()
    curate_rows(SECOND, settings, str(first_folder(settings)))
    assert "No such file" in capsys.readouterr().err
    curate_rows(SECOND, settings, str(first_folder(settings)), novelty={"threshold": 0.5})
    (other,) = set((settings.outputs / "indexes").rglob("tasks-en.index")) - {index}
    index.write_bytes(other.read_bytes())

    again = curate_rows(SECOND, settings, str(first_folder(settings)))

    assert f"Indexing the earlier versions again: {index}" in capsys.readouterr().err
    assert again.content_hash == fresh.content_hash


def damage_file(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def remove_file(path: Path) -> None:
    path.unlink()


def empty_a_column(path: Path) -> None:
    table = pq.read_table(path)
    place = table.column_names.index("instruction")
    nothing = pa.nulls(len(table), pa.string())
    pq.write_table(table.set_column(place, "instruction", nothing), path)


def drop_a_column(path: Path) -> None:
    pq.write_table(pq.read_table(path).drop_columns(["output"]), path)


@pytest.mark.parametrize("damage", [damage_file, remove_file, empty_a_column, drop_a_column])
def test_damaged_records_of_an_earlier_version_are_named_with_the_way_out(
    settings: Settings, damage: Callable[[Path], None]
) -> None:
    curate_rows(FIRST, settings)
    table = first_folder(settings) / "data" / "train.parquet"
    damage(table)

    with pytest.raises(TableError) as caught:
        curate_rows(SECOND, settings, "plants")

    message = str(caught.value)
    assert message.startswith(str(table))
    assert "name another version" in message
    assert "\n" not in message


def test_name_means_all_its_versions_and_only_the_new_one_is_indexed(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    curate_rows(FIRST, settings)
    curate_rows(SECOND, settings, "plants")
    capsys.readouterr()

    third = curate_rows([*FIRST, *SECOND], settings, "plants")

    assert third.kept == 0
    assert "Indexing 1 records of plants/0002" in capsys.readouterr().err


def test_many_versions_that_nobody_indexed_leave_one_index(settings: Settings) -> None:
    curate_rows(FIRST, settings)
    curate_rows(SECOND, settings)
    curate_rows([*SECOND, *FIRST], settings)

    last = curate_rows([*FIRST, *SECOND], settings, "plants")

    assert last.kept == 0
    assert len(list((settings.outputs / "indexes").iterdir())) == 1


def first_folder(settings: Settings) -> Path:
    return next((settings.outputs / "datasets" / "plants").glob("0001-*"))


def newest_hash(settings: Settings) -> str:
    return first_folder(settings).name.removeprefix("0001-")


def test_batch_that_is_curated_again_is_not_held_against_itself(settings: Settings) -> None:
    curate_rows(FIRST, settings)
    second = curate_rows(SECOND, settings, "plants")

    again = curate_rows(SECOND, settings, "plants")

    assert again.dataset == second.dataset
    assert again.kept == second.kept
