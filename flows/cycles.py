"""What became of a name from version to version, and whether steering helped."""

from pathlib import Path

from flows.registry import open_registry
from flows.resources import find_dataset
from flows.settings import Settings
from flows.steering import TAUGHT_BY
from schemas.errors import PacaloomError
from schemas.manifest import DatasetManifest
from schemas.records import LANGUAGES
from schemas.storage import read_manifest
from training.evaluation.page.trend import CellKey, Cycle, cycle_of
from training.evaluation.reading import read_report
from training.evaluation.registered import RegisteredModel


def read_cycles(name: str, settings: Settings, before: str = "") -> list[Cycle]:
    """Read the judged versions of a name, oldest first; what is gone is left out.

    Args:
        name: Of the students.
        settings: Where the registry is.
        before: A version that is being judged, and is left out.
    """
    return [
        cycle
        for model in open_registry(settings).models(name)
        if model.report is not None
        and model.version != before
        and (cycle := _read_cycle(model, model.report, settings)) is not None
    ]


def _read_cycle(model: RegisteredModel, folder: Path, settings: Settings) -> Cycle | None:
    try:
        report = read_report(folder)
    except PacaloomError:
        return None
    return cycle_of(report, model.version, find_steering(model.dataset, settings))


def find_steering(dataset: str, settings: Settings) -> dict[CellKey, float]:
    """Share the extra emphasis of the dataset's last run out over what it practises."""
    try:
        manifest = read_manifest(find_dataset(dataset, settings), DatasetManifest, "a dataset")
    except PacaloomError:
        return {}
    emphasis = manifest.runs[-1].config.get("emphasis") if manifest.runs else None
    extra = {
        key: float(weight) - 1.0
        for key, weight in (emphasis.items() if isinstance(emphasis, dict) else ())
        if isinstance(weight, int | float) and weight > 1.0
    }
    total = sum(extra.values())
    shares: dict[CellKey, float] = {}
    for language in LANGUAGES:
        for family, kinds in TAUGHT_BY.items():
            share = sum(extra.get(f"{language}/{kind}", 0.0) for kind in kinds)
            if share:
                shares[language, family] = share / total
    return shares
