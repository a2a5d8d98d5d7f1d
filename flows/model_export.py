"""Export a student, tuned or not, to a folder for transformers or to GGUF."""

from pathlib import Path
from typing import Literal, NamedTuple

from flows.engine import Engine
from flows.registry import open_registry
from flows.resources import find_model_folder
from flows.settings import Settings
from schemas.exports import ExportManifest, GgufKind, MergeReport
from schemas.manifest import TrainingManifest
from schemas.storage import read_manifest
from training.base_model import Precision
from training.merging import recall_report


class ModelExportRequest(NamedTuple):
    """What is to be exported, and how."""

    model: str
    """NAME (its newest version), NAME/VERSION, a folder, an embedded model or a hub id."""
    format: Literal["hf", "gguf"]
    target: Path
    kind: GgufKind = "f16"
    """For GGUF."""
    dtype: Precision = "bf16"
    """For a folder of transformers."""
    force: bool = False
    """Replace an earlier export."""


def export_model(request: ModelExportRequest, settings: Settings, engine: Engine) -> ExportManifest:
    """Export a student.

    Raises:
        UserError: There is no such student, it has no such form, or the target is not empty.
    """
    # torch takes seconds to import.
    from training.exporting.export import export_gguf, export_hf

    folder = find_model_folder(request.model, settings, engine)
    engine.say(f"Loading {folder} and merging what has to be merged…")
    target = request.target.absolute()
    if request.format == "hf":
        return export_hf(folder, request.model, target, request.dtype, force=request.force)
    return export_gguf(folder, request.model, target, request.kind, force=request.force)


class ModelFacts(NamedTuple):
    """A tuned student, as far as it can be told without loading it."""

    folder: Path
    manifest: TrainingManifest
    merge: MergeReport | None
    """None where nothing was measured yet."""
    is_champion: bool
    verdict: str | None
    """None where it was not judged."""


def read_facts(reference: str, settings: Settings, engine: Engine) -> ModelFacts:
    """Read what is known about a tuned student.

    Raises:
        UserError: There is no such student.
    """
    folder = find_model_folder(reference, settings, engine)
    manifest = read_manifest(folder, TrainingManifest, "a tuned student")
    registry = open_registry(settings)
    champion = registry.champion(manifest.name)
    judged = [
        model.verdict.verdict
        for model in registry.models(manifest.name)
        if model.version == manifest.version and model.verdict
    ]
    return ModelFacts(
        folder=folder,
        manifest=manifest,
        merge=recall_report(folder, manifest),
        is_champion=champion is not None and champion.version == manifest.version,
        verdict=judged[0] if judged else None,
    )
