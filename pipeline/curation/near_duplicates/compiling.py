"""How the inner loops of this package are compiled.

Importing this module loads numba, so it is imported when the first text is compared.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a function once a machine and keep it beside the source.

    Where that is read-only it is kept in the user's cache folder, and where neither can be
    written, in memory.
    """
    try:
        return cast("_Function", njit(cache=True, error_model="numpy")(function))
    except RuntimeError:  # numba found no folder that it may write its cache to
        return cast("_Function", njit(error_model="numpy")(function))
