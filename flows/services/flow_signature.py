"""What a flow takes, read off its source: importing the flow would import Prefect."""

import ast
import importlib
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

_OUR_PACKAGES = frozenset({"flows", "pipeline", "training", "schemas"})


class SignatureError(Exception):
    """The entrypoint names no function."""


class Signature(NamedTuple):
    """The parameters of a flow function."""

    models: dict[str, type[BaseModel] | None]
    """Name -> what checks its value; None where the source does not tell."""
    required: frozenset[str]


def read_signature(entrypoint: str, root: Path) -> Signature:
    """Read the signature of an entrypoint such as ``flows/generate.py:generate``.

    Raises:
        SignatureError: There is no such file or function.
    """
    file, _, function = entrypoint.rpartition(":")
    if not file or not function:
        raise SignatureError(f"wanted FILE.py:FUNCTION, found {entrypoint!r}")
    try:
        tree = ast.parse((root / file).read_text(encoding="utf-8"))
    except OSError as error:
        raise SignatureError(f"{file}: {error.strerror}") from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise SignatureError(f"{file} is not Python: {error}") from error
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
            return _describe(node.args, _read_imports(tree))
    raise SignatureError(f"{file} has no function {function!r}")


def _describe(arguments: ast.arguments, imports: dict[str, str]) -> Signature:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    positional = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    required = positional[: len(positional) - len(arguments.defaults)] + [
        one.arg
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    models = {one.arg: _find_model(one.annotation, imports) for one in named}
    return Signature(models, frozenset(required))


def _read_imports(tree: ast.Module) -> dict[str, str]:
    """Map each name to the module of ours that it is imported from."""
    return {
        alias.asname or alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if node.module.partition(".")[0] in _OUR_PACKAGES
    }


def _find_model(annotation: ast.expr | None, imports: dict[str, str]) -> type[BaseModel] | None:
    if not isinstance(annotation, ast.Name) or annotation.id not in imports:
        return None
    found: Any = getattr(importlib.import_module(imports[annotation.id]), annotation.id, None)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None
