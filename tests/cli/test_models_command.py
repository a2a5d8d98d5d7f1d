"""`models` shows who is champion and gives the name back in one command."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.evaluation import GateVerdict, Verdict
from tests.cli.command import run_pacaloom, run_warm
from training.evaluation.registered import Judgement
from training.evaluation.registry import Registry

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    registry = Registry(tmp_path / "registry.sqlite")
    first = "demo/0001-aaaaaaaaaaaa"
    verdicts: list[tuple[str, Verdict, str]] = [
        ("0001-aaaaaaaaaaaa", "promote", "base"),
        ("0002-bbbbbbbbbbbb", "promote", first),
        ("0003-cccccccccccc", "hold", first),
    ]
    for version, verdict, rival in verdicts:
        judged = Judgement(
            GateVerdict(verdict=verdict, reasons=("r",), challenger=version, champion=rival)
        )
        registry.register("demo", version, tmp_path / version, "demo/0001-x", NOON, judged)
    registry.promote("demo", "0001-aaaaaaaaaaaa", NOON)
    return tmp_path


def test_promotion_and_rollback_change_the_champion(outputs: Path) -> None:
    promoted = run_warm("models", "promote", "demo", "0002-bbbbbbbbbbbb", outputs=outputs)
    listed = run_warm("models", "list", outputs=outputs)
    rolled = run_warm("models", "rollback", "demo", outputs=outputs)
    history = run_warm("models", "history", "demo", outputs=outputs)

    assert promoted.stdout == '{"champion": "demo/0002-bbbbbbbbbbbb"}\n'
    assert [line[0] for line in listed.stdout.splitlines()] == [" ", "*", " "]
    assert rolled.stdout == '{"champion": "demo/0001-aaaaaaaaaaaa"}\n'
    assert [line.split()[3:] for line in history.stdout.splitlines()] == [
        ["promote", "demo/0001-aaaaaaaaaaaa"],
        ["promote", "demo/0002-bbbbbbbbbbbb"],
        ["rollback", "demo/0001-aaaaaaaaaaaa"],
    ]


def test_version_that_was_held_is_not_promoted(outputs: Path) -> None:
    done = run_pacaloom("models", "promote", "demo", "0003-cccccccccccc", outputs=outputs)

    assert done.status == 2
    assert "hold" in done.stderr
    assert done.stderr.count("\n") == 1
