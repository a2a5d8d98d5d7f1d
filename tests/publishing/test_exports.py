"""Exports hold the same records as the version, in the files that trainers read."""

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.publishing.exports.chat import OPENAI_CHAT
from pipeline.publishing.exports.contract import ExportError, Format
from pipeline.publishing.exports.formats import FORMATS, find_formats
from pipeline.publishing.exports.reading import read_export, read_source
from pipeline.publishing.exports.rows import Row
from pipeline.publishing.exports.tabular import defuse, restore_cell
from pipeline.publishing.exports.writing import Choice, export_version
from pipeline.publishing.tables import TableError, write_records
from schemas.manifest import DatasetManifest
from schemas.records import InstructionRecord, Language, Provenance
from schemas.storage import ManifestError, StorageError
from schemas.templates import INSTRUCTION

ORIGIN = Provenance(strategy="structured", teacher="teacher-1", completion_id="c1")
BY_NAME = {format_.name: format_ for format_ in FORMATS}
every_format = pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.name)

EN = ("Name the colours in the text.", "Red roses,\nblue skies", "Red and blue.")
KO = ("문장을 높임말로 바꿔 줘.", "밥 먹었어?", "진지 드셨습니까?")


def make(
    texts: tuple[str, str, str], language: Language = "en", origin: Provenance = ORIGIN
) -> InstructionRecord:
    instruction, input_, output = texts
    return InstructionRecord(
        instruction=instruction, input=input_, output=output, language=language, provenance=origin
    )


TRAIN = [make(EN), make(KO, "ko"), make(("List two fruits.", "", "Apple, pear"))]
VALIDATION = [make(("과일 두 가지를 말해 줘.", "", "사과와 배"), "ko")]


def write_version(
    root: Path,
    train: list[InstructionRecord] = TRAIN,
    validation: list[InstructionRecord] = VALIDATION,
    name: str = "toy",
) -> Path:
    """Write the files of a version that an export reads."""
    folder = root / "toy" / "0001-0123456789ab"
    (folder / "data").mkdir(parents=True)
    write_records(folder / "data" / "train.parquet", train)
    write_records(folder / "data" / "validation.parquet", validation)
    manifest = DatasetManifest(
        name=name, version=folder.name, content_hash="0" * 64,
        generated=len(train) + len(validation), kept=len(train) + len(validation), rejected={},
        kept_by_language={"en": 0, "ko": 0}, rejected_by_language={},
        splits={"train": len(train), "validation": len(validation)},
        teachers={}, strategies={}, prompt_tokens=0, completion_tokens=0, licence="cc-by-sa-4.0",
        runs=(), curation={}, judge=None, against=(), seeds=(), files=(), code_version="test",
    )  # fmt: skip
    (folder / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")
    return folder


def to_row(record: InstructionRecord) -> Row:
    return Row(record.id, record.language, record.instruction, record.input, record.output)


def read_all(folder: Path) -> set[tuple[str, Row]]:
    return {(one.split, one.row) for one in read_export(folder)}


# What breaks readers of lines, of tables, of templates, and joins of instruction and input.
PIECES = (
    "\n", "\n\n", "\r", "\r\n", "\x85", "\u2028", "\u2029", "\0", "\t", "\x1c", "\ufeff", " ",
    '"', "'", "''", ",", ";", "\\", "\\n", "=1+1", "+", "-", "@SUM(A1)", "＝", "NA", "null", "{",
    "}", "{instruction}", "{input}", "\n\n### 맥락: ", "\n\n### Input:\n", "\n\n### 답변:",
    "\n\n### Response:", "<|endoftext|>", "\\u0041", "ㅎㅏㄴ", "\u1112\u1161\u11ab", "한글", "é",
    "\U0001f469\u200d\U0001f467", "\U0001f1f0\U0001f1f7", "</script>", "\u3000",
)  # fmt: skip
nasty = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=8).map("".join)
nonempty = nasty.map(lambda text: text if text.strip() else "=" + text)
records = st.builds(
    lambda instruction, input_, output, language, teacher: make(
        (instruction, input_, output), language, ORIGIN.model_copy(update={"teacher": teacher})
    ),
    nonempty, nasty, nonempty, st.sampled_from(["en", "ko"]), nasty,
)  # fmt: skip


@every_format
@settings(max_examples=15, deadline=None)
@given(kept=st.lists(records, min_size=1, max_size=12, unique_by=lambda record: record.id))
def test_every_record_comes_back_as_it_was(format_: Format, kept: list[InstructionRecord]) -> None:
    half = (len(kept) + 1) // 2
    with tempfile.TemporaryDirectory() as root:
        version = write_version(Path(root), kept[:half], kept[half:])

        (report,) = export_version(version, [format_], Path(root) / "out")

        assert read_all(report.folder) == {
            *(("train", to_row(record)) for record in kept[:half]),
            *(("validation", to_row(record)) for record in kept[half:]),
        }


@settings(max_examples=200)
@given(text=nasty)
def test_a_defused_cell_is_no_formula_and_has_one_way_back(text: str) -> None:
    cell = defuse(text)

    seen = cell.lstrip().lstrip("\0\ufeff\u200b\u200e\u2060")
    assert not seen.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert not cell.startswith(("\t", "\r", "\n"))
    assert restore_cell(cell) == text


@pytest.mark.parametrize("sign", "=+-@＝＋－＠")
@pytest.mark.parametrize(
    "before", ["", " ", "\u3000", "\xa0", "\ufeff", "\u200b", "\0", " \u2060\n"]
)
def test_a_formula_behind_what_nobody_sees_is_defused(before: str, sign: str) -> None:
    formula = f"{before}{sign}HYPERLINK(1)"

    assert defuse(formula) == f"'{formula}"
    assert defuse(f"'{formula}") == f"''{formula}"
    assert defuse(f"{before}셀{sign}1") == f"{before}셀{sign}1"


@pytest.mark.parametrize("kind", [".json", ".jsonl", ".csv"])
@settings(max_examples=15, deadline=None)
@given(kept=st.lists(records, min_size=1, max_size=4, unique_by=lambda record: record.id))
def test_readers_of_their_own_see_the_same_texts(kind: str, kept: list[InstructionRecord]) -> None:
    name = {".json": "alpaca", ".jsonl": "trl", ".csv": "csv"}[kind]
    with tempfile.TemporaryDirectory() as root:
        version = write_version(Path(root), kept, [])
        export_version(version, [BY_NAME[name]], Path(root) / "out")
        content = (Path(root) / "out" / f"train{kind}").read_bytes().decode()

    if kind == ".json":
        found = [(one["instruction"], one["input"], one["output"]) for one in json.loads(content)]
        assert found == [(one.instruction, one.input, one.output) for one in kept]
    elif kind == ".jsonl":
        # One line a record for each of Python's two notions of a line.
        assert content.splitlines() == content.split("\n")[:-1]
        found = [json.loads(line) for line in content.splitlines()]
        expected = [INSTRUCTION.render(*to_row(one)[2:], one.language) for one in kept]
        assert [(one["prompt"], one["completion"]) for one in found] == expected
    else:
        lines = csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline=""))
        found = [(one["id"], restore_cell(one["output"])) for one in lines]
        assert found == [(one.id, one.output) for one in kept]


@pytest.fixture
def version(tmp_path: Path) -> Path:
    return write_version(tmp_path / "datasets")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out"


def read_lines(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_alpaca_is_a_json_list_of_three_columns(version: Path, target: Path) -> None:
    export_version(version, [BY_NAME["alpaca"]], target)

    assert json.loads((target / "train.json").read_text(encoding="utf-8")) == [
        {"instruction": EN[0], "input": EN[1], "output": EN[2]},
        {"instruction": KO[0], "input": KO[1], "output": KO[2]},
        {"instruction": "List two fruits.", "input": "", "output": "Apple, pear"},
    ]
    assert len(json.loads((target / "validation.json").read_text(encoding="utf-8"))) == 1


def test_koalpaca_puts_the_input_under_the_label_of_its_readme(version: Path, target: Path) -> None:
    export_version(version, [BY_NAME["koalpaca-v1.1a"]], target, Choice(languages=("ko",)))

    assert read_lines(target / "train.jsonl") == [
        {"instruction": "문장을 높임말로 바꿔 줘.\n\n### 맥락: 밥 먹었어?", "output": KO[2]}
    ]
    assert read_lines(target / "train_textonly.json") == [
        {
            "text": "### 질문: 문장을 높임말로 바꿔 줘.\n\n### 맥락: 밥 먹었어?\n\n"
            "### 답변: 진지 드셨습니까?<|endoftext|>"
        }
    ]


def test_chats_join_instruction_and_input_with_a_blank_line(version: Path, target: Path) -> None:
    export_version(version, [OPENAI_CHAT, BY_NAME["sharegpt"]], target)

    question = "문장을 높임말로 바꿔 줘.\n\n밥 먹었어?"
    assert read_lines(target / "openai-chat" / "train.jsonl")[1] == {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": "진지 드셨습니까?"},
        ]
    }
    conversations = json.loads((target / "sharegpt" / "train.json").read_text(encoding="utf-8"))
    assert conversations[1] == {
        "id": TRAIN[1].id,
        "conversations": [
            {"from": "human", "value": question},
            {"from": "gpt", "value": "진지 드셨습니까?"},
        ],
    }


def test_llama_factory_names_each_split_in_dataset_info(version: Path, target: Path) -> None:
    export_version(version, [BY_NAME["llama-factory"]], target)

    info = json.loads((target / "dataset_info.json").read_text(encoding="ascii"))
    assert list(info) == ["toy_train", "toy_validation"]
    assert info["toy_validation"] == {
        "file_name": "toy_validation.json",
        "formatting": "alpaca",
        "columns": {"prompt": "instruction", "query": "input", "response": "output"},
    }


def test_axolotl_renders_each_language_as_our_own_fine_tuning(version: Path, target: Path) -> None:
    export_version(version, [BY_NAME["axolotl"]], target)

    config = yaml.safe_load((target / "axolotl.yaml").read_text(encoding="utf-8"))
    english, korean = config["datasets"]
    assert english == {
        "path": "train.en.jsonl", "ds_type": "json", "split": "train", "type": "alpaca"
    }  # fmt: skip
    assert korean["path"] == "train.ko.jsonl"
    rendered = korean["type"]["format"].format(instruction=KO[0], input=KO[1]) + KO[2]
    assert rendered == "".join(INSTRUCTION.render(*KO, "ko"))
    without = korean["type"]["no_input_format"].format(instruction=KO[0]) + KO[2]
    assert without == "".join(INSTRUCTION.render(KO[0], "", KO[2], "ko"))
    assert [one["path"] for one in config["test_datasets"]] == ["validation.ko.jsonl"]


def test_parquet_keeps_every_column(version: Path, target: Path) -> None:
    export_version(version, [BY_NAME["parquet"]], target)

    exported = pq.read_table(target / "train.parquet")
    assert exported.equals(pq.read_table(version / "data" / "train.parquet"))


def test_csv_defuses_formulas_in_every_column(tmp_path: Path, target: Path) -> None:
    origin = ORIGIN.model_copy(update={"teacher": "=HYPERLINK(1)"})
    record = make(("=cmd|' /C calc'!A0", "-1", "@답"), "ko", origin)
    version = write_version(tmp_path / "datasets", [record], [])

    export_version(version, [BY_NAME["csv"]], target)

    content = (target / "train.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    (line,) = csv.DictReader(content.decode("utf-8-sig").splitlines())
    assert line["instruction"] == "'=cmd|' /C calc'!A0"
    assert (line["input"], line["output"], line["teacher"]) == ("'-1", "'@답", "'=HYPERLINK(1)")


@every_format
def test_version_licence_and_counts_stay_with_the_data(
    version: Path, target: Path, format_: Format
) -> None:
    (report,) = export_version(version, [format_], target)

    source = read_source(target)
    assert (source.dataset, source.version) == ("toy", "0001-0123456789ab")
    assert (source.licence, source.content_hash) == ("cc-by-sa-4.0", "0" * 64)
    assert source.records == {"train": 3, "validation": 1}
    assert source.languages == {"en": 2, "ko": 2}
    assert sorted(report.files) == sorted(file.name for file in target.iterdir())
    assert str(target) in format_.load(report.exported, str(target))


@every_format
def test_same_version_gives_the_same_bytes(version: Path, tmp_path: Path, format_: Format) -> None:
    def export(name: str) -> dict[str, bytes]:
        export_version(version, [format_], tmp_path / name)
        return {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}

    assert export("first") == export("second")


@every_format
def test_a_split_without_records_has_no_file(tmp_path: Path, target: Path, format_: Format) -> None:
    version = write_version(tmp_path / "datasets", [make(EN)], [])

    (report,) = export_version(version, [format_], target)

    assert not [name for name in report.files if "validation" in name]
    assert report.records == {"train": 1, "validation": 0}


def test_only_the_chosen_split_and_language_is_written(version: Path, target: Path) -> None:
    export_version(version, [OPENAI_CHAT], target, Choice(("train",), ("ko",)))

    assert read_all(target) == {("train", to_row(TRAIN[1]))}


def test_a_choice_without_records_is_an_error(tmp_path: Path, target: Path) -> None:
    version = write_version(tmp_path / "datasets", [make(EN)], [])

    with pytest.raises(ExportError, match="no record in train and validation of language ko"):
        export_version(version, [OPENAI_CHAT], target, Choice(languages=("ko",)))
    assert not target.exists()


def test_a_record_of_a_megabyte_is_exported_in_every_format(tmp_path: Path, target: Path) -> None:
    long = make(("요약해 줘.", "가나\n\n" * 200_000, "짧게."), "ko")
    version = write_version(tmp_path / "datasets", [long], [])

    reports = export_version(version, FORMATS, target)

    assert all(read_all(report.folder) == {("train", to_row(long))} for report in reports)


def test_an_unknown_format_is_answered_with_the_list() -> None:
    with pytest.raises(ExportError, match=r"'alpacca'.*alpaca, koalpaca-v1\.1a, openai-chat"):
        find_formats(["alpaca", "alpacca"])


def test_a_filled_folder_is_left_alone(version: Path, target: Path) -> None:
    target.mkdir()
    (target / "notes.txt").write_text("mine")

    with pytest.raises(ExportError, match=r"is not empty.*--force"):
        export_version(version, [OPENAI_CHAT], target)
    assert [file.name for file in target.iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_filled(version: Path, target: Path) -> None:
    target.mkdir()

    export_version(version, [OPENAI_CHAT], target)

    assert len(read_all(target)) == 4


def test_force_replaces_an_earlier_export_and_nothing_else(version: Path, target: Path) -> None:
    export_version(version, [BY_NAME["axolotl"]], target)
    (target / "notes.txt").write_text("mine")

    (report,) = export_version(version, [OPENAI_CHAT], target, force=True)

    assert {file.name for file in target.iterdir()} == {*report.files, "notes.txt"}
    assert len(read_all(target)) == 4


def test_force_never_takes_a_file_that_no_export_wrote(version: Path, target: Path) -> None:
    target.mkdir()
    (target / "dataset_info.json").write_text('{"mine": {}}')

    with pytest.raises(ExportError, match=r"dataset_info\.json was not written by an export"):
        export_version(version, [BY_NAME["llama-factory"]], target, force=True)
    assert (target / "dataset_info.json").read_text() == '{"mine": {}}'
    assert [file.name for file in target.iterdir()] == ["dataset_info.json"]


def test_force_removes_nothing_outside_the_folder(version: Path, target: Path) -> None:
    export_version(version, [OPENAI_CHAT], target)
    outside = target.parent / "outside.txt"
    outside.write_text("mine")
    source = json.loads((target / "SOURCE.json").read_text())
    source["files"].append({"path": "../outside.txt", "sha256": "0"})
    (target / "SOURCE.json").write_text(json.dumps(source))

    export_version(version, [OPENAI_CHAT], target, force=True)

    assert outside.exists()


def test_a_version_is_never_written_into(version: Path) -> None:
    before = sorted(version.rglob("*"))

    with pytest.raises(ExportError, match="never changes"):
        export_version(version, [OPENAI_CHAT], version, force=True)
    with pytest.raises(ExportError, match="never changes"):
        export_version(version, [OPENAI_CHAT], version / "export")
    assert sorted(version.rglob("*")) == before


@pytest.mark.parametrize("through", ["name", "link", "format"])
def test_no_other_version_is_written_into_either(
    version: Path, target: Path, tmp_path: Path, through: str
) -> None:
    other = write_version(tmp_path / "others")
    before = sorted(other.rglob("*"))
    target.mkdir()
    for link in (target / "link", target / "alpaca"):
        link.symlink_to(other / "data", target_is_directory=True)
    to = {"name": other / "export", "link": target / "link", "format": target}[through]

    with pytest.raises(ExportError, match="never changes"):
        export_version(version, [OPENAI_CHAT, BY_NAME["alpaca"]], to, force=True)

    assert sorted(other.rglob("*")) == before


def test_nothing_is_put_among_versions_where_it_would_be_the_newest(version: Path) -> None:
    with pytest.raises(ExportError, match="lies among the versions"):
        export_version(version, [OPENAI_CHAT], version.with_name("0002-0123456789ab"))

    assert [folder.name for folder in version.parent.iterdir()] == [version.name]


@pytest.mark.parametrize("leads_to", ["out", "on-a-disk-that-is-not-here"])
def test_a_link_that_leads_to_no_folder_is_named(
    version: Path, target: Path, leads_to: str
) -> None:
    target.symlink_to(leads_to)

    with pytest.raises(ExportError, match="is a link that leads to no folder"):
        export_version(version, [OPENAI_CHAT], target)
    assert target.is_symlink()


def test_an_empty_folder_behind_a_link_is_filled(version: Path, target: Path) -> None:
    (target.parent / "disk").mkdir()
    target.symlink_to("disk")

    export_version(version, [OPENAI_CHAT], target)

    assert target.is_symlink()
    assert len(read_all(target.parent / "disk")) == 4


def test_a_file_where_a_format_wants_its_folder_is_named(version: Path, target: Path) -> None:
    target.mkdir()
    (target / "alpaca").write_text("mine")

    with pytest.raises(StorageError, match=r"File exists.*/alpaca"):
        export_version(version, [BY_NAME["alpaca"], OPENAI_CHAT], target, force=True)
    assert [file.name for file in target.iterdir()] == ["alpaca"]


def test_a_name_that_no_file_system_takes_is_one_line(version: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="cannot be a folder: File name too long"):
        export_version(version, [OPENAI_CHAT], tmp_path / ("n" * 300))


def test_force_takes_no_link_that_leads_nowhere_now(version: Path, target: Path) -> None:
    target.mkdir()
    (target / "train.jsonl").symlink_to(target / "on-a-disk-that-is-not-here")

    with pytest.raises(ExportError, match="was not written by an export"):
        export_version(version, [OPENAI_CHAT], target, force=True)
    assert (target / "train.jsonl").is_symlink()


def test_a_name_in_a_manifest_is_no_path(tmp_path: Path, target: Path) -> None:
    version = write_version(tmp_path / "datasets", name="../../evil")

    with pytest.raises(Exception, match="A dataset name is"):
        export_version(version, [BY_NAME["llama-factory"]], target)


def break_version(folder: Path) -> Iterator[str]:
    """Damage a version in turn, naming what an error must name."""
    table = folder / "data" / "train.parquet"
    content = table.read_bytes()
    table.write_bytes(content[: len(content) // 2])
    yield "train.parquet"
    write_records(table, TRAIN[:2])
    yield "train.parquet holds 2 records, its manifest says 3"
    rows = pq.read_table(folder / "data" / "validation.parquet").to_pylist()
    write_records(table, TRAIN)
    forged = pq.read_table(table).to_pylist()
    forged[1]["output"] = rows[0]["output"]
    pq.write_table(pq.read_table(table).from_pylist(forged, pq.read_schema(table)), table)
    yield f"the text of record {TRAIN[1].id} is not the one"
    table.unlink()
    yield "train.parquet cannot be read: there is no such file"


def test_a_damaged_version_is_not_exported_and_names_its_file(version: Path, target: Path) -> None:
    for named in break_version(version):
        with pytest.raises(TableError, match=named):
            export_version(version, [OPENAI_CHAT], target)
        assert not target.exists()


def test_a_folder_that_is_no_version_is_not_exported(tmp_path: Path, target: Path) -> None:
    with pytest.raises(ManifestError, match=r"manifest\.json"):
        export_version(tmp_path, [OPENAI_CHAT], target)


def test_an_export_that_was_changed_is_not_read(version: Path, target: Path) -> None:
    export_version(version, [OPENAI_CHAT], target)
    file = target / "train.jsonl"
    content = file.read_text(encoding="utf-8")

    file.write_text(content.replace("Apple", "Plum"), encoding="utf-8")
    with pytest.raises(ExportError, match=f"record {TRAIN[2].id} is not the one"):
        list(read_export(target))
    file.write_text("".join(content.splitlines(keepends=True)[:2]), encoding="utf-8")
    with pytest.raises(ExportError, match=r"train\.jsonl is not as it was exported"):
        list(read_export(target))
    file.write_text(content.replace("{", "", 1), encoding="utf-8")
    with pytest.raises(ExportError, match=r"train\.jsonl:1: wanted a JSON object"):
        list(read_export(target))
    file.unlink()
    with pytest.raises(ExportError, match=r"train\.jsonl cannot be read"):
        list(read_export(target))
