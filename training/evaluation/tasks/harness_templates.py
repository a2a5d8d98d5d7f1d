"""Render the Jinja of task files that somebody else wrote, in a sandbox.

Templates see one row and nothing else: no attribute that leads to code, no file, no import. What
the sandbox forbids, a name that no row has, and products that would fill the memory are errors of
the task file. Loops are bounded by Jinja's own limit on ranges; nested ones can still take long.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import JsonValue

from training.evaluation.tasks.items import TaskError

_LONGEST = 1_000_000
_WIDENING = frozenset(
    {"center", "expandtabs", "format", "format_map", "indent", "ljust", "rjust", "zfill"}
)
"""Methods and filters that make a text as long as a number says."""
_UNREADABLE = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401
        """Forbid widening beside what the sandbox forbids."""
        is_widening = isinstance(obj, str) and attr in _WIDENING
        return not is_widening and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        """Refuse what a few letters could make a gigabyte of."""
        numbers = [abs(one) for one in (left, right) if isinstance(one, int | float)]
        is_widening = operator == "**" or (operator == "%" and isinstance(left, str))
        if is_widening or any(one > _LONGEST for one in numbers):
            raise SecurityError(f"{operator!r} with such operands is not allowed")
        return super().call_binop(context, operator, left, right)


class Renderer:
    """Reads the parts of a task file for one row after another."""

    def __init__(self, where: str) -> None:
        """Make the sandbox, with what the harness's templates may use.

        Args:
            where: The task file, for messages.
        """
        self.where = where
        self._sandbox = _Sandbox(undefined=StrictUndefined, keep_trailing_newline=True)
        self._compiled: dict[str, Template] = {}
        for name in _WIDENING & self._sandbox.filters.keys():
            del self._sandbox.filters[name]
        filters = cast("dict[str, Callable[..., str]]", self._sandbox.filters)
        filters["regex_replace"] = _regex_replace

    def render(self, field: str, template: str, row: Mapping[str, JsonValue]) -> str:
        """Render a template, or return the column that it names.

        Raises:
            TaskError: The template is none, forbidden, or wants a column that is not there.
        """
        if template in row:
            value = row[template]
            return value if isinstance(value, str) else str(value)
        try:
            if template not in self._compiled:
                self._compiled[template] = self._sandbox.from_string(template)
            return self._compiled[template].render(dict(row))
        except SecurityError as error:
            raise TaskError(f"{self.where}: {field} is refused: {_line(error)}.") from error
        except (TemplateError, ArithmeticError, LookupError, AttributeError, *_UNREADABLE) as error:
            raise TaskError(
                f"{self.where}: {field} cannot be rendered: {_line(error)}. The rows have "
                f"{', '.join(list(row)[:12])}."
            ) from error

    def render_list(
        self, field: str, template: JsonValue, row: Mapping[str, JsonValue]
    ) -> tuple[str, ...]:
        """Render a template that writes a list, as texts.

        Args:
            field: For messages.
            template: That, or a column's name, or a list or the values of a map as they are.
            row: Of the data.
        """
        if isinstance(template, str):
            value = row[template] if template in row else self._read(field, template, row)
        else:
            value = list(template.values()) if isinstance(template, dict) else template
        if not isinstance(value, list | tuple):
            raise TaskError(f"{self.where}: {field}: wanted a list, found {str(value)[:60]!r}.")
        return tuple(str(one).strip() for one in cast("Sequence[object]", value))

    def _read(self, field: str, template: str, row: Mapping[str, JsonValue]) -> object:
        text = self.render(field, template, row)
        read = read_literal(text)
        return text if read is None else read


def read_literal(text: str) -> object:
    """Read a list or number as Python writes it; None where the text is none."""
    try:
        return ast.literal_eval(text.strip())
    except _UNREADABLE:
        return None


def _regex_replace(text: str, pattern: str, replacement: str = "", count: int = 0) -> str:
    return re.sub(pattern, replacement, text, count=count)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
