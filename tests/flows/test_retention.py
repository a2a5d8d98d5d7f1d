"""What maintenance keeps and why, and what it removes."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from flows.cycles import read_cycles
from flows.engine import PlainEngine
from flows.index_page import gather_outputs
from flows.parameters import MaintenanceParams
from flows.paths import reviews_path
from flows.retention.logs import KEPT_END, LONGEST
from flows.retention.maintaining import maintain_outputs
from flows.retention.plan import NothingThereError, make_plan
from flows.retention.roots import ReviewsError
from schemas.locking import hold_in_use
from schemas.review import ReviewDecision
from schemas.storage import write_jsonl
from tests.flows.retention_outputs import (
    NOON,
    age,
    judge,
    list_all,
    list_given,
    maintain,
    refer_dataset,
    refer_model,
    settings_for,
    write_answers,
    write_dataset,
    write_evaluation,
    write_model,
    write_served,
)
from training.evaluation.registered import RegistryError
from training.evaluation.registry import Registry
from training.finetuning.run_folder import RunDescription
from training.finetuning.run_lock import hold_run


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs"
    folder.mkdir()
    return folder.resolve()


def test_newest_versions_by_number_stay(outputs: Path) -> None:
    for ordinal in (1, 2, 9_999, 10_000):
        write_dataset(outputs, "ko", ordinal)

    told = maintain(outputs, keep=2)

    assert list_given(told) == {f"datasets/{refer_dataset('ko', one)}" for one in (1, 2)}
    assert told.given[0].why == "older than those that stay, and nothing that stays refers to it"
    assert (told.applied, told.kept_versions) == (False, 2)
    assert told.bytes == sum(one.bytes for one in told.given) > 0


def test_champions_that_rollbacks_lead_back_to_stay_with_what_they_were_made_from(
    outputs: Path,
) -> None:
    for ordinal in range(1, 6):
        write_dataset(outputs, "ko", ordinal)
        write_model(outputs, "ko", ordinal, dataset=refer_dataset("ko", ordinal))
    for ordinal in (1, 2, 3):
        judge(outputs, refer_model("ko", ordinal), promote=True)
    # Three is rolled back, so that no rollback leads to it any more.
    Registry(outputs / "registry.sqlite").rollback("ko", NOON)

    gone = list_given(maintain(outputs, apply=True))

    assert gone == {
        *(f"models/{refer_model('ko', one)}" for one in (3, 4)),
        *(f"datasets/{refer_dataset('ko', one)}" for one in (3, 4)),
    }
    registry = Registry(outputs / "registry.sqlite")
    assert registry.rollback("ko", NOON).version == refer_model("ko", 1).split("/")[1]


def test_removed_version_is_remembered_and_cannot_be_promoted(outputs: Path) -> None:
    old, new = refer_model("ko", 1), refer_model("ko", 2)
    write_dataset(outputs, "ko", 1)
    for ordinal in (1, 2):
        write_model(outputs, "ko", ordinal, dataset=refer_dataset("ko", 1))
    (outputs / "models" / f"{old}.merge.json").write_text("{}")
    said = write_evaluation(outputs, old)
    unsaid = write_evaluation(outputs, old, number=1)
    judge(outputs, old, said)

    gone = list_given(maintain(outputs, apply=True))

    # What the registry names stays for the page that shows all versions of a name over time.
    assert gone == {f"models/{old}", unsaid.relative_to(outputs).as_posix()}
    assert said.is_dir()
    assert [path.name for path in (outputs / "models" / "ko").iterdir()] == [new.split("/")[1]]
    settings = settings_for(outputs)
    assert [cycle.version for cycle in read_cycles("ko", settings)] == [old.split("/")[1]]
    assert gather_outputs(outputs).unreadable == ()
    (known,) = Registry(outputs / "registry.sqlite").models("ko")
    assert known.removed_at is not None
    with pytest.raises(RegistryError, match=f"{old} cannot become champion: maintenance removed"):
        Registry(outputs / "registry.sqlite").promote("ko", known.version, NOON)


def test_version_that_was_only_noted_as_removed_is_noted_as_there_again(outputs: Path) -> None:
    # A run was killed between noting and removing, and now more versions stay.
    write_model(outputs, "ko", 1)
    judge(outputs, refer_model("ko", 1))
    registry = Registry(outputs / "registry.sqlite")
    registry.mark_removed("ko", refer_model("ko", 1).split("/")[1], NOON)

    maintain(outputs, apply=True)

    assert registry.models("ko")[0].removed_at is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"format": "pacaloom-dataset/99", "name": "ko"}', id="another-version"),
        pytest.param(b"", id="empty"),
        pytest.param(None, id="absent"),
    ],
)
def test_manifest_that_cannot_be_read_keeps_every_version_and_is_named(
    outputs: Path, content: bytes | None
) -> None:
    for ordinal in (1, 2, 3):
        write_dataset(outputs, "ko", ordinal)
        write_model(outputs, "ko", ordinal)
    manifest = outputs / "datasets" / refer_dataset("ko", 2) / "manifest.json"
    manifest.unlink() if content is None else manifest.write_bytes(content)

    told = maintain(outputs, apply=True)

    assert told.given == ()
    assert told.notices[0].startswith("Every version stays: what cannot be read may refer to any")
    assert f"datasets/{refer_dataset('ko', 2)}: " in told.notices[1]


def test_registry_that_cannot_be_read_keeps_every_version_and_evaluation(outputs: Path) -> None:
    for ordinal in (1, 2):
        write_model(outputs, "ko", ordinal)
    write_evaluation(outputs, "gone/0001-0123456789ab")
    (outputs / "registry.sqlite").write_bytes(b"no database " * 100)

    told = maintain(outputs)

    assert told.given == ()
    assert "registry.sqlite cannot be read: " in told.notices[1]


def test_evaluation_goes_with_its_model_and_stays_for_other_models(outputs: Path) -> None:
    gone = write_evaluation(outputs, "ko/0001-0123456789ab")
    of_base = write_evaluation(outputs, "gemma-3-270m")
    people = outputs / "evaluations" / "notes"
    (people / "mine").mkdir(parents=True)

    told = maintain(outputs, apply=True)

    assert list_given(told) == {gone.relative_to(outputs).as_posix()}
    assert not gone.parent.exists()
    assert (of_base.is_dir(), (people / "mine").is_dir()) == (True, True)


def test_nothing_behind_a_link_goes_and_a_link_holds_what_it_names(
    outputs: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "disk"
    for ordinal in (1, 2, 3):
        write_model(outputs, "ko", ordinal)
        write_model(elsewhere, "far", ordinal)
    (outputs / "models" / "ko" / "stable").symlink_to(outputs / "models" / refer_model("ko", 1))
    (outputs / "models" / "far").symlink_to(elsewhere / "models" / "far")
    (outputs / "evaluations").symlink_to(elsewhere)
    before = list_all(elsewhere)

    gone = list_given(maintain(outputs, apply=True))

    assert gone == {f"models/{refer_model('ko', 2)}"}
    assert list_all(elsewhere) == before


def test_link_that_leads_nowhere_keeps_every_version(outputs: Path, tmp_path: Path) -> None:
    for ordinal in (1, 2):
        write_dataset(outputs, "ko", ordinal)
    # A disk that is not mounted: what lies on it may refer to anything.
    (outputs / "models").symlink_to(tmp_path / "unmounted")

    told = maintain(outputs)

    assert told.given == ()
    assert told.notices[1] == "  models: it is a link to what is not there"


def test_outputs_folder_may_be_a_link_itself(outputs: Path, tmp_path: Path) -> None:
    for ordinal in (1, 2):
        write_dataset(outputs, "ko", ordinal)
    link = tmp_path / "link"
    link.symlink_to(outputs)

    assert list_given(maintain(link, apply=True)) == {f"datasets/{refer_dataset('ko', 1)}"}


def test_folder_that_was_copied_or_renamed_stays_and_holds_what_it_refers_to(
    outputs: Path,
) -> None:
    for ordinal in (1, 2, 3):
        write_dataset(outputs, "ko", ordinal)
    copied = write_dataset(outputs, "en", 1, parents=[refer_dataset("ko", 1)])
    copied.rename(copied.with_name("backup of 1"))

    assert list_given(maintain(outputs)) == {f"datasets/{refer_dataset('ko', 2)}"}


def write_training(outputs: Path, name: str, dataset: str, days: float) -> Path:
    folder = outputs / "models" / name / ".run-0123456789abcdef"
    (folder / "checkpoint-20").mkdir(parents=True)
    description = RunDescription(name=name, values={"dataset": dataset, "learning_rate": 2e-4})
    (folder / "run.json").write_text(description.model_dump_json(), encoding="utf-8")
    age(folder, days)
    return folder


def test_training_that_nobody_continued_goes_and_a_younger_one_keeps_its_dataset(
    outputs: Path,
) -> None:
    manifests = [write_dataset(outputs, "ko", ordinal) / "manifest.json" for ordinal in (1, 2, 3)]
    hashes = [json.loads(path.read_text())["content_hash"] for path in manifests]
    old = write_training(outputs, "old", hashes[0], days=15)
    young = write_training(outputs, "young", hashes[1], days=13)

    told = maintain(outputs, apply=True)

    assert list_given(told) == {
        old.relative_to(outputs).as_posix(), f"datasets/{refer_dataset('ko', 1)}",
    }  # fmt: skip
    (training,) = [one for one in told.given if one.what == "unfinished training"]
    assert training.why == "stopped after step 20, and for 15 days nobody continued it"
    assert young.is_dir()


def test_training_that_somebody_works_on_stays_however_old(outputs: Path) -> None:
    folder = write_training(outputs, "ko", "0" * 64, days=99)

    with hold_run(folder):
        age(folder, 99)
        assert list_given(maintain(outputs, apply=True)) == set()
    assert folder.is_dir()


def test_training_that_has_just_begun_keeps_every_version(outputs: Path) -> None:
    for ordinal in (1, 2):
        write_dataset(outputs, "ko", ordinal)

    with hold_run(outputs / "models" / "ko" / ".run-0123456789abcdef"):
        told = maintain(outputs)

    assert told.given == ()
    assert "does not say yet what it needs" in told.notices[1]


def test_version_with_decisions_that_the_newest_does_not_apply_stays(outputs: Path) -> None:
    for ordinal in range(1, 5):
        write_dataset(outputs, "ko", ordinal)
    decisions = [
        ReviewDecision(record="0" * 16, verdict="accept", author="민수", time=NOON, dataset=dataset)
        for dataset in (refer_dataset("ko", 1), refer_dataset("ko", 2))
    ]
    newest = outputs / "datasets" / refer_dataset("ko", 4)
    write_jsonl(newest / "review.jsonl", decisions[:1])
    write_jsonl(reviews_path(outputs, "ko"), decisions)
    with reviews_path(outputs, "ko").open("a") as file:
        file.write('{"record": "cut sho')

    gone = list_given(maintain(outputs))

    assert gone == {f"datasets/{refer_dataset('ko', one)}" for one in (1, 3)}


def test_decisions_that_cannot_be_read_end_the_run_in_one_line(outputs: Path) -> None:
    write_dataset(outputs, "ko", 1)
    reviews_path(outputs, "ko").mkdir(parents=True)

    with pytest.raises(ReviewsError, match=r"reviews/ko.jsonl: wanted readers' decisions, found"):
        maintain(outputs, apply=True)


def test_leftovers_go_and_what_is_being_written_stays(outputs: Path) -> None:
    write_dataset(outputs, "ko", 1)
    names = outputs / "datasets" / "ko"
    killed = names / ".0002-0123456789ab.tmp1a2b3"
    killed.mkdir()
    (outputs / "models" / "ko" / ".discarded-run-1").mkdir(parents=True)
    (outputs / "models" / "ko" / "0001-0123456789ab.merge.json").write_text("{}")
    old, young = (outputs / "drafts" / f".ko.jsonl.{tail}" for tail in ("abcd1234", "wxyz_789"))
    old.parent.mkdir()
    old.write_text("half")
    young.write_text("half")
    age(old, 2)
    (outputs / "drafts" / "ko.jsonl").write_text("whole")
    (outputs / ".notes.markdown").write_text("mine")
    age(outputs / ".notes.markdown", 99)
    half = outputs / "evaluations" / "ko" / ".0123456789abcdef.a1b2c3d4"
    half.mkdir(parents=True)
    age(half, 2)

    assert list_given(maintain(outputs, apply=True)) == {
        "datasets/ko/.0002-0123456789ab.tmp1a2b3", "models/ko/.discarded-run-1",
        "models/ko/0001-0123456789ab.merge.json", "drafts/.ko.jsonl.abcd1234",
        "evaluations/ko/.0123456789abcdef.a1b2c3d4",
    }  # fmt: skip
    assert sorted(path.name for path in old.parent.iterdir()) == [".ko.jsonl.wxyz_789", "ko.jsonl"]


def test_old_logs_go_and_of_a_very_long_one_the_last_whole_lines_stay(outputs: Path) -> None:
    logs = outputs / "logs"
    (logs / "tensorboard").mkdir(parents=True)
    for name in ("teacher.log", "worker.log", "notes.txt", "tensorboard/run.log"):
        (logs / name).write_text("line\n")
        age(logs / name, 31)
    age(logs / "worker.log", 29)
    line = "요청 하나\n".encode()
    with (logs / "server.log").open("ab") as server:
        server.write(line * (LONGEST // len(line) + 1))
        server.flush()

        told = maintain(outputs, apply=True)
        # The server still has it open.
        server.write("끝\n".encode())

    assert list_given(told) == {"logs/teacher.log", "logs/server.log"}
    assert not (logs / "teacher.log").exists()
    content = (logs / "server.log").read_bytes()
    assert KEPT_END - len(line) < len(content) <= KEPT_END + 4
    assert set(content.splitlines()) == {"요청 하나".encode(), "끝".encode()}


def test_log_that_somebody_has_open_stays_however_old(outputs: Path) -> None:
    log = outputs / "logs" / "server.log"
    log.parent.mkdir()
    with log.open("ab") as server:
        age(log, 99)
        during = list_given(maintain(outputs, apply=True))
        server.write("끝\n".encode())

    assert during == set()
    assert log.read_text(encoding="utf-8") == "끝\n"
    age(log, 99)
    assert list_given(maintain(outputs, apply=True)) == {"logs/server.log"}


def test_served_student_stays_while_it_is_served_or_another_name_has_its_weights(
    outputs: Path,
) -> None:
    version = "0002-0123456789ab"
    gone = write_served(outputs, f"chat/{version}", 30)
    same = write_served(outputs, refer_model("other", 1).replace("other/0001", "chat/0007"), 30)
    write_model(outputs, "other", 1)

    with hold_in_use(gone):
        assert list_given(maintain(outputs)) == set()
    outcome = maintain(outputs, apply=True)

    assert list_given(outcome) == {str(gone)}
    assert outcome.given[0].why == f"chat/{version} does not stay, not served for 30 days"
    assert (gone.exists(), same.exists()) == (False, True)


def test_in_the_cache_nothing_else_is_touched(outputs: Path, tmp_path: Path) -> None:
    mine = write_served(outputs, "chat/0001-0123456789ab", 30)
    folder = mine.parent
    base = write_served(outputs, "smollm2-135m", 30)
    half = folder / f".{mine.name}.a1b2c3d4"
    others = [folder / f".{mine.name}.lock", folder / "notes.gguf", folder.parent / "model.gguf"]
    for path in (half, *others):
        path.write_bytes(b"no GGUF")
        age(path, 30)
    far = write_served(tmp_path / "far" / "outputs", "chat/0001-0123456789ab", 30)
    (folder / "link.gguf").symlink_to(far)

    gone = list_given(maintain(outputs, apply=True))

    assert gone == {str(mine), str(half)}
    assert all(path.is_file() for path in (base, far, *others))


def test_answers_and_served_students_stay_while_a_manifest_cannot_be_read(outputs: Path) -> None:
    write_answers(outputs, "gone/0001-0123456789ab", 30)
    write_served(outputs, "gone/0001-0123456789ab", 30)
    (write_dataset(outputs, "ko", 1) / "manifest.json").write_bytes(b"{}")

    assert list_given(maintain(outputs, apply=True)) == set()


def test_answers_that_are_used_stay_however_few_days_are_asked_for(outputs: Path) -> None:
    write_answers(outputs, "gone/0001-0123456789ab", 0.9)
    idle = write_answers(outputs, "gone/0002-0123456789ab", 1.1)
    params = MaintenanceParams(stale_days=0, apply=True)

    outcome = maintain_outputs(params, settings_for(outputs), PlainEngine())

    assert list_given(outcome) == {idle.relative_to(outputs).as_posix()}


def test_half_written_answers_count_once(outputs: Path) -> None:
    half = write_answers(outputs, "chat/0001-0123456789ab", 0) / ".0123.parquet.a1b2c3d4"
    flat = half.parent.with_name(".4567.parquet.a1b2c3d4")
    for path in (half, flat):
        path.write_bytes(b"half")
        age(path, 2)

    given = [one.path for one in maintain(outputs, apply=True).given]

    assert sorted(given) == sorted(path.relative_to(outputs).as_posix() for path in (half, flat))


def test_index_that_nobody_used_goes(outputs: Path) -> None:
    for name, days in (("old", 15), ("used", 13)):
        folder = outputs / "indexes" / name
        folder.mkdir(parents=True)
        (folder / "tasks.bin").write_bytes(b"1")
        age(folder, 15)
        used = (datetime.now(UTC) - timedelta(days=days)).timestamp()
        os.utime(folder, (used, used))

    assert list_given(maintain(outputs, apply=True)) == {"indexes/old"}


def test_why_something_stays_is_known(outputs: Path) -> None:
    write_dataset(outputs, "ko", 1)
    write_dataset(outputs, "ko", 2, against=[refer_dataset("ko", 1)])

    plan = make_plan(MaintenanceParams(keep_versions=1), settings_for(outputs), 0)

    first, second = (f"datasets/{refer_dataset('ko', one)}" for one in (1, 2))
    assert plan.kept == {
        first: f"{second} refers to it", second: "one of the newest 1 of its name"
    }  # fmt: skip


def test_bad_requests_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NothingThereError, match="wanted the outputs folder, found nothing"):
        maintain(tmp_path / "nothing")
    with pytest.raises(ValidationError):
        MaintenanceParams(keep_versions=0)
