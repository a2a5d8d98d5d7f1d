"""A mixture names its parents, keeps where records come from, and refuses what it cannot make."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.engine import PlainEngine
from flows.mixing import Mixed, mix
from flows.outside import Outside
from flows.proof import prove
from flows.settings import Settings
from pipeline.curation.imported_rows import ImportedFileError
from pipeline.publishing.mixture import MixParams, MixtureError, MixturePart
from pipeline.publishing.publish import Publication, publish
from pipeline.publishing.tables import read_records
from schemas.records import InstructionRecord, Provenance

CITIES = ("Seoul", "Busan", "Daegu", "Incheon", "Gwangju", "Daejeon", "Ulsan", "Suwon", "Jeju")


class Listening(PlainEngine):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings.model_validate({"outputs": tmp_path / "o", "cache": tmp_path / "c"})
    kept = [
        InstructionRecord(
            instruction=f"Name one dish that people in {city} like.",
            output=f"In {city} many like noodles with number {number}.",
            language="en",
            provenance=Provenance(
                strategy="structured",
                teacher="teacher-1",
                completion_id=f"{number:016x}",
                seed_ids=(f"en-{number:03}",),
            ),
        )
        for number, city in enumerate(CITIES)
    ]
    publication = Publication(
        name="ours", kept=kept, rejected=[], seeds=(), curation={}, judge=None, against=(),
        runs=(), licence="apache-2.0", code_version="test",
    )  # fmt: skip
    publish(publication, settings.outputs / "datasets")
    return settings


ROWS = [
    {"question": "대구에서 나는 과일은 무엇인가요?", "reply": "사과가 납니다."},
    {"question": "봄에 피는 꽃을 하나 말해 줘.", "reply": "개나리가 피어요."},
    {"question": "Which planet is the largest of all?", "reply": "Jupiter is the largest planet."},
]


def run(settings: Settings, *parts: MixturePart, engine: Listening | None = None) -> Mixed:
    params = MixParams(name="both", part=parts, stage=("duplicate",))
    return mix(params, settings, engine or Listening(), lambda *_: pytest.fail("asked the hub"))


def write_jsonl(path: Path) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS))
    return path


def write_csv(path: Path) -> Path:
    lines = [f'"{row["question"]}","{row["reply"]}"\r\n' for row in ROWS]
    path.write_text("\ufeffquestion,reply\r\n" + "".join(lines))
    return path


def write_parquet(path: Path) -> Path:
    with path.open("wb") as file:
        pq.write_table(pa.Table.from_pylist(ROWS), file)
    return path


def write_folder(path: Path) -> Path:
    path.mkdir()
    write_jsonl(path / "train.jsonl")
    return path


@pytest.mark.parametrize(
    ("write", "name"),
    [
        pytest.param(write_jsonl, "rows.jsonl", id="jsonl"),
        pytest.param(write_csv, "표.csv", id="csv"),
        pytest.param(write_parquet, "rows.parquet", id="parquet"),
        pytest.param(write_folder, "rows", id="folder"),
    ],
)
def test_outside_rows_join_ours(
    settings: Settings, tmp_path: Path, write: Callable[[Path], Path], name: str
) -> None:
    path = write(tmp_path / name)
    engine = Listening()
    theirs = MixturePart(ref=str(path), columns={"output": "reply"}, licence="cc-by-4.0")

    folder, manifest = run(settings, MixturePart(ref="ours"), theirs, engine=engine)

    records = read_records(folder)
    assert {one.provenance.strategy for one in records} == {"structured", "import"}
    imported = [one for one in records if one.provenance.strategy == "import"]
    assert sorted(one.output for one in imported) == sorted(row["reply"] for row in ROWS)
    assert {one.provenance.source_licence for one in imported} == {"cc-by-4.0"}
    assert sorted(one.language for one in imported) == ["en", "ko", "ko"]
    ours, outside = manifest.parents
    assert ours.source.startswith("ours/0001-")
    assert (ours.available, ours.taken, ours.columns) == (9, 9, {})
    assert outside.source == name
    assert outside.columns == {"instruction": "question", "output": "reply"}
    assert manifest.licence == "other"
    assert f"{name}: instruction ← question, output ← reply" in engine.said
    assert any("is apache-2.0" in line and "is cc-by-4.0" in line for line in engine.said)


def test_records_of_ours_keep_their_origin(settings: Settings) -> None:
    folder, manifest = run(settings, MixturePart(ref="ours", cap=4))

    known = {
        record.id: record
        for record in read_records(
            settings.outputs / "datasets" / "ours" / (manifest.parents[0].source.split("/")[1])
        )
    }
    records = read_records(folder)
    assert len(records) == 4
    assert all(known[record.id] == record for record in records)


def test_weights_decide_the_shares(settings: Settings, tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl")
    theirs = MixturePart(ref=str(path), columns={"output": "reply"}, weight=1)

    _, manifest = run(settings, MixturePart(ref="ours", weight=2), theirs)

    assert [parent.taken for parent in manifest.parents] == [6, 3]


def test_hub_dataset_is_named_with_its_commit(settings: Settings) -> None:
    asked: list[MixturePart] = []

    def load(part: MixturePart, _: Settings) -> Outside:
        asked.append(part)
        rows = [{"prompt": "Name a river in Korea, please.", "completion": "The Han river."}]
        return Outside(part.ref, "c0ffee", ["prompt", "completion"], rows, "mit")

    part = MixturePart(ref="someone/rivers", revision="v2")
    params = MixParams(name="both", part=(part,), stage=("duplicate",))
    folder, manifest = mix(params, settings, Listening(), load)

    assert asked == [part]
    [parent] = manifest.parents
    assert (parent.source, parent.revision, parent.licence) == ("someone/rivers", "c0ffee", "mit")
    assert manifest.licence == "mit"
    [record] = read_records(folder)
    assert record.provenance.completion_id == "someone/rivers:1"


def test_parts_that_repeat_each_other_give_each_record_once(settings: Settings) -> None:
    _, manifest = run(settings, MixturePart(ref="ours"), MixturePart(ref="ours"))

    assert (manifest.generated, manifest.kept) == (18, 9)
    assert manifest.rejected == {"exact-duplicate": 9}


def test_same_mixture_is_the_same_version(settings: Settings) -> None:
    parts = (MixturePart(ref="ours", cap=5),)

    assert run(settings, *parts).folder == run(settings, *parts).folder


def test_mixture_is_proved_through_its_parents(settings: Settings) -> None:
    folder, _ = run(settings, MixturePart(ref="ours", cap=5))

    proof = prove(str(folder), (), settings, Listening())

    states = {link.name: link.state for link in proof.links}
    assert states["parents"] == "proven"
    assert states["record → answer"] == "not here"
    assert proof.first_break is None


@pytest.mark.parametrize(
    ("part", "told"),
    [
        pytest.param({"ref": "nowhere"}, "no version of ours, no file", id="unknown"),
        pytest.param({"ref": "ours", "split": "test"}, "no split 'test'; it has train", id="split"),
        pytest.param({"ref": "ours", "columns": {"output": "x"}}, "has our columns", id="columns"),
        pytest.param(
            {"ref": "FILE", "columns": {"output": "x"}}, "no column 'x'. It has", id="col"
        ),
        pytest.param({"ref": "FILE"}, "wanted a column of outputs", id="no guess"),
        pytest.param({"ref": "FILE", "split": "train"}, "is one file and has no split", id="file"),
        pytest.param({"ref": "FOLDER", "split": "test"}, "no split 'test'; it has train", id="f"),
        pytest.param({"ref": "EMPTY"}, "cannot be read as a dataset", id="empty folder"),
    ],
)
def test_part_that_cannot_be_had_is_one_line(
    settings: Settings, tmp_path: Path, part: dict[str, object], told: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {
        "FILE": str(write_jsonl(tmp_path / "rows.jsonl")),
        "FOLDER": str(write_folder(tmp_path / "rows")),
        "EMPTY": str(tmp_path / "empty"),
    }
    ref = str(part["ref"])

    with pytest.raises(MixtureError, match=told.replace(".", r"\.")) as raised:
        run(settings, MixturePart.model_validate({**part, "ref": places.get(ref, ref)}))
    assert "\n" not in str(raised.value)


def test_hub_that_does_not_answer_is_one_line(settings: Settings) -> None:
    # Nobody listens on port 1.
    elsewhere = settings.model_copy(update={"hf_endpoint": "http://127.0.0.1:1"})
    params = MixParams(name="both", part=(MixturePart(ref="someone/rivers"),))

    with pytest.raises(MixtureError, match=r"the hub does not give it: .*Check name, revision"):
        mix(params, elsewhere, Listening())


def test_row_of_another_language_is_named(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"instruction": "Nomme un fruit.", "output": "Poire", "language": "fr"}\n')

    with pytest.raises(ImportedFileError, match="row 1: language: wanted 'en' or 'ko', found 'fr'"):
        run(settings, MixturePart(ref=str(path)))
