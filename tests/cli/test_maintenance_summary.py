"""The closing lines of ``maintenance`` in the words that a person would use."""

import io

import pytest
from rich.console import Console

from cli.maintenance_summary import print_maintenance
from flows.outcomes import MaintenanceOutcome, SpaceGiven


@pytest.mark.parametrize(
    ("what", "title"),
    [
        ("dataset version", "dataset versions: why"),
        ("index", "indexes: why"),
        ("front of a log", "fronts of logs: why"),
        ("kept answers", "kept answers: why"),
        ("served student", "served students: why"),
    ],
)
def test_several_things_of_a_kind_have_one_title(what: str, title: str) -> None:
    console = Console(file=io.StringIO(), width=200)
    given = tuple(SpaceGiven(what=what, path=path, why="why", bytes=1) for path in "ab")

    print_maintenance(
        console,
        MaintenanceOutcome(applied=True, given=given, bytes=2, kept_versions=0, notices=()),
    )

    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines()[0] == title
