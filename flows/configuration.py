"""What the environment and ``.env`` decide, shown to people without any secret, and their faults.

``.env`` gives values to our own settings only; Prefect reads its PREFECT_ variables there itself.
Whatever else stands in it does nothing, which people are told instead of being left to wonder.
"""

import difflib
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from dotenv.parser import parse_stream
from pydantic import SecretStr

from flows.observing.masking import hide_credentials
from flows.settings import EnvironmentFileError, Settings, name_variables
from schemas.frozen import Frozen

Source = Literal["environment", ".env", "default"]

_OURS = "PACALOOM_"
_PREFECTS = "PREFECT_"


class SettingShown(Frozen):
    """One setting as people may see it."""

    variable: str
    value: str | None
    """None where it is not set; a secret's place is taken by words."""
    source: Source
    decides: str
    """One line."""


class EnvironmentFile(NamedTuple):
    """What ``.env`` says."""

    values: dict[str, str]
    lines: dict[str, int]
    """Where each name stands."""
    faults: tuple[str, ...]


def read_environment_file(path: Path) -> EnvironmentFile:
    """Read ``.env`` as the settings do, and name the lines that they pass over.

    Raises:
        EnvironmentFileError: It cannot be read as text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return EnvironmentFile({}, {}, ())
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFileError(
            f"{path}: wanted lines of NAME=VALUE in UTF-8, but it cannot be read: {error}."
        ) from error
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    faults: list[str] = []
    for binding in parse_stream(io.StringIO(text)):
        where = f"{path}:{_first_line(binding.original.string, binding.original.line)}"
        # What stands there is not repeated: it may be a key that lost its name.
        if binding.error:
            faults.append(f"{where}: wanted NAME=VALUE; this line is passed over.")
        elif binding.key is not None and binding.value is None:
            faults.append(f"{where}: {binding.key} has no value; write {binding.key}=VALUE.")
        elif binding.key is not None:
            if binding.key in values:
                faults.append(
                    f"{where}: {binding.key} stands in line {lines[binding.key]} too; this one "
                    "counts."
                )
            values[binding.key] = binding.value or ""
            lines[binding.key] = _first_line(binding.original.string, binding.original.line)
    return EnvironmentFile(values, lines, tuple(faults))


def show_settings(
    settings: Settings, environment: Mapping[str, str], file: EnvironmentFile
) -> tuple[SettingShown, ...]:
    """Describe every setting, in the order of the model."""
    real, written = _filled(environment), _filled(file.values)
    shown: list[SettingShown] = []
    for field, variable in name_variables().items():
        source: Source = "default"
        if variable.upper() in real:
            source = "environment"
        elif variable.upper() in written:
            source = ".env"
        text = Settings.model_fields[field].description or ""
        shown.append(
            SettingShown(
                variable=variable,
                value=_show_value(getattr(settings, field)),
                source=source,
                decides=" ".join(text.replace("``", "`").split()),
            )
        )
    return tuple(shown)


def find_unknown_variables(
    environment: Mapping[str, str], file: EnvironmentFile, path: Path
) -> tuple[str, ...]:
    """Name the variables that look like settings of ours and are read by nobody.

    Args:
        environment: Only its PACALOOM_ variables are ours to judge.
        file: All of its names are; Prefect reads its own.
        path: Of the file.
    """
    known = list(name_variables().values())
    faults = [
        f"{name} is set, but there is no such setting; {_suggest(name, known)}"
        for name in sorted(environment)
        if name.upper().startswith(_OURS) and not _is_known(name, known)
    ]
    faults += [
        f"{path}:{file.lines[name]}: there is no setting {name}, and nothing else is read from "
        f"here; {_suggest(name, known)}"
        for name in file.values
        if not name.upper().startswith(_PREFECTS) and not _is_known(name, known)
    ]
    return tuple(faults)


def mask_address(address: str) -> str:
    """Hide what may be secret in a URL: user, password and query."""
    try:
        # A slash in the password would end the part that is looked at.
        parts = urlsplit(hide_credentials(address))
    except ValueError:
        return "set, not a URL, hidden"
    host = parts.netloc.rpartition("@")
    netloc = f"…@{host[2]}" if host[1] else parts.netloc
    return urlunsplit((parts.scheme, netloc, parts.path, "…" if parts.query else "", ""))


def _filled(variables: Mapping[str, str]) -> set[str]:
    """Return the names, as pydantic compares them, whose value is more than nothing."""
    return {name.upper() for name, value in variables.items() if value.strip()}


def _show_value(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, SecretStr):
        return "set, hidden"
    # One setting may hold several addresses.
    parts = re.split(r"(\s+)", str(value))
    return "".join(mask_address(one) if "://" in one else one for one in parts)


def _is_known(name: str, known: Iterable[str]) -> bool:
    return name.upper() in (one.upper() for one in known)


def _suggest(name: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.6)
    return f"did you mean {nearest[0]}?" if nearest else "`./pacaloom settings` lists them."


def _first_line(original: str, line: int) -> int:
    # The parser counts blank lines before a binding as part of it.
    blank = re.match(r"\s*", original)
    return line + (blank.group().count("\n") if blank else 0)
