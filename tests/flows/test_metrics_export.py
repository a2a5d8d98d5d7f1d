"""Every figure says what lies in the outputs folder, whatever was written there."""

import os
import socket
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.drafts import write_drafts_manifest
from flows.metrics.exporter import Exporter
from flows.metrics.series import MOST_SERIES, Family, Series
from flows.observing.masking import Mask
from flows.observing.run_log import Event, LogLine, RunLog
from flows.settings import Settings
from pipeline.generation.budget.caps import Spending
from pipeline.generation.journal.journal import Journal, PendingBatch
from schemas.evaluation import EvaluationReport, GateVerdict, MatrixRow
from schemas.manifest import (
    ContractSummary,
    DatasetManifest,
    DraftsManifest,
    GenerationRun,
    MemoryEstimate,
    TrainingManifest,
)
from schemas.storage import write_text
from tests.flows.metrics_making import Sample, Scraper, parse, sample, scrape
from tests.generation.journal_making import make_exchange
from training.evaluation.registered import Judgement
from training.evaluation.registry import Registry

HASH = "0123456789ab"
AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def write_dataset(outputs: Path, ordinal: int) -> None:
    folder = outputs / "datasets" / "fruit" / f"{ordinal:04d}-{HASH}"
    manifest = DatasetManifest(
        name="fruit", version=folder.name, content_hash=HASH, generated=10 * ordinal, kept=20,
        rejected={"repeat": 19, "truncated": 1}, kept_by_language={"en": 5, "ko": 15},
        rejected_by_language={"en": {"repeat": 12, "truncated": 1}, "ko": {"repeat": 7}},
        splits={}, teachers={}, strategies={}, licence="apache-2.0", curation={}, files=(),
        code_version="test", seeds=(),
    )  # fmt: skip
    write_text(folder / "manifest.json", manifest.model_dump_json())


def write_drafts(outputs: Path) -> None:
    runs = tuple(
        GenerationRun(
            teacher="m",
            config={},
            admission={},
            seeds=(),
            documents=(),
            generated=30,
            admitted={"en": 4, "ko": 11},
            unanswered=(),
            prompt_tokens=0,
            completion_tokens=0,
            stopped_because=because,
            forecast=None,
        )
        for because in ("low-yield", "quotas-filled")
    )
    write_drafts_manifest(DraftsManifest(name="fruit", runs=runs, seed_paths=()), outputs)


def write_student(outputs: Path, ordinal: int) -> Path:
    folder = outputs / "models" / "chat" / f"{ordinal:04d}-{HASH}"
    manifest = TrainingManifest(
        name="chat", version=folder.name, method="lora", student="small", student_path="/x",
        student_sha256="", dataset="fruit/0004", dataset_content_hash="", template="instruction",
        template_hash="", recipe={}, steps=1, loss_before=1.5, loss_after=1.25,
        contract=ContractSummary(
            rows={}, overlong=0, tokens=0, trained_tokens=0, length_median=1, length_longest=1,
            languages={}, duplicates=0,
        ), memory=MemoryEstimate(
            process_mb=1, weights_mb=1, adapters_mb=0, gradients_mb=0, optimizer_mb=0,
            activations_mb=0, logits_mb=0,
        ), peak_memory_mb=2.5, train_seconds=60 * ordinal, tokens_per_second=1,
        trainable_parameters=1, total_parameters=1, files=(), libraries={}, code_version="test",
    )  # fmt: skip
    write_text(folder / "manifest.json", manifest.model_dump_json())
    return folder


def write_evaluation(outputs: Path, id_: str, accuracy: float, changed_at: int) -> None:
    path = outputs / "evaluations" / f"chat-0002-{HASH}" / id_ / "report.json"
    rows = tuple(
        MatrixRow(
            model=model,
            task="감정",
            family="sentiment",
            language="ko",
            metric="accuracy",
            shots=4,
            item_count=9,
            cluster_count=9,
            accuracy=value,
            low=0,
            high=1,
            variants=(),
        )
        for model, value in ((f"chat/0002-{HASH}", accuracy), ("base", 0.25), ("third", 0.125))
    )
    report = EvaluationReport(
        id=id_, items_hash="", template_hash="", seed=0, baseline="base",
        challenger=f"chat/0002-{HASH}", models={}, matrix=rows, comparisons=(), seconds=1,
    )  # fmt: skip
    write_text(path, report.model_dump_json())
    os.utime(path, (changed_at, changed_at))


def write_registry(outputs: Path, student: Path) -> None:
    registry = Registry(outputs / "registry.sqlite")
    for hour, verdict in enumerate(("reject", "hold", "promote"), start=1):
        judged = GateVerdict.model_validate(
            {"verdict": verdict, "reasons": ["r"], "challenger": "c", "champion": "base"}
        )
        at = AT.replace(hour=hour)
        registry.register("chat", student.name, student, "fruit/0004", at, Judgement(judged))
    registry.promote("chat", student.name, AT.replace(hour=4))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[Sample, float]:
    outputs = tmp_path_factory.mktemp("outputs")
    with Journal(outputs / "journals" / "fruit.sqlite", clock=lambda: 1_000.0) as journal:
        exchanges = [make_exchange(number) for number in range(3)]
        journal.put_all(exchanges, {"a": Spending(usd=0.5), "b": Spending(usd=1.25)})
        journal.put(*make_exchange(9, model="n"))
        journal.write_batch(PendingBatch("b1", "n", ("k",)))
    write_drafts(outputs)
    write_dataset(outputs, 3)
    write_dataset(outputs, 4)
    write_student(outputs, 1)
    write_registry(outputs, write_student(outputs, 2))
    write_evaluation(outputs, "new", 0.5, changed_at=2_000)
    write_evaluation(outputs, "old", 0.75, changed_at=1_000)
    return scrape(outputs)


VERSION = f"0002-{HASH}"
ANSWER = {"strategy": "structured", "language": "ko", "finish_reason": "stop"}
CELL = {"name": "chat", "task": "감정", "language": "ko", "shots": "4"}


@pytest.mark.parametrize(
    ("metric", "labels", "value"),
    [
        ("pacaloom_teacher_answers_total", {"name": "fruit", "model": "m", **ANSWER}, 3),
        ("pacaloom_teacher_answers_total", {"name": "fruit", "model": "n", **ANSWER}, 1),
        # Each answer of make_exchange took 2 requests, 3 tokens of prompt and 5 of completion.
        ("pacaloom_teacher_requests_total", {"name": "fruit", "model": "m"}, 6),
        ("pacaloom_teacher_retries_total", {"name": "fruit", "model": "m"}, 3),
        ("pacaloom_teacher_tokens_total", {"name": "fruit", "model": "m", "kind": "prompt"}, 9),
        (
            "pacaloom_teacher_tokens_total",
            {"name": "fruit", "model": "m", "kind": "completion"},
            15,
        ),
        ("pacaloom_teacher_latency_seconds_count", {"name": "fruit", "model": "m"}, 3),
        ("pacaloom_teacher_spent_usd", {"name": "fruit"}, 1.75),
        ("pacaloom_teacher_pending_batches", {"name": "fruit"}, 1),
        ("pacaloom_teacher_last_answer_timestamp_seconds", {"name": "fruit"}, 1_000),
        ("pacaloom_drafts_generated", {"name": "fruit"}, 60),
        ("pacaloom_drafts_admitted", {"name": "fruit", "language": "ko"}, 22),
        ("pacaloom_generation_runs", {"name": "fruit"}, 2),
        ("pacaloom_generation_last_stop_info", {"name": "fruit", "because": "quotas-filled"}, 1),
        ("pacaloom_dataset_versions", {"name": "fruit"}, 2),
        ("pacaloom_dataset_info", {"name": "fruit", "version": f"0004-{HASH}"}, 1),
        ("pacaloom_dataset_generated_records", {"name": "fruit"}, 40),
        ("pacaloom_dataset_kept_records", {"name": "fruit", "language": "ko"}, 15),
        (
            "pacaloom_dataset_rejected_records",
            {"name": "fruit", "language": "en", "reason": "repeat"},
            12,
        ),
        ("pacaloom_dataset_yield_ratio", {"name": "fruit"}, 0.5),
        ("pacaloom_model_versions", {"name": "chat"}, 2),
        (
            "pacaloom_model_info",
            {
                "name": "chat", "version": VERSION, "method": "lora", "student": "small",
                "dataset": "fruit/0004",
            },
            1,
        ),
        ("pacaloom_model_held_out_loss", {"name": "chat", "moment": "before"}, 1.5),
        ("pacaloom_model_held_out_loss", {"name": "chat", "moment": "after"}, 1.25),
        ("pacaloom_model_train_seconds", {"name": "chat"}, 120),
        ("pacaloom_model_peak_memory_bytes", {"name": "chat"}, 2_500_000),
        (
            "pacaloom_evaluation_accuracy_ratio",
            {**CELL, "role": "challenger", "model": f"chat/{VERSION}"},
            0.5,
        ),
        ("pacaloom_evaluation_accuracy_ratio", {**CELL, "role": "baseline", "model": "base"}, 0.25),
        ("pacaloom_evaluation_accuracy_ratio", {**CELL, "role": "other", "model": "third"}, 0.125),
        ("pacaloom_champion_info", {"name": "chat", "version": VERSION}, 1),
        (
            "pacaloom_champion_since_timestamp_seconds",
            {"name": "chat"},
            AT.replace(hour=4).timestamp(),
        ),
        ("pacaloom_verdicts", {"name": "chat", "verdict": "hold"}, 1),
        ("pacaloom_last_verdict", {"name": "chat", "verdict": "hold"}, 0),
        ("pacaloom_last_verdict", {"name": "chat", "verdict": "promote"}, 1),
        (
            "pacaloom_last_verdict_timestamp_seconds",
            {"name": "chat"},
            AT.replace(hour=3).timestamp(),
        ),
        ("pacaloom_disk_floor_bytes", {}, 1e9),
        ("pacaloom_series_left_out", {}, 0),
        ("pacaloom_unreadable_files", {"part": "students"}, 0),
    ],
)  # fmt: skip
def test_figure_is_what_was_written(
    found: dict[Sample, float], metric: str, labels: dict[str, str], value: float
) -> None:
    assert found[sample(metric, **labels)] == pytest.approx(value)


def test_only_the_newest_version_and_its_latest_evaluation_have_figures(
    found: dict[Sample, float],
) -> None:
    shown = {dict(labels).get("version") for name, labels in found if name.endswith("_info")}
    cells = [labels for name, labels in found if name == "pacaloom_evaluation_accuracy_ratio"]

    assert shown == {None, f"0004-{HASH}", VERSION}
    assert len(cells) == 3


def test_outputs_that_are_not_there_yet_are_no_fault(tmp_path: Path) -> None:
    scraper = Scraper(Settings(outputs=tmp_path / "not" / "yet"))

    found = scraper.scrape()

    assert found[sample("pacaloom_disk_free_bytes")] > 0
    assert not scraper.said
    assert not (tmp_path / "not").exists()


def test_hostile_names_are_escaped_cut_and_never_make_a_series_twice(tmp_path: Path) -> None:
    hostile = 'a"} 1\n# EOF\\n\x1b[2J\u202e'
    long = "가" * 500
    models = [hostile, long + "x", long + "y"]
    with Journal(tmp_path / "journals" / "j.sqlite") as journal:
        journal.put_all(make_exchange(number, model=name) for number, name in enumerate(models))

    found = scrape(tmp_path)

    answers = {
        dict(labels)["model"]: value
        for (name, labels), value in found.items()
        if name == "pacaloom_teacher_answers_total"
    }
    # Two names that are the same as far as they are shown are one series.
    assert answers == {'a"} 1�# EOF\\n�[2J�': 1, "가" * 79 + "…": 2}


def test_a_metric_has_no_more_than_the_most_series(tmp_path: Path) -> None:
    family = Family("x_total", "counter", ("name",), "Help.")
    series = Series()
    for number in range(MOST_SERIES + 7):
        series.add(family, 1, f"n{number}")
        series.add(family, 1, f"n{number}")

    (metric,) = series.metrics()

    assert len(metric.samples) == MOST_SERIES
    assert {found.value for found in metric.samples} == {2}
    assert series.left_out == 14


def test_damaged_file_is_counted_and_said_once_and_hides_nothing_else(tmp_path: Path) -> None:
    write_dataset(tmp_path, 4)
    write_text(tmp_path / "drafts" / "broken.json", "{}")
    scraper = Scraper(Settings(outputs=tmp_path))

    first, second = scraper.scrape(), scraper.scrape()

    assert first[sample("pacaloom_dataset_yield_ratio", name="fruit")] == 0.5
    assert second[sample("pacaloom_unreadable_files", part="datasets")] == 1
    assert len(scraper.said) == 1
    assert "broken.json" in scraper.said[0]


def test_changed_manifest_is_read_again(tmp_path: Path) -> None:
    write_drafts(tmp_path)
    scraper = Scraper(Settings(outputs=tmp_path))
    scraper.scrape()
    path = tmp_path / "drafts" / "fruit.json"
    write_text(path, path.read_text().replace('"generated": 30', '"generated": 50'))

    assert scraper.scrape()[sample("pacaloom_drafts_generated", name="fruit")] == 100


class _Broken:
    name = "broken"
    families: tuple[Family, ...] = ()

    def collect(self, series: Series) -> list[str]:
        raise ZeroDivisionError("division by zero")


class _Sound:
    name = "sound"
    families = (Family("sound", "gauge", (), "Help."),)

    def collect(self, series: Series) -> list[str]:
        series.add(self.families[0], 7)
        return []


def test_part_that_fails_leaves_the_others_and_says_so() -> None:
    said: list[str] = []
    exporter = Exporter([_Broken(), _Sound()], said.append)

    values = {
        (one.name, one.labels.get("part")): one.value
        for metric in exporter.collect()
        for one in metric.samples
    }

    assert values["sound", None] == 7
    assert values["pacaloom_scrape_failed", "broken"] == 1
    assert values["pacaloom_scrape_failed", "sound"] == 0
    assert said == ["ZeroDivisionError: division by zero"]


def test_registry_of_a_later_version_is_left_alone_and_named(tmp_path: Path) -> None:
    Registry(tmp_path / "registry.sqlite").register("chat", "1", tmp_path, "d", AT)
    with sqlite3.connect(tmp_path / "registry.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    scraper = Scraper(Settings(outputs=tmp_path))

    scraper.scrape()

    assert ["registry format 99" in line for line in scraper.said] == [True]


def test_no_key_is_in_the_metrics(tmp_path: Path) -> None:
    settings = Settings(
        outputs=tmp_path,
        api_key=SecretStr("sk-very-secret"),
        base_url="https://me:sk-very-secret@teacher.example/v1",
        prefect_api_url="http://me:sk-very-secret@127.0.0.1:1/api",
    )
    scraper = Scraper(settings)

    found = scraper.scrape()

    assert found[sample("pacaloom_prefect_up")] == 0
    assert "sk-very-secret" not in f"{found}{scraper.said}"


def log_line(
    event: Event, name: str = "fruit", hour: int = 3, seconds: float | None = None
) -> LogLine:
    at = f"2026-11-23T{hour:02d}:00:00.000Z"
    return LogLine(time=at, level="info", event=event, flow="generate", name=name, run="local-1",
                   seconds=seconds)  # fmt: skip


def test_runs_are_counted_once_each_over_scrapes_and_new_files_of_the_log(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "logs", Mask([]), most_bytes=600)
    scraper = Scraper(Settings(outputs=tmp_path))
    ended = sample("pacaloom_run_events_total", flow="generate", event="ended")
    counts: list[float] = []

    for number in range(20):
        log.write(log_line("run-ended"))
        log.write(log_line("said"))
        if number % 3 == 0:
            counts.append(scraper.scrape()[ended])

    assert counts == [1, 4, 7, 10, 13, 16, 19]
    assert len(list((tmp_path / "logs").glob("runs*.jsonl"))) == 5


def test_line_that_is_being_written_counts_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "runs.jsonl"
    line = log_line("run-failed").model_dump_json() + "\n"
    write_text(path, line + line[:30])
    scraper = Scraper(Settings(outputs=tmp_path))
    failed = sample("pacaloom_run_events_total", flow="generate", event="failed")

    first = scraper.scrape()[failed]
    with path.open("a", encoding="utf-8") as file:
        file.write(line[30:])

    assert (first, scraper.scrape()[failed]) == (1, 2)


def test_latest_run_of_a_name_tells_whether_it_failed(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "logs", Mask([]))
    for line in (
        log_line("run-failed", "en", 1, 5.0),
        log_line("run-ended", "en", 2, 7.0),
        log_line("run-ended", "ko", 1, 5.0),
        log_line("run-crashed", "ko", 2),
        log_line("run-stopped", "ko", 3, 1.0),
        log_line("attempt-failed", "ko", 3),
    ):
        log.write(line)

    found = scrape(tmp_path)

    failed = {name: found[sample("pacaloom_last_run_failed", flow="generate", name=name)]
              for name in ("en", "ko")}  # fmt: skip
    assert failed == {"en": 0, "ko": 1}
    assert found[sample("pacaloom_last_run_seconds", flow="generate", name="en")] == 7
    at = sample("pacaloom_last_run_end_timestamp_seconds", flow="generate", name="ko")
    assert found[at] == AT.replace(hour=2).timestamp()
    assert found[sample("pacaloom_run_attempts_failed_total", flow="generate")] == 1


class _Stranger(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = (200, b'{"hello": 1}') if self.path.startswith("/odd") else (401, b"")
        # As `curl --user me:열쇠` sends it.
        if self.headers["Authorization"] == "Basic bWU67Je07Ieg":
            status, body = 200, b"[]"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def stranger() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Stranger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/odd", "is no Prefect server"),
        ("/api", "answers 401 for flows: set PREFECT_API_AUTH_STRING"),
    ],
)
def test_what_is_no_prefect_server_is_down(
    tmp_path: Path, stranger: str, path: str, said: str
) -> None:
    scraper = Scraper(Settings(outputs=tmp_path, prefect_api_url=stranger + path))

    assert scraper.scrape()[sample("pacaloom_prefect_up")] == 0
    assert said in scraper.said[0]


def test_prefect_server_that_wants_a_password_gets_it(tmp_path: Path, stranger: str) -> None:
    settings = Settings(
        outputs=tmp_path, prefect_api_url=f"{stranger}/api", prefect_auth=SecretStr("me:열쇠")
    )
    scraper = Scraper(settings)

    assert scraper.scrape()[sample("pacaloom_prefect_up")] == 1
    assert not scraper.said


def test_prefect_server_that_keeps_silent_is_down_and_is_not_asked_twice_at_once(
    tmp_path: Path,
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        scraper = Scraper(Settings(outputs=tmp_path, prefect_api_url=url))

        found = scraper.scrape()

    assert found[sample("pacaloom_prefect_up")] == 0
    assert found[sample("pacaloom_scrape_failed", part="prefect")] == 0
    assert len(scraper.said) == 1


@pytest.mark.parametrize("url", ["nonsense", "http://:4200/api", "http://[::1", "ftp://x:y/api"])
def test_address_that_is_none_is_down(tmp_path: Path, url: str) -> None:
    scraper = Scraper(Settings(outputs=tmp_path, prefect_api_url=url))

    assert scraper.scrape()[sample("pacaloom_prefect_up")] == 0


def test_without_a_server_nothing_is_said_of_prefect(tmp_path: Path) -> None:
    assert not [name for name, _ in scrape(tmp_path) if name.startswith("pacaloom_prefect")]


def test_the_parser_of_these_tests_sees_a_series_that_stands_twice() -> None:
    with pytest.raises(AssertionError):
        parse('# TYPE x gauge\nx{a="1"} 1\nx{a="1"} 2\n')
