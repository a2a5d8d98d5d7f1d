"""Kill processes that change a registry at random moments, and see what they leave behind.

A child promotes, rolls back and registers without a pause, and says on a pipe what it is about to
do and what is done; it is killed with SIGKILL at a random moment. After each kill the file must be
whole, the champion must be the one that follows from what was done (or, when the kill fell between
a commit and its word, from that and the change announced), and a rollback must work at once.

The children are forks of a process that does nothing else, so a kill costs milliseconds.

    .venv/bin/python -m benchmarks.registry_kills --kills 300
"""

import argparse
import os
import random
import signal
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from schemas.evaluation import GateVerdict
from training.evaluation.registered import Judgement
from training.evaluation.registry import Registry

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_LONGEST_LIFE_S = 0.06
"""A change takes a few milliseconds, so a child dies in the midst of its first ten."""


class Killed(NamedTuple):
    """What was seen over all kills."""

    kills: int
    changes: int
    """That were done before the kills."""
    slowest_rollback_s: float
    """The first thing that is done after a kill."""


class DamageError(AssertionError):
    """A kill left behind what it must not."""


def kill_many(folder: Path, kills: int, seed: int) -> Killed:
    """Kill one child after the other on the same registry.

    Raises:
        DamageError: The first thing that is wrong after a kill.
    """
    path = folder / "registry.sqlite"
    _found(path)
    moments = random.Random(seed)  # noqa: S311 - moments, not secrets
    changes, slowest = 0, 0.0
    for number in range(kills):
        before = _stack(path)
        words = _run_and_kill(path, moments.uniform(0, _LONGEST_LIFE_S), number)
        changes += sum(word.startswith("done") for word in words)
        _check(path, before, words)
        started = time.perf_counter()
        _ensure_rollback(path)
        slowest = max(slowest, time.perf_counter() - started)
    return Killed(kills, changes, slowest)


def _found(path: Path) -> None:
    """Register a first champion and another that may follow it, and the first again."""
    registry = Registry(path)
    for version, rival in (("a", "b"), ("b", "a")):
        verdict = GateVerdict(
            verdict="promote", reasons=("r",), challenger=version, champion=f"demo/{rival}"
        )
        registry.register("demo", version, Path(version), "d", NOON, Judgement(verdict))
    registry.promote("demo", "a", NOON)
    registry.promote("demo", "b", NOON)


def _run_and_kill(path: Path, life_s: float, seed: int) -> list[str]:
    """Let a child change the registry for so long; return what it said."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _change_forever(Registry(path), writer, seed)
    os.close(writer)
    time.sleep(life_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader) as words:
        return words.read().splitlines()


def _change_forever(registry: Registry, writer: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - choices, not secrets
    while True:
        stack = registry.history("demo")
        action = chance.choice(["promote", "rollback", "register"])
        version = "b" if stack[-1].version == "a" else "a"
        os.write(writer, f"next {action} {version}\n".encode())
        if action == "promote":
            registry.promote("demo", version, NOON)
        elif action == "register":
            registry.register("demo", version, Path(version), "d", NOON)
        else:
            _roll_back_if_possible(registry)
        os.write(writer, f"done {action} {version}\n".encode())


def _roll_back_if_possible(registry: Registry) -> None:
    depth = 0
    for change in registry.history("demo"):
        depth += 1 if change.action == "promote" else -1
    if depth >= 2:
        registry.rollback("demo", NOON)


def _stack(path: Path) -> list[str]:
    stack: list[str] = []
    for change in Registry(path).history("demo"):
        if change.action == "promote":
            stack.append(change.version)
        else:
            stack.pop()
    return stack


def _apply(stack: list[str], word: str) -> list[str]:
    _, action, version = word.split()
    if action == "promote":
        return [*stack, version]
    return stack[:-1] if action == "rollback" and len(stack) > 1 else stack


def _check(path: Path, before: list[str], words: list[str]) -> None:
    with closing(sqlite3.connect(path)) as database:
        whole = database.execute("PRAGMA integrity_check").fetchone()[0]
    if whole != "ok":
        raise DamageError(f"{path}: {whole}")
    sure = before
    for word in words:
        if word.startswith("done"):
            sure = _apply(sure, word)
    possible = [sure]
    if words and words[-1].startswith("next"):
        possible.append(_apply(sure, words[-1]))
    champion = Registry(path).champion("demo")
    if _stack(path) not in possible or champion is None or champion.version != _stack(path)[-1]:
        raise DamageError(f"{path}: {_stack(path)} after {before} and {words}")


def _ensure_rollback(path: Path) -> None:
    """Roll back, and check that the champion before is back."""
    registry, stack = Registry(path), _stack(path)
    if len(stack) > 1 and registry.rollback("demo", NOON).version != stack[-2]:
        raise DamageError(f"{path}: rolled back from {stack} to something else")
    if len(_stack(path)) < 2:
        registry.promote("demo", "b" if _stack(path)[-1] == "a" else "a", NOON)


def main() -> None:
    """Print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = kill_many(Path(folder), given.kills, given.seed)
    print(
        f"killed {seen.kills} times among {seen.changes:,} changes: nothing lost, slowest rollback "
        f"after a kill {1000 * seen.slowest_rollback_s:.0f} ms"
    )


if __name__ == "__main__":
    main()
