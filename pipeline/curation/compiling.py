"""How the inner loops of curation are compiled.

A loop is compiled once a machine and kept beside its source, or in the user's cache folder where
that is read-only; where neither can be written it is compiled in memory. numba renews what it kept
when the file of the loop changes, and does not look at the other files: loops that call each other
therefore share a file.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit  # pyright: ignore[reportUnknownVariableType]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a function at its first call; importing this module loads numba."""
    try:
        return cast("_Function", njit(cache=True, error_model="numpy")(function))
    except RuntimeError:  # numba found no folder that it may write its cache to
        return cast("_Function", njit(error_model="numpy")(function))
