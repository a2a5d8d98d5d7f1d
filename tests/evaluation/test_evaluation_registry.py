import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.evaluation import GateVerdict, Verdict
from training.evaluation.registry import Registry, RegistryAccessError, RegistryError

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def _verdict(verdict: Verdict = "promote") -> GateVerdict:
    return GateVerdict(
        verdict=verdict, reasons=("더 낫다", "better"), challenger="tuned", champion="base"
    )


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Three versions, two of which may become champion."""
    registry = Registry(tmp_path / "outputs" / "registry.sqlite")
    for version, verdict in (("0001-a", "promote"), ("0002-b", "promote"), ("0003-c", "reject")):
        registry.register(
            "demo",
            version,
            Path("models/demo") / version,
            "demo/0001-d",
            NOON,
            _verdict(verdict),  # pyright: ignore[reportArgumentType]
            Path("evaluations/e"),
        )
    return registry


def test_registered_model_is_found_with_all_that_was_said_of_it(registry: Registry) -> None:
    first = registry.models("demo")[0]

    assert (first.version, first.ordinal, first.dataset) == ("0001-a", 1, "demo/0001-d")
    assert first.path == Path("models/demo/0001-a")
    assert (first.verdict, first.report) == (_verdict(), Path("evaluations/e"))
    assert first.registered_at == NOON
    assert [model.ordinal for model in registry.models()] == [1, 2, 3]
    assert registry.models("other") == []


def test_name_has_no_champion_before_the_first_promotion(registry: Registry) -> None:
    assert registry.champion("demo") is None
    assert registry.champion("한국어") is None


def test_rollback_returns_to_the_champion_before(registry: Registry) -> None:
    registry.promote("demo", "0001-a", NOON)
    registry.promote("demo", "0002-b", NOON + timedelta(hours=1))

    returned = registry.rollback("demo", NOON + timedelta(hours=2))

    assert returned.version == "0001-a"
    assert registry.champion("demo") == returned
    assert [(change.action, change.version) for change in registry.history("demo")] == [
        ("promote", "0001-a"),
        ("promote", "0002-b"),
        ("rollback", "0001-a"),
    ]


def test_rollback_after_rollback_and_promotion_skips_what_was_taken_off(
    registry: Registry,
) -> None:
    registry.register("demo", "0004-d", Path("m"), "d", NOON, _verdict())
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
    registry.register("demo", "0001-a", Path("moved"), "demo/0001-d", later, _verdict("hold"))
    kept = registry.register("demo", "0001-a", Path("moved"), "demo/0001-d", later)

    assert (kept.ordinal, kept.registered_at, kept.path) == (1, NOON, Path("moved"))
    assert kept.verdict == _verdict("hold")


def test_registry_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 2")
    database.close()

    with pytest.raises(RegistryError, match="has registry format 2, this version knows up to 1"):
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


_KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from training.evaluation import registry
def die(*args): os.kill(os.getpid(), signal.SIGKILL)
written = registry._record
def record_and_die(*args):
    written(*args)
    die()
registry._record = record_and_die
registry.Registry(Path(sys.argv[1])).rollback("demo", datetime.now(UTC))
"""


def test_kill_in_the_middle_of_a_rollback_leaves_the_state_before(
    registry: Registry, tmp_path: Path
) -> None:
    registry.promote("demo", "0001-a", NOON)
    registry.promote("demo", "0002-b", NOON)
    path = str(tmp_path / "outputs" / "registry.sqlite")

    ended = subprocess.run(
        [sys.executable, "-c", _KILLED_IN_THE_MIDDLE, path], cwd=ROOT, check=False
    )

    assert ended.returncode == -9
    champion = registry.champion("demo")
    assert champion is not None
    assert champion.version == "0002-b"
    assert registry.rollback("demo", NOON).version == "0001-a"
