"""Small outputs folders for the tests of retention: manifests as publishers write them."""

import os
import struct
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from flows.engine import PlainEngine
from flows.outcomes import MaintenanceOutcome
from flows.parameters import MaintenanceParams
from flows.retention.maintaining import maintain_outputs
from flows.settings import Settings
from schemas.evaluation import EvaluationReport, GateVerdict, ModelFacts
from schemas.identity import digest
from schemas.manifest import (
    ContractSummary,
    DatasetManifest,
    MemoryEstimate,
    ParentDataset,
    TrainingManifest,
)
from training.evaluation.kept_cells import name_model
from training.evaluation.registered import Judgement
from training.evaluation.registry import Registry

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY_S = 86_400
_CONTRACT = ContractSummary(
    rows={}, overlong=0, tokens=1, trained_tokens=1, length_median=1, length_longest=1,
    languages={}, duplicates=0,
)  # fmt: skip
_MEMORY = MemoryEstimate(
    process_mb=1, weights_mb=1, adapters_mb=0, gradients_mb=0, optimizer_mb=0, activations_mb=0,
    logits_mb=0,
)  # fmt: skip


def refer_dataset(name: str, ordinal: int) -> str:
    """Name a dataset version by a hash that is the same for the same name and ordinal."""
    return f"{name}/{ordinal:04d}-{digest(name, ordinal)[:12]}"


def refer_model(name: str, ordinal: int) -> str:
    """Name a model version, never as a dataset is called."""
    return f"{name}/{ordinal:04d}-{digest('model', name, ordinal)[:12]}"


def write_dataset(
    outputs: Path,
    name: str,
    ordinal: int,
    *,
    parents: Sequence[str] = (),
    against: Sequence[str] = (),
    teachers: Sequence[str] = (),
) -> Path:
    version = refer_dataset(name, ordinal).split("/")[1]
    manifest = DatasetManifest(
        name=name, version=version, content_hash=digest(name, ordinal), generated=1, kept=1,
        rejected={}, kept_by_language={"en": 1, "ko": 0}, rejected_by_language={},
        splits={"train": 1}, teachers=dict.fromkeys(teachers, 1), strategies={},
        licence="apache-2.0", curation={}, seeds=(), files=(), code_version="v",
        against=tuple(against), parents=tuple(
            ParentDataset(source=one, revision="", columns={}, available=1, taken=1)
            for one in parents
        ),
    )  # fmt: skip
    return _write(outputs / "datasets" / name / version, manifest.model_dump_json())


def write_model(
    outputs: Path, name: str, ordinal: int, *, dataset: str = "gone/0", student_path: str = "/base"
) -> Path:
    version = refer_model(name, ordinal).split("/")[1]
    manifest = TrainingManifest(
        name=name, version=version, method="lora", student="base", student_path=student_path,
        student_sha256="", dataset=dataset, dataset_content_hash="", template="instruction",
        template_hash="", recipe={}, contract=_CONTRACT, memory=_MEMORY, steps=1, loss_before=1,
        loss_after=1, peak_memory_mb=1, train_seconds=1, tokens_per_second=1,
        trainable_parameters=1, total_parameters=1, files=(), libraries={}, code_version="v",
    )  # fmt: skip
    folder = _write(outputs / "models" / name / version, manifest.model_dump_json())
    (folder / "adapter_model.safetensors").write_bytes(bytes(1_000))
    return folder


def write_evaluation(
    outputs: Path, challenger: str, *, against: Sequence[str] = (), number: int = 0
) -> Path:
    models = {
        one: ModelFacts(
            model=one, fingerprint=name_fingerprint(one), path=str(outputs / "models" / one)
        )
        for one in (*against, challenger)
    }
    baseline = against[0] if against else "base"
    identity = digest(challenger, list(against), number)[:16]
    report = EvaluationReport(
        id=identity, items_hash="i", template_hash="t", seed=0, baseline=baseline,
        challenger=challenger, models=models, matrix=(), comparisons=(), seconds=1.0,
    )  # fmt: skip
    folder = outputs / "evaluations" / challenger.replace("/", "-") / identity
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(report.model_dump_json(), encoding="utf-8")
    return folder


def name_fingerprint(model: str) -> str:
    return f"{digest('weights', model)[:16]}-fp32"


def find_answers(outputs: Path, model: str) -> Path:
    """Find where the answers that a model gives to evaluations are kept."""
    return outputs / "evaluations" / ".cells" / name_model(name_fingerprint(model))


def write_answers(outputs: Path, model: str, days: float) -> Path:
    """Keep answers of a model that were last used so long ago."""
    folder = find_answers(outputs, model)
    folder.mkdir(parents=True)
    (folder / "0123456789abcdef.parquet").write_bytes(b"answers")
    age(folder, days)
    return folder


def find_served(outputs: Path, model: str) -> Path:
    """Find a file to serve a student from; its true name is made from the weights."""
    return find_cache(outputs) / "served" / f"{digest('served', model)[:32]}-f16.gguf"


def write_served(outputs: Path, model: str, days: float) -> Path:
    """Write the head of a GGUF file, last served so long ago; docs/gguf.md of the ggml project."""
    path = find_served(outputs, model)
    path.parent.mkdir(parents=True, exist_ok=True)
    name, value = b"general.name", model.encode()
    entry = struct.pack("<Q", len(name)) + name + struct.pack("<IQ", 8, len(value)) + value
    path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + entry)
    age(path, days)
    return path


def find_cache(outputs: Path) -> Path:
    """Find the cache of these tests: nothing of this machine's own is looked at."""
    return outputs.with_name("cache")


def judge(outputs: Path, model: str, report: Path | None = None, *, promote: bool = False) -> None:
    """Register a model as judged, against the champion of its name."""
    registry = Registry(outputs / "registry.sqlite")
    name, version = model.split("/")
    champion = registry.champion(name)
    verdict = GateVerdict(
        verdict="promote" if promote else "reject", reasons=("r",), challenger=model,
        champion=champion.reference if champion else "base",
    )  # fmt: skip
    path = outputs / "models" / model
    registry.register(name, version, path, "d/1", NOON, Judgement(verdict, report, "i"))
    if promote:
        registry.promote(name, version, NOON)


def maintain(outputs: Path, *, keep: int = 1, apply: bool = False) -> MaintenanceOutcome:
    params = MaintenanceParams(keep_versions=keep, apply=apply)
    return maintain_outputs(params, settings_for(outputs), PlainEngine())


def settings_for(outputs: Path) -> Settings:
    return Settings(
        PACALOOM_OUTPUTS=outputs,  # pyright: ignore[reportCallIssue]
        PACALOOM_CACHE=find_cache(outputs),  # pyright: ignore[reportCallIssue]
        _env_file=None,  # pyright: ignore[reportCallIssue]
    )


def list_given(outcome: MaintenanceOutcome) -> set[str]:
    return {one.path for one in outcome.given}


def age(path: Path, days: float) -> None:
    """Set the times of a file, or of a folder and all in it, back."""
    written = time.time() - days * DAY_S
    for one in (*path.rglob("*"), path):
        os.utime(one, (written, written))


def list_all(outputs: Path) -> dict[str, bytes]:
    """Read every file, to see that nothing was touched."""
    return {
        path.relative_to(outputs).as_posix(): path.read_bytes()
        for path in sorted(outputs.rglob("*"))
        if path.is_file()
    }


def _write(folder: Path, manifest: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")
    return folder
