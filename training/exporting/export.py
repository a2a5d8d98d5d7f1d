"""Export a student: a plain transformers folder, or GGUF for llama.cpp.

Both hold merged weights, the template that the student was trained with as chat template, and its
stop token, so that whoever loads them asks it as it was trained. Cost: loading (and once measuring
the merge), then writing; peak memory is that of the loaded student in fp32.
"""

from pathlib import Path
from typing import Any

from schemas.exports import EngineMeasurement, ExportManifest, GgufKind
from schemas.storage import atomic_path
from training.base_model import Precision
from training.exporting.card import render_card
from training.exporting.placing import EXPORT_MANIFEST, check_target, open_target
from training.exporting.student import LeavingStudent, describe_export, load_leaving
from training.quiet import quiet_libraries

_CARD = "README.md"


def export_hf(
    folder: Path, name: str, target: Path, dtype: Precision, *, force: bool = False
) -> ExportManifest:
    """Write a student as a folder that transformers, vLLM and others load.

    Args:
        folder: A version of ours or a checkpoint.
        name: What a base is called; a version has its own name.
        target: Folder that is absent or empty.
        dtype: bf16 halves the size and rounds the weights; fp32 is exact.
        force: Replace an earlier export there.

    Raises:
        UserError: The student cannot be exported, or not to there.
        StorageError: The folder cannot be written; nothing half-written stays.
    """
    import torch

    check_target(target, force=force)
    student = load_leaving(folder, name)
    model: Any = student.model  # peft and transformers leave its methods half typed
    stop = student.tokenizer.convert_tokens_to_ids(student.asking.stop)
    model.generation_config.eos_token_id = stop
    model = model.to(torch.bfloat16 if dtype == "bf16" else torch.float32)
    with open_target(target, force=force) as temporary, quiet_libraries():
        model.save_pretrained(temporary)
        student.tokenizer.save_pretrained(temporary)
        return _describe(student, dtype, temporary)


def export_gguf(
    folder: Path, name: str, target: Path, kind: GgufKind, *, force: bool = False
) -> ExportManifest:
    """Write a student as one GGUF file in a folder, with a card.

    Arguments and errors are those of :func:`export_hf`; architectures and tokenizers that llama.cpp
    does not know are refused.
    """
    check_target(target, force=force)
    student = load_leaving(folder, name)
    file = f"{student.name.replace('/', '-')}-{kind}.gguf"
    with open_target(target, force=force) as temporary:
        engine = _write(student, temporary / file, kind)
        return _describe(student, kind, temporary, engine)


def write_gguf_file(folder: Path, name: str, path: Path, kind: GgufKind) -> None:
    """Write a student as one GGUF file, atomically, for an engine of ours.

    Raises:
        UserError: As :func:`export_gguf`.
        StorageError: The file cannot be written; nothing half-written stays.
    """
    student = load_leaving(folder, name)
    with atomic_path(path) as temporary:
        _write(student, temporary, kind)


def _write(student: LeavingStudent, path: Path, kind: GgufKind) -> EngineMeasurement | None:
    """Write the file, and hold what llama.cpp makes of it against the student."""
    # The gguf package takes 0.2 s to import.
    from training.exporting.gguf_file import find_source, write_gguf
    from training.exporting.verifying import has_engine, verify_gguf

    write_gguf(
        path,
        student.model,
        student.tokenizer,
        student.name,
        kind,
        student.asking,
        find_source(student.base),
    )
    return verify_gguf(path, student.model, student.tokenizer, kind) if has_engine() else None


def _describe(
    student: LeavingStudent,
    weights: str,
    folder: Path,
    engine: EngineMeasurement | None = None,
) -> ExportManifest:
    files = {file.name for file in folder.iterdir()} | {_CARD}
    described = describe_export(student, weights, tuple(sorted(files)), engine)
    (folder / _CARD).write_text(render_card(described), encoding="utf-8")
    (folder / EXPORT_MANIFEST).write_text(described.model_dump_json(indent=2), encoding="utf-8")
    return described
