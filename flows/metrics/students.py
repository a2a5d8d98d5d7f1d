"""Tuned students, what evaluations found, and who is champion: newest state of each name.

Only the newest version of a name is shown with its figures, so that the number of series does not
grow with every retraining; Prometheus itself keeps what they were before. The registry is read
without a write lock and never brought to a newer format.
"""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from flows.metrics.manifests import ManifestReader, UnreadableFileError, find_versions
from flows.metrics.series import Family, Series
from schemas.evaluation import EvaluationReport
from schemas.manifest import TrainingManifest
from training.evaluation.registered import read_champions
from training.evaluation.registry_tables import FORMAT

VERSIONS = Family("pacaloom_model_versions", "gauge", ("name",), "Tuned students of a name.")
VERSION = Family(
    "pacaloom_model_info",
    "gauge",
    ("name", "version", "method", "student", "dataset"),
    "1 for the newest student of a name.",
)
LOSS = Family(
    "pacaloom_model_held_out_loss",
    "gauge",
    ("name", "moment"),
    "Cross-entropy in nats a token on held-out answers, before and after tuning.",
)
TRAINED = Family(
    "pacaloom_model_train_seconds", "gauge", ("name",), "Time that tuning the newest one took."
)
MEMORY = Family(
    "pacaloom_model_peak_memory_bytes", "gauge", ("name",), "Most memory that tuning it took."
)
TUNED = Family(
    "pacaloom_model_published_timestamp_seconds",
    "gauge",
    ("name",),
    "When the newest student was published.",
)
ACCURACY = Family(
    "pacaloom_evaluation_accuracy_ratio",
    "gauge",
    ("name", "role", "model", "task", "language", "shots"),
    "Mean marks, from 0 to 1, in the latest evaluation of the newest student of a name.",
)
CHAMPION = Family("pacaloom_champion_info", "gauge", ("name", "version"), "1 for the champion.")
CHAMPION_SINCE = Family(
    "pacaloom_champion_since_timestamp_seconds",
    "gauge",
    ("name",),
    "When the champion got its place.",
)
VERDICTS = Family(
    "pacaloom_verdicts", "gauge", ("name", "verdict"), "Verdicts that the gate has given."
)
LAST_VERDICT = Family(
    "pacaloom_last_verdict", "gauge", ("name", "verdict"), "1 for the latest verdict, 0 for others."
)
JUDGED = Family("pacaloom_last_verdict_timestamp_seconds", "gauge", ("name",), "When it was given.")

_VERDICTS = ("promote", "hold", "reject")
_MB = 10**6
_PATIENCE_S = 0.5
"""A change of the registry takes milliseconds."""
_JUDGEMENTS = (
    "SELECT name, json_extract(verdict, '$.verdict'), at FROM judgements ORDER BY sequence"
)


class StudentCollector:
    """Models, evaluations and registry of an outputs folder."""

    name = "students"
    families = (
        VERSIONS, VERSION, LOSS, TRAINED, MEMORY, TUNED, ACCURACY, CHAMPION, CHAMPION_SINCE,
        VERDICTS, LAST_VERDICT, JUDGED,
    )  # fmt: skip

    def __init__(self, outputs: Path) -> None:
        self._outputs = outputs
        self._reader = ManifestReader()

    def collect(self, series: Series) -> list[str]:
        problems: list[str] = []
        wanted: set[Path] = set()
        for name, versions in find_versions(self._outputs / "models").items():
            series.add(VERSIONS, len(versions), name)
            manifest = versions[-1] / "manifest.json"
            report = _find_report(self._outputs, name, versions[-1].name)
            wanted |= {manifest, report} if report else {manifest}
            try:
                self._add_student(series, name, manifest)
                if report:
                    self._add_evaluation(series, name, report)
            except UnreadableFileError as error:
                problems.append(str(error))
        self._reader.forget_others(wanted)
        return problems + _add_registry(series, self._outputs / "registry.sqlite")

    def _add_student(self, series: Series, name: str, path: Path) -> None:
        found = self._reader.read(path, TrainingManifest)
        series.add(VERSION, 1, name, found.version, found.method, found.student, found.dataset)
        series.add(LOSS, found.loss_before, name, "before")
        series.add(LOSS, found.loss_after, name, "after")
        series.add(TRAINED, found.train_seconds, name)
        series.add(MEMORY, found.peak_memory_mb * _MB, name)
        series.add(TUNED, path.stat().st_mtime, name)

    def _add_evaluation(self, series: Series, name: str, path: Path) -> None:
        report = self._reader.read(path, EvaluationReport)
        # The newest student has another name every time; its role is what a line can follow.
        roles = {report.baseline: "baseline", report.challenger: "challenger"}
        for row in report.matrix:
            cell = (row.model, row.task, row.language, str(row.shots))
            series.add(ACCURACY, row.accuracy, name, roles.get(row.model, "other"), *cell)


def _find_report(outputs: Path, name: str, version: str) -> Path | None:
    reports = (outputs / "evaluations" / f"{name}-{version}").glob("[!.]*/report.json")
    return max(reports, key=lambda path: path.stat().st_mtime, default=None)


def _add_registry(series: Series, path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        address = f"{path.as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_S)) as database:
            found: int = database.execute("PRAGMA user_version").fetchone()[0]
            if found > FORMAT:
                return [f"{path}: registry format {found}, known up to {FORMAT}"]
            _add_champions(series, database)
            _add_verdicts(series, database)
    except (sqlite3.Error, ValueError) as error:
        return [f"{path}: {error}"]
    return []


def _add_champions(series: Series, database: sqlite3.Connection) -> None:
    latest = database.execute(
        "SELECT name, max(sequence), at FROM history GROUP BY name"
    ).fetchall()
    for name, _, at in latest:
        stack = read_champions(database, name)
        if stack:
            series.add(CHAMPION, 1, name, stack[-1])
            series.add(CHAMPION_SINCE, datetime.fromisoformat(at).timestamp(), name)


def _add_verdicts(series: Series, database: sqlite3.Connection) -> None:
    counts: dict[str, dict[str, int]] = {}
    latest: dict[str, tuple[str, str]] = {}
    for name, verdict, at in database.execute(_JUDGEMENTS):
        of_name = counts.setdefault(name, dict.fromkeys(_VERDICTS, 0))
        of_name[verdict] = of_name.get(verdict, 0) + 1
        latest[name] = (verdict, at)
    for name, of_name in counts.items():
        last, at = latest[name]
        for verdict, count in of_name.items():
            series.add(VERDICTS, count, name, verdict)
            series.add(LAST_VERDICT, verdict == last, name, verdict)
        series.add(JUDGED, datetime.fromisoformat(at).timestamp(), name)
