"""A new batch is curated against earlier versions through saved indexes."""

import json
from pathlib import Path

import pytest

from flows.compositions import curate
from flows.engine import PlainEngine
from flows.outcomes import CurateOutcome
from flows.parameters import CurateParams
from flows.settings import Settings
from pipeline.publishing.tables import read_records, read_rejections

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


def curate_rows(rows: list[dict[str, str]], settings: Settings, *against: str) -> CurateOutcome:
    source = settings.outputs / f"{len(rows)}.jsonl"
    source.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    params = CurateParams(
        name="plants", input=source, seeds=("none",), against=against, processes=1
    )
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


def test_damaged_index_is_built_again_and_said_so(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    curate_rows(FIRST, settings)
    fresh = curate_rows(SECOND, settings, str(first_folder(settings)))
    for path in (settings.outputs / "indexes").rglob("*.index"):
        path.write_bytes(path.read_bytes()[:-7])

    again = curate_rows(SECOND, settings, str(first_folder(settings)))

    assert "Indexing the earlier versions again" in capsys.readouterr().err
    assert again.dataset == fresh.dataset


def test_name_means_all_its_versions_and_only_the_new_one_is_indexed(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    curate_rows(FIRST, settings)
    curate_rows(SECOND, settings, "plants")
    capsys.readouterr()

    third = curate_rows([*FIRST, *SECOND], settings, "plants")

    assert third.kept == 0
    assert "Indexing 1 records of plants/0002" in capsys.readouterr().err


def first_folder(settings: Settings) -> Path:
    return next((settings.outputs / "datasets" / "plants").glob("0001-*"))


def newest_hash(settings: Settings) -> str:
    return first_folder(settings).name.removeprefix("0001-")
