"""Every run is written down, stopped before the disk is full, and told of where it ends badly."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from flows.approval import Question
from flows.engine import Artifact, Engine, NotToldError, PlainEngine
from flows.milestones import (
    BudgetMostlyUsed,
    DatasetPublished,
    Milestone,
    StudentJudged,
    StudentTuned,
)
from flows.observing.disk import DiskFloor, DiskLowError
from flows.parameters import CurateParams, EvaluateParams, FinetuneParams, GenerateParams
from flows.running import run_composition
from flows.settings import Settings
from schemas.errors import PacaloomError, UserError
from tests.cli.command import ROOT, run_pacaloom
from tests.flows.notified import run_webhook

PUBLISHED = DatasetPublished(name="demo", dataset="demo/0001-abc", kept=3, rejected=1, is_new=True)
TUNED = StudentTuned(
    name="demo", model="demo/0001-def", dataset="demo/0001-abc", loss_before=2.0, loss_after=1.0
)
JUDGED = StudentJudged(
    name="demo",
    model="demo/0001-def",
    baseline="smollm2-135m",
    verdict="hold",
    reasons=("too few items",),
    evaluation="/outputs/evaluations/1",
)

Body = Callable[[Engine], object]


class Pause(BaseException):
    """As Prefect's word for a run that is suspended: no Exception, and no way out of Python."""


class TestedEngine(PlainEngine):
    """Keeps what it is told."""

    __test__ = False

    def __init__(self, run_id: str = "", answer: bool | BaseException = True) -> None:
        self.run_id = run_id
        self.answer = answer
        self.said: list[str] = []
        self.milestones: list[tuple[Milestone, int]] = []
        self.pages: dict[str, Artifact] = {}

    def say(self, message: str) -> None:
        self.said.append(message)

    def reach(self, milestone: Milestone) -> None:
        self.milestones.append((milestone, threading.get_ident()))

    def approve(self, question: Question, wait_hours: float) -> bool:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def show(self, artifact: Artifact) -> str:
        self.pages[artifact.key] = artifact
        return f"page-of-{artifact.key}"


def run(
    body: Body, outputs: Path, engine: Engine | None = None, **settings: Any
) -> list[dict[str, Any]]:
    """Run a composition and return the lines of the log."""
    error: BaseException | None = None
    try:
        run_composition(
            "curate",
            lambda _params, _settings, observing: body(observing),
            CurateParams(name="demo", licence="mit"),
            Settings(outputs=outputs, **settings),
            engine or TestedEngine(),
        )
    except BaseException as caught:  # noqa: BLE001 - looked at by the tests
        error = caught
    lines = [json.loads(line) for line in read_log(outputs).splitlines()]
    if error is not None:
        lines.append({"raised": error})
    return lines


def read_log(outputs: Path) -> str:
    return (outputs / "logs" / "runs.jsonl").read_text("utf-8")


def fail(error: BaseException) -> None:
    raise error


def test_run_is_written_down_with_its_steps_and_versions(tmp_path: Path) -> None:
    def body(engine: Engine) -> None:
        engine.run("publish", lambda: engine.say("Kept 3 of 4 drafts"))
        engine.reach(PUBLISHED)
        engine.say("done")

    lines = run(body, tmp_path, TestedEngine("abc-123"))

    assert [(line["event"], line.get("step"), line.get("dataset")) for line in lines] == [
        ("run-started", None, None),
        ("step-started", "publish", None),
        ("said", "publish", None),
        ("step-ended", "publish", None),
        ("reached", None, "demo/0001-abc"),
        ("said", None, "demo/0001-abc"),
        ("run-ended", None, "demo/0001-abc"),
    ]
    assert {line["run"] for line in lines} == {"abc-123"}
    assert {line["name"] for line in lines} == {"demo"}
    assert lines[0]["facts"] == {"licence": "mit"}
    assert lines[-1]["seconds"] >= lines[3]["seconds"] >= 0


def test_commands_get_ids_of_their_own(tmp_path: Path) -> None:
    run(lambda engine: None, tmp_path)
    lines = run(lambda engine: None, tmp_path)

    ids = {line["run"] for line in lines}
    assert len(ids) == 2
    assert all(one.startswith("local-") for one in ids)


@pytest.mark.parametrize(
    ("params", "name"),
    [
        pytest.param(GenerateParams(name="nightly"), "nightly", id="generate"),
        pytest.param(FinetuneParams(dataset="demo"), "demo", id="finetune-by-dataset"),
        pytest.param(FinetuneParams(dataset="demo", name="mine"), "mine", id="finetune"),
        pytest.param(EvaluateParams(model=("demo/2", "demo/1")), "demo/2", id="evaluate"),
    ],
)
def test_name_is_what_the_run_is_about(params: CurateParams, name: str, tmp_path: Path) -> None:
    run_composition(
        "x", lambda *_: None, params, Settings(outputs=tmp_path), TestedEngine()
    )  # fmt: skip

    assert {json.loads(line)["name"] for line in read_log(tmp_path).splitlines()} == {name}


def test_failure_is_one_line_and_reaches_whoever_waits(tmp_path: Path) -> None:
    engine = TestedEngine()
    error = PacaloomError("Wanted a teacher,\n found none.")

    lines = run(lambda engine: engine.run("ask", lambda: fail(error)), tmp_path, engine)

    assert lines[-1]["raised"] is error
    assert [(line["event"], line["level"]) for line in lines[-3:-1]] == [
        ("step-failed", "error"),
        ("run-failed", "error"),
    ]
    assert lines[-2]["message"] == "Wanted a teacher, found none."
    [(milestone, _)] = engine.milestones
    assert milestone.kind == "run-failed"


def test_mistake_that_is_found_before_anything_is_begun_makes_no_folder(tmp_path: Path) -> None:
    for error, is_written in ((UserError("No drafts of 'x'."), False), (PacaloomError("x"), True)):
        with pytest.raises(PacaloomError):
            run_composition(
                "curate",
                lambda _params, _settings, engine: engine.run("x", lambda: fail(error)),  # noqa: B023
                CurateParams(),
                Settings(outputs=tmp_path / "outputs"),
                TestedEngine(),
            )
        assert (tmp_path / "outputs").exists() == is_written


def test_error_that_nobody_foresaw_is_named_by_its_kind(tmp_path: Path) -> None:
    lines = run(lambda engine: fail(KeyError("colour")), tmp_path)

    assert lines[-2]["message"] == "KeyError: 'colour'"


def test_error_of_broken_text_is_the_one_that_is_raised_and_told(tmp_path: Path) -> None:
    error = PacaloomError("The endpoint said: a\udcffb")
    engine = TestedEngine("r1")

    def body(engine: Engine) -> None:
        engine.say("it says \ud800")
        fail(error)

    with run_webhook() as webhook:
        lines = run(body, tmp_path, engine, notify=SecretStr(webhook.address))

    assert lines[-1]["raised"] is error
    assert lines[-2]["message"] == r"The endpoint said: a\udcffb"
    assert [told.model_dump()["message"] for told, _ in engine.milestones] == [
        r"The endpoint said: a\udcffb"
    ]
    assert r"a\udcffb" in webhook.messages[0].body


@pytest.mark.parametrize("word", [KeyboardInterrupt(), SystemExit(143), Pause()])
def test_run_that_was_stopped_has_not_failed(word: BaseException, tmp_path: Path) -> None:
    engine = TestedEngine()

    lines = run(lambda engine: fail(word), tmp_path, engine)

    assert (lines[-2]["event"], lines[-2]["level"]) == ("run-stopped", "warning")
    assert engine.milestones == []


def test_no_key_is_in_the_log_or_in_what_is_told(tmp_path: Path) -> None:
    engine = TestedEngine("r1")
    key = "sk-abcdef0123456789"

    def body(engine: Engine) -> None:
        engine.say(f"asking with {key}")
        raise PacaloomError(f"The endpoint says: bad key {key}")

    with run_webhook() as webhook:
        run(
            body, tmp_path, engine,
            api_key=SecretStr(key), notify=SecretStr(webhook.address),
        )  # fmt: skip

    assert key not in read_log(tmp_path)
    assert webhook.address not in read_log(tmp_path)
    assert key not in str(webhook.messages)
    assert len(webhook.messages) == 1
    assert key not in str(engine.milestones)


def test_log_that_cannot_be_written_is_said_once_and_the_run_goes_on(tmp_path: Path) -> None:
    engine = TestedEngine()
    (tmp_path / "logs").write_text("a file where a folder should be")

    run_composition(
        "curate",
        lambda _params, _settings, observing: observing.run("x", lambda: observing.say("working")),
        CurateParams(),
        Settings(outputs=tmp_path),
        engine,
    )

    assert len(engine.said) == 2
    assert "without its log" in engine.said[0]


def test_disk_below_the_floor_ends_the_run_before_its_first_step(tmp_path: Path) -> None:
    steps: list[str] = []

    lines = run(
        lambda engine: engine.run("write", lambda: steps.append("write")),
        tmp_path,
        min_free_gb=1e9,
    )

    assert steps == []
    error = lines[-1]["raised"]
    assert isinstance(error, DiskLowError)
    assert error.exit_status == 1
    assert str(tmp_path) in str(error)
    assert "PACALOOM_MIN_FREE_GB" in str(error)
    assert "maintenance" in str(error)


def test_command_on_a_full_disk_is_one_line_and_continues_when_there_is_room(
    tmp_path: Path,
) -> None:
    source = tmp_path / "r.jsonl"
    source.write_text('{"instruction": "Name a city in Egypt.", "output": "Cairo."}')
    command = ("curate", "--input", str(source), "--seeds", "none")
    outputs = tmp_path / "outputs"

    full = run_pacaloom(*command, outputs=outputs, PACALOOM_MIN_FREE_GB="99999999")
    written = {file.name for file in outputs.rglob("*") if file.is_file()}
    free = run_pacaloom(*command, outputs=outputs, PACALOOM_MIN_FREE_GB="0")

    assert full.status == 1
    assert len(full.stderr.splitlines()) == 1
    assert written == {"runs.jsonl"}
    assert free.status == 0, free.stderr


def test_disk_is_looked_at_within_long_steps_every_few_seconds(tmp_path: Path) -> None:
    clock = [0.0]
    floor = DiskFloor(tmp_path / "not" / "there" / "yet", 1e9, clock=lambda: clock[0])
    with pytest.raises(DiskLowError):
        floor.check()

    clock[0] = 4.9
    floor.check_now_and_then()
    clock[0] = 5.0
    with pytest.raises(DiskLowError):
        floor.check_now_and_then()


ON_A_SMALL_DISK = """
import sys
from pathlib import Path
from flows.engine import PlainEngine
from flows.parameters import CurateParams
from flows.running import run_composition
from flows.settings import Settings

outputs = Path(sys.argv[1])

def compose(params, settings, engine):
    engine.run("first", lambda: (outputs / "big").write_bytes(bytes(8_000_000)))
    engine.run("second", lambda: (outputs / "more").write_bytes(b"x"))

settings = Settings(outputs=outputs, min_free_gb=0.01)
run_composition("curate", compose, CurateParams(), settings, PlainEngine())
"""


def test_run_stops_between_steps_when_a_real_disk_fills_up(tmp_path: Path) -> None:
    # A file system of 16 MB, of which 10 MB have to stay free.
    mount = f"mount -t tmpfs -o size=16m tmpfs {tmp_path}"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, mount], check=False, capture_output=True).returncode
    ):
        pytest.skip("this system lets nobody mount a file system of their own")
    script = f'{mount} && "$0" -c "$1" {tmp_path}; status=$?; ls {tmp_path}; exit $status'

    done = subprocess.run(
        [*command, script, sys.executable, ON_A_SMALL_DISK],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 1
    assert "DiskLowError: Wanted at least 0.01 GB free" in done.stderr
    assert done.stdout.split() == ["big", "logs"]


def test_people_are_told_of_a_failure_once(tmp_path: Path) -> None:
    with run_webhook() as webhook:
        run(
            lambda engine: fail(PacaloomError("The teacher is gone.")),
            tmp_path,
            notify=SecretStr(webhook.address),
        )

    [message] = webhook.messages
    assert message.title == "Pacaloom: curate of demo failed"
    assert message.body.startswith("The teacher is gone.")
    assert message.kind == "failure"


def test_mistake_at_the_terminal_is_told_to_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_with_a_mistake() -> None:
        run(
            lambda engine: fail(UserError("No drafts of 'demo'.")),
            tmp_path,
            notify=SecretStr(webhook.address),
        )

    with run_webhook() as webhook:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        run_with_a_mistake()
        assert webhook.messages == []
        monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
        run_with_a_mistake()

    assert len(webhook.messages) == 1


def test_people_are_told_of_a_verdict_that_keeps_the_champion(tmp_path: Path) -> None:
    with run_webhook() as webhook:
        run(lambda engine: engine.reach(JUDGED), tmp_path, notify=SecretStr(webhook.address))

    assert [message.title for message in webhook.messages] == ["Pacaloom: hold: demo/0001-def"]


def test_budget_is_told_from_the_thread_of_the_run_and_only_once(tmp_path: Path) -> None:
    engine = TestedEngine()
    mostly = BudgetMostlyUsed(name="demo", cap="requests", used=4, limit=5)

    def body(observing: Engine) -> None:
        with observing.progress("generate") as progress:
            for _attempt in range(2):
                thread = threading.Thread(target=lambda: observing.reach(mostly))
                thread.start()
                thread.join()
                assert len(engine.milestones) == _attempt
                progress(1, 2)

    with run_webhook() as webhook:
        lines = run(body, tmp_path, engine, notify=SecretStr(webhook.address))

    assert "raised" not in lines[-1]
    assert [thread for _, thread in engine.milestones] == [threading.get_ident()] * 2
    assert len(webhook.messages) == 1


def test_budget_that_is_told_just_before_the_end_is_passed_on(tmp_path: Path) -> None:
    engine = TestedEngine()
    mostly = BudgetMostlyUsed(name="demo", cap="requests", used=4, limit=5)

    def body(observing: Engine) -> None:
        thread = threading.Thread(target=lambda: observing.reach(mostly))
        thread.start()
        thread.join()
        raise PacaloomError("over")

    run(body, tmp_path, engine)

    kinds = [milestone.kind for milestone, _ in engine.milestones]
    assert kinds == ["budget-mostly-used", "run-failed"]


def test_people_are_told_of_a_question_when_the_run_waits_for_them(tmp_path: Path) -> None:
    question = Question("champion", "Make demo/2 the champion?", "- better")

    with run_webhook() as webhook:
        notify = SecretStr(webhook.address)
        run(lambda engine: engine.approve(question, 48), tmp_path, notify=notify)
        assert webhook.messages == []
        run(
            lambda engine: engine.approve(question, 48),
            tmp_path,
            TestedEngine(answer=Pause()),
            notify=notify,
        )

    [message] = webhook.messages
    assert "Make demo/2 the champion?" in message.title


def test_notification_that_cannot_be_sent_is_a_warning_and_harms_nothing(tmp_path: Path) -> None:
    engine = TestedEngine()

    with run_webhook(status=500) as webhook:
        lines = run(
            lambda engine: engine.reach(JUDGED), tmp_path, engine, notify=SecretStr(webhook.address)
        )

    [warning] = [line for line in lines if line["event"] == "not-notified"]
    assert (warning["level"], lines[-1]["event"]) == ("warning", "run-ended")
    assert "HTTP status 500" in warning["message"]
    assert engine.said == [warning["message"]]


class DeafEngine(TestedEngine):
    """Can tell nobody anything, as with Prefect's server away."""

    def __init__(self, error: Exception) -> None:
        super().__init__("r1")
        self.error = error

    def reach(self, milestone: Milestone) -> None:
        raise self.error

    def show(self, artifact: Artifact) -> str:
        raise self.error


def test_run_whose_work_is_done_ends_well_when_nobody_can_be_told(tmp_path: Path) -> None:
    def body(engine: Engine) -> None:
        engine.reach(PUBLISHED)
        assert engine.show(Artifact("card-demo", "Card of demo", "# Card")) == ""
        engine.say("done")

    lines = run(body, tmp_path, deaf := DeafEngine(ConnectionError("refused")))

    warnings = [line["message"] for line in lines if line["event"] == "not-told"]
    assert warnings == [
        "Nobody could be told of dataset-published: ConnectionError: refused",
        "Card of demo could not be shown: ConnectionError: refused",
    ]
    assert lines[-1]["event"] == "run-ended"
    assert deaf.said[:2] == warnings


def test_people_hear_that_the_next_deployment_has_not_started(tmp_path: Path) -> None:
    deaf = DeafEngine(NotToldError("finetune/after-dataset has NOT started"))

    with run_webhook() as webhook:
        lines = run(
            lambda engine: engine.reach(PUBLISHED), tmp_path, deaf,
            notify=SecretStr(webhook.address),
        )  # fmt: skip

    assert lines[-1]["event"] == "run-ended"
    [message] = webhook.messages
    assert message.title == "Pacaloom: curate of demo: what follows has not started"
    assert "finetune/after-dataset has NOT started" in message.body


def test_failure_that_cannot_be_told_is_raised_and_people_hear_of_it(tmp_path: Path) -> None:
    error = PacaloomError("The disk broke.")

    with run_webhook() as webhook:
        lines = run(
            lambda _: fail(error), tmp_path, DeafEngine(OSError("refused")),
            notify=SecretStr(webhook.address),
        )  # fmt: skip

    assert lines[-1]["raised"] is error
    assert [line["event"] for line in lines[:-1]] == ["run-started", "run-failed", "not-told"]
    assert [message.title for message in webhook.messages] == ["Pacaloom: curate of demo failed"]


def test_artifacts_of_a_run_name_its_versions_and_link_to_each_other(tmp_path: Path) -> None:
    engine = TestedEngine("0123456789ab-cd")

    def body(observing: Engine) -> None:
        observing.show(Artifact("card-demo", "Card of demo/0001-abc", "# Card"))
        observing.reach(PUBLISHED)
        observing.show(Artifact("training-demo", "demo/0001-def: loss", "# Training"))
        observing.reach(TUNED)

    run(body, tmp_path, engine)

    head = (
        "[Run 01234567](../../runs/flow-run/0123456789ab-cd) of `curate` · "
        "dataset `demo/0001-abc` · model `demo/0001-def`"
    )
    card, training = engine.pages["card-demo"].markdown, engine.pages["training-demo"].markdown
    assert card.splitlines()[0] == training.splitlines()[0] == head
    assert "(./page-of-training-demo)" in card
    assert "(./page-of-card-demo)" in training
    assert "(./page-of-card-demo)" not in card
    assert card.endswith("# Card")


def test_lines_of_a_scheduled_run_carry_what_it_has_made(tmp_path: Path) -> None:
    engine = TestedEngine("r1")

    def body(observing: Engine) -> None:
        observing.say("before")
        observing.reach(TUNED)
        observing.say("after")

    run(body, tmp_path, engine)

    assert engine.said == ["before", "after [demo/0001-abc, demo/0001-def]"]
