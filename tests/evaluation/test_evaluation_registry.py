import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.evaluation import GateVerdict, Verdict
from training.evaluation.registered import Judgement, RegistryAccessError, RegistryError
from training.evaluation.registry import Registry

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def _judge(verdict: Verdict = "promote", champion: str = "base") -> Judgement:
    found = GateVerdict(
        verdict=verdict, reasons=("더 낫다", "better"), challenger="tuned", champion=champion
    )
    return Judgement(found, Path("evaluations/e"), f"items of {champion}")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Three versions, of which the second was judged against the first."""
    registry = Registry(tmp_path / "outputs" / "registry.sqlite")
    judgements = {
        "0001-a": _judge(),
        "0002-b": _judge(champion="demo/0001-a"),
        "0003-c": _judge("reject", "demo/0001-a"),
    }
    for version, judgement in judgements.items():
        path = Path("models/demo") / version
        registry.register("demo", version, path, "demo/0001-d", NOON, judgement)
    return registry


def test_registered_model_is_found_with_all_that_was_said_of_it(registry: Registry) -> None:
    first = registry.models("demo")[0]

    assert (first.version, first.ordinal, first.dataset) == ("0001-a", 1, "demo/0001-d")
    assert first.path == Path("models/demo/0001-a")
    assert first.judgement == _judge()
    assert (first.verdict, first.report) == (_judge().verdict, Path("evaluations/e"))
    assert first.reference == "demo/0001-a"
    assert first.registered_at == NOON
    assert [model.ordinal for model in registry.models()] == [1, 2, 3]
    assert registry.models("other") == []


def test_name_has_no_champion_before_the_first_promotion(registry: Registry) -> None:
    assert registry.champion("demo") is None
    assert registry.champion("한국어") is None


def test_reading_makes_no_file(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "outputs" / "registry.sqlite")

    assert registry.champion("demo") is None
    assert (registry.models(), registry.history("demo")) == ([], [])
    assert registry.judgements("demo", "1") == []
    assert not (tmp_path / "outputs").exists()


def test_rollback_returns_to_the_champion_before(registry: Registry) -> None:
    registry.promote("demo", "0001-a", NOON)
    registry.promote("demo", "0002-b", NOON + timedelta(hours=1))

    returned = registry.rollback("demo", NOON + timedelta(hours=2))

    assert returned.version == "0001-a"
    assert registry.champion("demo") == returned
    assert [change[:2] + change[3:] for change in registry.history("demo")] == [
        ("promote", "0001-a", "items of base"),
        ("promote", "0002-b", "items of demo/0001-a"),
        ("rollback", "0001-a", ""),
    ]


def test_champion_is_not_replaced_by_a_model_that_was_judged_against_another(
    registry: Registry,
) -> None:
    registry.register("demo", "0004-d", Path("m"), "d", NOON, _judge(champion="demo/0001-a"))
    registry.promote("demo", "0001-a", NOON)
    registry.promote("demo", "0002-b", NOON)

    with pytest.raises(
        RegistryError,
        match=r"judged against demo/0001-a, but demo/0002-b is champion now.*"
        r"`pacaloom evaluate --model demo/0004-d`",
    ):
        registry.promote("demo", "0004-d", NOON)

    registry.register("demo", "0004-d", Path("m"), "d", NOON, _judge(champion="demo/0002-b"))
    assert registry.promote("demo", "0004-d", NOON).version == "0004-d"
    assert len(registry.judgements("demo", "0004-d")) == 2


def test_later_look_at_another_baseline_does_not_undo_a_judgement_against_the_champion(
    registry: Registry,
) -> None:
    registry.promote("demo", "0001-a", NOON)
    registry.register("demo", "0002-b", Path("m"), "d", NOON, _judge("hold", "gemma"))
    held = registry.register("demo", "0003-c", Path("m"), "d", NOON, _judge("promote", "gemma"))

    with pytest.raises(RegistryError, match="judged 'reject'"):
        registry.promote("demo", "0003-c", NOON)
    registry.promote("demo", "0002-b", NOON)

    assert held.judgement == _judge("promote", "gemma")
    assert registry.history("demo")[-1].items_hash == "items of demo/0001-a"


def test_model_taken_back_may_return_while_its_judgement_still_holds(registry: Registry) -> None:
    registry.promote("demo", "0001-a", NOON)
    registry.promote("demo", "0002-b", NOON)
    registry.rollback("demo", NOON)

    assert registry.promote("demo", "0002-b", NOON).version == "0002-b"


def test_rollback_after_rollback_and_promotion_skips_what_was_taken_off(
    registry: Registry,
) -> None:
    registry.register("demo", "0004-d", Path("m"), "d", NOON, _judge(champion="demo/0001-a"))
    registry.promote("demo", "0001-a", NOON)
    registry.promote("demo", "0002-b", NOON)
    registry.rollback("demo", NOON)
    registry.promote("demo", "0004-d", NOON)

    assert registry.rollback("demo", NOON).version == "0001-a"
    with pytest.raises(RegistryError, match=r"has had 1 champion"):
        registry.rollback("demo", NOON)


def test_promoting_the_champion_again_changes_nothing(registry: Registry) -> None:
    registry.promote("demo", "0001-a", NOON)
    registry.promote("demo", "0001-a", NOON)

    assert len(registry.history("demo")) == 1


def test_model_that_was_not_judged_or_not_found_fit_cannot_become_champion(
    registry: Registry,
) -> None:
    registry.register("demo", "0009-x", Path("m"), "d", NOON)
    registry.promote("demo", "0001-a", NOON)

    with pytest.raises(RegistryError, match="never judged"):
        registry.promote("demo", "0009-x", NOON)
    with pytest.raises(RegistryError, match=r"judged 'reject'.*더 낫다; better"):
        registry.promote("demo", "0003-c", NOON)
    with pytest.raises(RegistryError, match="no version '7'; registered are: 0001-a, 0002-b"):
        registry.promote("demo", "7", NOON)
    champion = registry.champion("demo")
    assert champion is not None
    assert champion.version == "0001-a"


def test_registering_again_keeps_ordinal_and_time_and_takes_the_new_verdict(
    registry: Registry,
) -> None:
    later = NOON + timedelta(days=1)
    registry.register("demo", "0001-a", Path("moved"), "demo/0001-d", later, _judge("hold"))
    kept = registry.register("demo", "0001-a", Path("moved"), "demo/0001-d", later)

    assert (kept.ordinal, kept.registered_at, kept.path) == (1, NOON, Path("moved"))
    assert kept.judgement == _judge("hold")


def test_registry_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 4")
    database.close()

    with pytest.raises(RegistryError, match="has registry format 4, this version knows up to 3"):
        Registry(path).models()


def test_file_that_is_no_registry_is_named(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    path.write_text("not a database, but long enough to look like one " * 30)

    with pytest.raises(RegistryAccessError, match=r"registry\.sqlite: the registry cannot be used"):
        Registry(path).champion("demo")


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"

    def register(number: int) -> int:
        return Registry(path).register("n", str(number), Path("m"), "d", NOON).ordinal

    with ThreadPoolExecutor(8) as pool:
        ordinals = list(pool.map(register, range(24)))

    assert sorted(ordinals) == list(range(1, 25))


_FORMAT_1 = """
CREATE TABLE models (
    name TEXT NOT NULL, ordinal INTEGER NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL,
    dataset TEXT NOT NULL, verdict TEXT, report TEXT, registered_at TEXT NOT NULL,
    PRIMARY KEY (name, version), UNIQUE (name, ordinal)
) STRICT;
CREATE TABLE history (
    sequence INTEGER PRIMARY KEY, name TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('promote', 'rollback')), version TEXT NOT NULL,
    at TEXT NOT NULL, FOREIGN KEY (name, version) REFERENCES models (name, version)
) STRICT;
PRAGMA user_version = 1;
INSERT INTO models VALUES ('demo', 1, '0001-a', 'm/1', 'd/1', '{"verdict": "promote", "reasons":
    ["더 낫다"], "challenger": "tuned", "champion": "base"}', 'e/1', '2026-11-01T12:00:00+00:00');
INSERT INTO models VALUES ('demo', 2, '0002-b', 'm/2', 'd/2', NULL, NULL,
    '2026-11-02T12:00:00+00:00');
INSERT INTO history VALUES (1, 'demo', 'promote', '0001-a', '2026-11-01T13:00:00+00:00');
"""


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    path = tmp_path / "registry.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_FORMAT_1)
    return path


def test_registry_of_an_older_version_is_carried_over(old_file: Path) -> None:
    registry = Registry(old_file)

    first, second = registry.models("demo")

    assert first.judgement is not None
    assert first.judgement.verdict.reasons == ("더 낫다",)
    assert (first.report, first.judgement.items_hash) == (Path("e/1"), "")
    assert (second.judgement, second.path) == (None, Path("m/2"))
    assert registry.champion("demo") == first
    registry.register("demo", "0002-b", Path("m"), "d", NOON, _judge(champion="demo/0001-a"))
    assert registry.promote("demo", "0002-b", NOON).version == "0002-b"
    assert registry.rollback("demo", NOON) == first


def test_failed_migration_leaves_the_file_as_it_was(old_file: Path) -> None:
    # A table of the new format's name stands in the way in the middle of the migration.
    with closing(sqlite3.connect(old_file)) as database:
        database.execute("CREATE TABLE judgements (x)")
        before = list(database.iterdump())

    with pytest.raises(RegistryAccessError, match="already exists"):
        Registry(old_file).models()

    with closing(sqlite3.connect(old_file)) as database:
        assert list(database.iterdump()) == before
        assert database.execute("PRAGMA user_version").fetchone()[0] == 1


def test_two_processes_that_promote_at_once_have_one_winner(registry: Registry) -> None:
    registry.promote("demo", "0001-a", NOON)
    for version in ("0004-d", "0005-e"):
        registry.register("demo", version, Path("m"), "d", NOON, _judge(champion="demo/0001-a"))

    def promote(version: str) -> bool:
        try:
            registry.promote("demo", version, NOON)
        except RegistryError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        won = list(pool.map(promote, ("0004-d", "0005-e")))

    # Whoever came second was judged against a champion that is none any more.
    assert sorted(won) == [False, True]


def test_kills_at_any_moment_lose_nothing_that_was_done() -> None:
    # In a process of its own, because the children are forks of it.
    command = [sys.executable, "-m", "benchmarks.registry_kills", "--kills", "20", "--seed", "1"]

    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    assert ended.stderr == ""
    assert ended.stdout.startswith("killed 20 times")


def test_removed_version_stays_known_and_cannot_become_champion(registry: Registry) -> None:
    registry.promote("demo", "0001-a", NOON)
    registry.register("demo", "0006-f", Path("m"), "demo/0003-d", NOON,
                      _judge(champion="demo/0001-a"))  # fmt: skip

    assert registry.mark_removed("demo", "0006-f", NOON)

    known = registry.models("demo")[-1]
    assert (known.version, known.removed_at) == ("0006-f", NOON)
    assert known.verdict is not None
    with pytest.raises(RegistryError, match=r"removed its files on 2026-11-22\. Tune it again"):
        registry.promote("demo", "0006-f", NOON)


def test_what_a_rollback_leads_back_to_may_not_be_removed(registry: Registry) -> None:
    registry.promote("demo", "0001-a", NOON)
    registry.register("demo", "0006-f", Path("m"), "d", NOON, _judge(champion="demo/0001-a"))
    registry.promote("demo", "0006-f", NOON)

    assert registry.champions("demo") == ["0001-a", "0006-f"]
    assert not registry.mark_removed("demo", "0001-a", NOON)
    assert not registry.mark_removed("demo", "0006-f", NOON)
    assert registry.rollback("demo", NOON).removed_at is None


def test_version_that_is_evaluated_again_is_there_again(registry: Registry) -> None:
    registry.mark_removed("demo", "0001-a", NOON)

    registry.register("demo", "0001-a", Path("m"), "d", NOON, _judge(champion="base"))

    assert registry.promote("demo", "0001-a", NOON).removed_at is None


def test_registry_without_a_file_lets_everything_go_and_stays_absent(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"

    assert Registry(path).mark_removed("demo", "0001-a", NOON)
    assert Registry(path).champions("demo") == []
    assert not path.exists()
