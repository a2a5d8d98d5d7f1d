"""Turn a flow's parameter model into flags, and flags and a YAML file into parameters.

pydantic-settings derives the flags, so a field added to a model is a flag, a line of ``--help``
and a key of ``--config`` at once. Flags win over the file, the file over the defaults.
"""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, CliSettingsSource, SettingsError

from schemas.errors import UserError
from schemas.storage import describe_validation_error

Params = TypeVar("Params", bound=BaseModel)

_MOST_CHOICES = 12
"""More would bury the flag that they belong to; its help says where they are listed."""


class ArgumentError(UserError):
    """A flag or a line of the config file is not what the verb takes."""


class Parsed(NamedTuple):
    """What the command line said."""

    values: dict[str, Any]
    """The parameters as given, unchecked."""
    prefect: bool
    """Run as a Prefect flow."""
    flags: dict[str, Any]
    """Those of the values that are flags."""
    config: Path | None
    """Where the others are from."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: ``off`` and ``no`` are words, as in ``rules: {off: [refusal]}``."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


class TeachingFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the paragraphs of the description, shows code marks and defaults for people."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = (action.help or "").replace("``", "`")
        # What Python writes for "nothing" tells people nothing.
        return text.removesuffix(" (default: )").replace("(default: ())", "(may be repeated)")


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line and exit status 2, like all of ours."""

    def error(self, message: str) -> Any:  # noqa: ANN401 - argparse says NoReturn, and so it is
        raise ArgumentError(f"{message}. See `{self.prog} --help`.")


def build_parser(verb: str, model: type[BaseModel], examples: str) -> argparse.ArgumentParser:
    """Build the parser of a verb that runs a flow."""
    return _build(verb, model, examples)[0]


def parse(verb: str, model: type[Params], examples: str, arguments: Sequence[str]) -> Parsed:
    """Read flags and ``--config``.

    Raises:
        ArgumentError: An unknown flag, or a config file that is missing or no YAML mapping.
    """
    parser, source = _build(verb, model, examples)
    known = parser.parse_args(list(arguments))
    config: Path | None = known.config
    prefect: bool = known.prefect
    for own in ("config", "prefect"):
        delattr(known, own)
    try:
        flags: dict[str, Any] = source(parsed_args=known)()
    except SettingsError as error:
        # Only what looks like JSON gets here; its own complaint is the cause's.
        raise ArgumentError(f"{error}: {error.__cause__}. See `{parser.prog} --help`.") from error
    values = _merge(model, read_config(config) if config else {}, flags)
    return Parsed(values, prefect, flags, config)


def make_params(model: type[Params], parsed: Parsed) -> Params:
    """Check what the command line said against the model.

    Raises:
        ArgumentError: Names the first parameter that does not fit, in one line.
    """
    try:
        return model.model_validate(parsed.values)
    except ValidationError as error:
        raise ArgumentError(f"{_place(error, parsed)}{_describe(error)}; see --help.") from error


def _build(
    verb: str, model: type[BaseModel], examples: str
) -> tuple[argparse.ArgumentParser, CliSettingsSource[argparse.ArgumentParser]]:
    parser = Parser(
        prog=f"pacaloom {verb}",
        usage=f"pacaloom {verb} [flags]",
        description=(model.__doc__ or "").replace("\n    ", "\n"),
        epilog=examples,
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE.yaml", help="parameters as YAML; flags win over it"
    )
    parser.add_argument(
        "--prefect",
        action="store_true",
        help="run as a Prefect flow, on the server of PREFECT_API_URL or a temporary one",
    )
    settings: type[BaseSettings] = type(  # pyright: ignore[reportGeneralTypeIssues] - bases known at run time
        "Flags", (model, BaseSettings), {"__doc__": None}
    )
    source: CliSettingsSource[argparse.ArgumentParser] = CliSettingsSource(
        settings,
        root_parser=parser,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        cli_kebab_case=True,
        cli_implicit_flags=True,
    )
    for action in parser._actions:
        if isinstance(action.metavar, str) and action.metavar.startswith("dict["):
            action.type = _check_pair(_placeholder(action.metavar))
        if action.option_strings == ["-r"]:
            # pydantic-settings makes short flags of one-letter names, and only those; every other
            # flag of ours is long, so people write this one long too.
            action.option_strings = ["-r", "--r"]
            parser._option_string_actions["--r"] = action
        if isinstance(action.metavar, str):
            action.metavar = _placeholder(action.metavar)
    return parser, source


def _check_pair(wanted: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if "=" not in text and not text.startswith("{"):
            raise argparse.ArgumentTypeError(f"wanted {wanted}, found {text!r}")
        return text

    return check


def _placeholder(metavar: str) -> str:
    """Show what to type rather than its Python type: ``LANGUAGE=COUNT``, ``{a,b}``, ``STR``."""
    if metavar.startswith("dict["):
        if metavar.startswith("dict[str"):
            return "LANGUAGE/KIND=WEIGHT"
        return "STRATEGY=WEIGHT" if metavar.endswith("float]") else "LANGUAGE=COUNT"
    one = metavar.removeprefix("tuple[").removesuffix(",...]")
    return "NAME" if one.count(",") >= _MOST_CHOICES else one


def read_config(path: Path) -> dict[str, Any]:
    """Read the parameters of a YAML file, unchecked.

    Raises:
        ArgumentError: It is missing, or no YAML mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise ArgumentError(f"--config {path}: {error.strerror}.") from error
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ArgumentError(f"--config {path} is not YAML: {reason}") from error
    if not isinstance(content, dict):
        found = "an empty file" if content is None else type(content).__name__
        raise ArgumentError(f"--config {path}: wanted a mapping of parameters, found {found}.")
    return content  # pyright: ignore[reportUnknownVariableType] - checked by the model


def _merge(
    model: type[BaseModel], file: Mapping[str, Any], flags: Mapping[str, Any]
) -> dict[str, Any]:
    """Lay flags over the file: inside nested models too, but a quota replaces a quota."""
    merged = dict(file)
    for name, value in flags.items():
        field = model.model_fields.get(name)
        inner = field.annotation if field else None
        if _is_model(inner) and isinstance(merged.get(name), dict) and isinstance(value, dict):
            merged[name] = _merge(inner, merged[name], value)
        else:
            merged[name] = value
    return merged


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _place(error: ValidationError, parsed: Parsed) -> str:
    """Name the config file when the first fault stands there; a flag's name says enough."""
    given: Any = parsed.flags
    for part in error.errors(include_url=False)[0]["loc"]:
        if not isinstance(given, dict):
            break
        if part not in given:
            return f"--config {parsed.config}: " if parsed.config else ""
        given = given[part]
    return ""


def _describe(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    where = describe_validation_error(error)
    if fault["type"] == "missing":
        return where
    found = repr(fault["input"])
    return f"{where}. Found {found if len(found) <= 80 else found[:77] + '...'}"
