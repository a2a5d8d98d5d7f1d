"""numba keeps compiled code until the file of its loop changes, so what a loop calls is there."""

import importlib
import inspect
from pathlib import Path

import pytest
from numba.core.dispatcher import Dispatcher

ROOT = Path(__file__).parents[2]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "pipeline/curation").rglob("*.py"))
    if "@compiled" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", MODULES)
def test_compiled_loops_call_none_of_another_file(module: str) -> None:
    loops = [
        member.py_func
        for _, member in inspect.getmembers(importlib.import_module(module))
        if isinstance(member, Dispatcher) and member.py_func.__module__ == module
    ]
    called = {
        (loop.__name__, other.py_func.__module__)
        for loop in loops
        for name in loop.__code__.co_names
        if isinstance(other := loop.__globals__.get(name), Dispatcher)
    }

    assert loops
    assert {(name, origin) for name, origin in called if origin != module} == set()
