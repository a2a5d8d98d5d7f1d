"""The entry page is gathered from whatever lies in the outputs folder, damaged or not."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.index_page import gather_outputs, write_index
from flows.settings import Settings
from schemas.evaluation import EvaluationReport, GateVerdict, MatrixRow, ModelFacts
from schemas.manifest import (
    ContractSummary,
    DatasetManifest,
    MemoryEstimate,
    SourceFile,
    TrainingManifest,
)
from training.evaluation.registered import Judgement
from training.evaluation.registry import Registry

HASH = "0123456789ab"


def write_version(outputs: Path, name: str, ordinal: int) -> Path:
    folder = outputs / "datasets" / name / f"{ordinal:04d}-{HASH}"
    folder.mkdir(parents=True)
    manifest = DatasetManifest(
        name=name, version=folder.name, content_hash=HASH, generated=80, kept=60,
        rejected={"repeat": 20}, kept_by_language={"en": 20, "ko": 40}, rejected_by_language={},
        splits={"train": 54, "validation": 6}, teachers={"b": 10, "a": 70}, strategies={},
        licence="apache-2.0", curation={}, files=(), code_version="test",
        seeds=(SourceFile(path="seeds/ko.jsonl", sha256="a" * 64),),
    )  # fmt: skip
    (folder / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")
    (folder / "README.md").write_text("# 과일", encoding="utf-8")
    return folder


def write_model(outputs: Path, dataset: str) -> Path:
    folder = outputs / "models" / "chat" / f"0001-{HASH}"
    folder.mkdir(parents=True)
    contract = ContractSummary(
        rows={"train": 54, "validation": 6}, overlong=0, tokens=5400, trained_tokens=2700,
        length_median=100, length_longest=200, languages={"en": 54}, duplicates=0,
    )  # fmt: skip
    manifest = TrainingManifest(
        name="chat", version=folder.name, method="lora", student="smollm2", student_path="/x",
        student_sha256="", dataset=dataset, dataset_content_hash="",
        template="instruction", template_hash="", recipe={},
        contract=contract, memory=MemoryEstimate(
            process_mb=100, weights_mb=1, adapters_mb=0, gradients_mb=0, optimizer_mb=0,
            activations_mb=0, logits_mb=0,
        ), steps=1, loss_before=1.5, loss_after=1.25,
        peak_memory_mb=1, train_seconds=1, tokens_per_second=1, trainable_parameters=1,
        total_parameters=1, files=(), libraries={}, code_version="test",
    )  # fmt: skip
    (folder / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")
    return folder


def write_evaluation(outputs: Path, model: str) -> Path:
    folder = outputs / "evaluations" / "chat" / "0123456789abcdef"
    folder.mkdir(parents=True)
    row = MatrixRow(
        model="mine", task="감정", family="sentiment", language="ko", metric="accuracy", shots=0,
        item_count=9, cluster_count=9, accuracy=0.5, low=0.4, high=0.6, variants=(),
    )  # fmt: skip
    report = EvaluationReport(
        id=folder.name, items_hash="", template_hash="", seed=0,
        template="instruction", rule="raw", wordings=1, draws=1, baseline="base", challenger="mine",
        models={
            name: ModelFacts(model=name, fingerprint="f", path=path)
            for name, path in (
                ("base", "/elsewhere/base"), ("mine", f"/moved/outputs/models/{model}"),
            )
        },
        matrix=(row,), comparisons=(), seconds=1,
    )  # fmt: skip
    (folder / "report.json").write_text(report.model_dump_json(), encoding="utf-8")
    return folder


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    write_version(tmp_path, "fruit", 9)
    write_version(tmp_path, "fruit", 10)
    model = write_model(tmp_path, f"fruit/0009-{HASH}")
    evaluation = write_evaluation(tmp_path, f"chat/{model.name}")
    verdict = GateVerdict(
        verdict="promote", reasons=("더 낫다",), challenger="mine", champion="base"
    )
    registry = Registry(tmp_path / "registry.sqlite")
    now = datetime.now(UTC)
    judgement = Judgement(verdict, evaluation)
    registry.register("chat", model.name, model, f"fruit/0009-{HASH}", now, judgement)
    registry.promote("chat", model.name, now)
    return tmp_path


def test_versions_models_and_evaluations_of_a_name_stand_together_newest_first(
    outputs: Path,
) -> None:
    (family,) = gather_outputs(outputs).families

    assert family.name == "fruit"
    assert [version.version[:4] for version in family.versions] == ["0010", "0009"]
    assert family.versions[0].teachers == ("a", "b")
    (model,), (evaluation,) = family.models, family.evaluations
    assert model.is_champion
    assert model.verdict == "promote"
    assert evaluation.model == model.reference
    assert (evaluation.subject, evaluation.verdict) == ("mine", "promote")
    assert evaluation.reasons == ("더 낫다",)


def test_links_are_relative_and_only_to_what_is_there(outputs: Path) -> None:
    (family,) = gather_outputs(outputs).families

    hrefs = [link.href for link in family.versions[0].links]
    assert hrefs == [
        f"datasets/fruit/0010-{HASH}/README.md", f"datasets/fruit/0010-{HASH}/manifest.json",
    ]  # fmt: skip


def test_damage_is_listed_with_its_reason_and_hides_nothing_else(outputs: Path) -> None:
    names = outputs / "datasets" / "fruit"
    (names / f"0011-{HASH}").mkdir()
    (names / "copy of it").mkdir()
    older = names / f"0012-{HASH}"
    older.mkdir()
    (older / "manifest.json").write_text('{"format": "pacaloom-dataset/0"}', encoding="utf-8")
    renamed = json.loads((names / f"0009-{HASH}" / "manifest.json").read_text(encoding="utf-8"))
    (names / f"0013-{HASH}").mkdir()
    (names / f"0013-{HASH}" / "manifest.json").write_text(json.dumps(renamed), encoding="utf-8")
    (names / f"0014-{HASH}" / "manifest.json").mkdir(parents=True)
    (outputs / "evaluations" / "chat" / "half").mkdir()
    (names / ".interrupted").mkdir()

    found = gather_outputs(outputs)

    assert len(found.families[0].versions) == 2
    reasons = {Path(one.path).name: one.reason for one in found.unreadable}
    assert reasons.keys() == {
        f"0011-{HASH}", "copy of it", f"0012-{HASH}", f"0013-{HASH}", f"0014-{HASH}", "half",
    }  # fmt: skip
    assert "no manifest.json" in reasons[f"0011-{HASH}"]
    assert "another version of Pacaloom" in reasons[f"0012-{HASH}"]
    assert "renamed or copied" in reasons[f"0013-{HASH}"]
    assert "no report.json" in reasons["half"]
    assert str(outputs) not in "".join(reasons.values())


@pytest.mark.parametrize("content", [b"no database", b""])
def test_damaged_registry_costs_the_champions_only(outputs: Path, content: bytes) -> None:
    (outputs / "registry.sqlite").write_bytes(content)

    found = gather_outputs(outputs)

    assert not found.families[0].models[0].is_champion
    assert len(found.unreadable) == (1 if content else 0)


def test_registry_of_a_newer_program_is_named(outputs: Path) -> None:
    with sqlite3.connect(outputs / "registry.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()

    assert "format 99" in gather_outputs(outputs).unreadable[0].reason


def test_page_of_an_empty_folder_is_written_and_makes_nothing_else(tmp_path: Path) -> None:
    write_index(Settings(outputs=tmp_path / "outputs"))

    assert [path.name for path in (tmp_path / "outputs").iterdir()] == ["index.html"]


def test_journal_without_a_version_is_a_name_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "journals").mkdir()
    (tmp_path / "journals" / "begun.sqlite").write_bytes(b"x" * 5000)

    (family,) = gather_outputs(tmp_path).families

    assert (family.name, family.versions) == ("begun", ())


def test_folder_names_that_are_no_text_are_shown_and_linked(outputs: Path) -> None:
    (outputs / "datasets" / "\udcff<b>").mkdir()
    (outputs / "datasets" / "\udcff<b>" / "0001").mkdir()

    page = write_index(Settings(outputs=outputs)).read_text(encoding="utf-8")

    assert "datasets/\ufffd&lt;b&gt;/0001" in page


def test_many_writers_at_once_leave_one_whole_page(outputs: Path) -> None:
    settings = Settings(outputs=outputs)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: write_index(settings), range(40)))

    page = (outputs / "index.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    assert [path.name for path in outputs.glob(".*")] == []
