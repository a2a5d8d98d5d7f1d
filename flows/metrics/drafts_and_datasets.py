"""What generation runs wrote and what curation kept of it: newest state of each name."""

from pathlib import Path

from flows.metrics.manifests import ManifestReader, UnreadableFileError, find_versions
from flows.metrics.series import Family, Series
from schemas.manifest import DatasetManifest, DraftsManifest

DRAFTS = Family(
    "pacaloom_drafts_generated", "gauge", ("name",), "Drafts that the runs of a name have written."
)
ADMITTED = Family(
    "pacaloom_drafts_admitted",
    "gauge",
    ("name", "language"),
    "Drafts among them that passed the per-record stages.",
)
RUNS = Family("pacaloom_generation_runs", "gauge", ("name",), "Runs that have written drafts.")
STOPPED = Family(
    "pacaloom_generation_last_stop_info",
    "gauge",
    ("name", "because"),
    "1 for why the latest run ended.",
)
WRITTEN = Family(
    "pacaloom_drafts_written_timestamp_seconds",
    "gauge",
    ("name",),
    "When a run last wrote the drafts of a name.",
)
VERSIONS = Family("pacaloom_dataset_versions", "gauge", ("name",), "Published versions of a name.")
VERSION = Family(
    "pacaloom_dataset_info", "gauge", ("name", "version"), "1 for the newest version of a name."
)
GENERATED = Family(
    "pacaloom_dataset_generated_records",
    "gauge",
    ("name",),
    "Drafts that were curated for the newest version.",
)
KEPT = Family(
    "pacaloom_dataset_kept_records", "gauge", ("name", "language"), "Records of the newest version."
)
REJECTED = Family(
    "pacaloom_dataset_rejected_records",
    "gauge",
    ("name", "language", "reason"),
    "Rejections of the newest version.",
)
YIELD = Family(
    "pacaloom_dataset_yield_ratio",
    "gauge",
    ("name",),
    "Kept of generated in the newest version, from 0 to 1.",
)
PUBLISHED = Family(
    "pacaloom_dataset_published_timestamp_seconds",
    "gauge",
    ("name",),
    "When the newest version was published.",
)


class DatasetCollector:
    """Drafts and dataset versions of an outputs folder."""

    name = "datasets"
    families = (
        DRAFTS, ADMITTED, RUNS, STOPPED, WRITTEN, VERSIONS, VERSION, GENERATED, KEPT, REJECTED,
        YIELD, PUBLISHED,
    )  # fmt: skip

    def __init__(self, outputs: Path) -> None:
        self._outputs = outputs
        self._reader = ManifestReader()

    def collect(self, series: Series) -> list[str]:
        drafts = sorted((self._outputs / "drafts").glob("[!.]*.json"))
        versions = find_versions(self._outputs / "datasets")
        newest = {name: found[-1] / "manifest.json" for name, found in versions.items()}
        self._reader.forget_others({*drafts, *newest.values()})
        problems: list[str] = []
        for path in drafts:
            try:
                self._add_drafts(series, path)
            except UnreadableFileError as error:
                problems.append(str(error))
        for name, path in newest.items():
            series.add(VERSIONS, len(versions[name]), name)
            try:
                self._add_dataset(series, name, path)
            except UnreadableFileError as error:
                problems.append(str(error))
        return problems

    def _add_drafts(self, series: Series, path: Path) -> None:
        manifest = self._reader.read(path, DraftsManifest)
        name = path.stem
        series.add(DRAFTS, manifest.generated, name)
        for language, count in manifest.admitted.items():
            series.add(ADMITTED, count, name, language)
        series.add(RUNS, len(manifest.runs), name)
        series.add(STOPPED, 1, name, manifest.runs[-1].stopped_because)
        series.add(WRITTEN, path.stat().st_mtime, name)

    def _add_dataset(self, series: Series, name: str, path: Path) -> None:
        manifest = self._reader.read(path, DatasetManifest)
        series.add(VERSION, 1, name, manifest.version)
        series.add(GENERATED, manifest.generated, name)
        for language, count in manifest.kept_by_language.items():
            series.add(KEPT, count, name, language)
        for language, reasons in manifest.rejected_by_language.items():
            for reason, count in reasons.items():
                series.add(REJECTED, count, name, language, reason)
        if manifest.generated:
            series.add(YIELD, manifest.kept / manifest.generated, name)
        series.add(PUBLISHED, path.stat().st_mtime, name)
