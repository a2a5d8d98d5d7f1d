"""Maintenance over what the real publishers wrote: what is left can be used as before."""

import json
import shutil
from pathlib import Path

import pytest

from flows.catalogue import list_datasets
from flows.compositions import curate, maintain
from flows.engine import Artifact, PlainEngine
from flows.mixing import mix
from flows.parameters import CurateParams, MaintenanceParams
from flows.settings import Settings
from pipeline.generation.journal.journal import Journal, PendingBatch
from pipeline.publishing.mixture import MixParams, MixturePart
from pipeline.publishing.publish import Publication, publish
from pipeline.publishing.tables import read_records
from schemas.records import InstructionRecord, Provenance
from tests.flows.retention_outputs import age
from tests.generation.journal_making import make_exchange


class Showing(PlainEngine):
    def __init__(self) -> None:
        self.shown: list[Artifact] = []

    def show(self, artifact: Artifact) -> str:
        self.shown.append(artifact)
        return ""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    nothing = {"base_url": None, "api_key": None, "prefect_api_url": None}
    return Settings.model_validate({**nothing, "outputs": tmp_path.resolve(), "cache": tmp_path})


def publish_city(settings: Settings, city: str) -> Path:
    origin = Provenance(strategy="structured", teacher="t", completion_id="0" * 16)
    record = InstructionRecord(
        instruction=f"{city}에서 볼 만한 곳을 알려 줘.", output="시장에 가 보세요.", language="ko",
        provenance=origin,
    )  # fmt: skip
    publication = Publication(
        name="towns", kept=[record], rejected=[], seeds=(), curation={}, judge=None, against=(),
        runs=(), licence="apache-2.0", code_version="test",
    )  # fmt: skip
    return publish(publication, settings.outputs / "datasets")


def curate_fruit(settings: Settings, fruit: str, *against: str) -> Path:
    source = settings.outputs / "batch.jsonl"
    row = {"instruction": f"{fruit} 철은 언제인가요?", "output": "가을입니다."}
    source.write_text(json.dumps(row, ensure_ascii=False), "utf-8")
    params = CurateParams(
        name="fruits", input=source, seeds=("none",), against=against, processes=1,
        stage=("duplicate", "novelty"),
    )  # fmt: skip
    return curate(params, settings, PlainEngine()).dataset


def test_what_is_left_is_read_shown_and_published_after_as_before(settings: Settings) -> None:
    first, second, third = (publish_city(settings, city) for city in ("서울", "부산", "제주"))
    part = MixturePart(ref=f"towns/{second.name}")
    params = MixParams(name="both", part=(part,), stage=("duplicate",))
    mixed, _ = mix(params, settings, PlainEngine(), lambda *_: pytest.fail("asked the hub"))
    exchange = make_exchange(1)
    with Journal(settings.outputs / "journals" / "towns.sqlite") as journal:
        journal.put(exchange.prompt, exchange.completion)
        journal.write_batch(PendingBatch("b", "m", tuple("k" * 64 for _ in range(20_000))))
        journal.remove_batch("b")
    engine = Showing()

    outcome = maintain(MaintenanceParams(keep_versions=1, apply=True), settings, engine)

    gone, compacted = sorted(outcome.given, key=lambda one: one.path)
    assert (gone.path, compacted.path) == (
        f"datasets/towns/{first.name}", "journals/towns.sqlite",
    )  # fmt: skip
    assert compacted.bytes > 1_000_000
    assert outcome.notices == ()
    left = [one.folder for one in list_datasets(settings)]
    assert left == [mixed, second, third]
    assert all(len(read_records(folder)) == 1 for folder in left)
    assert first.name not in (settings.outputs / "index.html").read_text("utf-8")
    assert engine.shown[-1].key == "maintenance"
    assert f"`datasets/towns/{first.name}`" in engine.shown[-1].markdown
    with Journal(settings.outputs / "journals" / "towns.sqlite") as journal:
        assert journal.get(exchange.completion.id) == exchange.completion
    assert publish_city(settings, "서울").name == first.name.replace("0001-", "0004-")


def test_index_that_a_kept_version_was_curated_with_stays(settings: Settings) -> None:
    first = curate_fruit(settings, "사과")
    second = curate_fruit(settings, "배추", f"fruits/{first.name}")
    (index,) = (settings.outputs / "indexes").iterdir()
    age(index, 99)
    params = MaintenanceParams(keep_versions=1, apply=True)

    assert maintain(params, settings, PlainEngine()).given == ()

    # Nothing that stays was curated with it any more.
    shutil.rmtree(second)
    (given,) = maintain(params, settings, PlainEngine()).given
    assert given.path == f"indexes/{index.name}"
    assert given.why == "no kept version is held against it, unused for 99 days"
