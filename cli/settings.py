"""``settings``: what the environment and ``.env`` decide, where things are, and what is there."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import escape_json, make_visible

if TYPE_CHECKING:
    from flows.overview import Overview, Place, ServerShown

_WIDTH = 24
_LINE_WIDTH = 90


def run_settings(arguments: Sequence[str]) -> int:
    """Print the settings, for people or as one JSON object."""
    as_json: bool = build_settings_parser().parse_args(list(arguments)).json

    from flows.overview import look_around

    overview = look_around()
    if as_json:
        print(escape_json(overview.model_dump_json()))
        return 0
    _print("Settings: the environment wins over .env, and .env over the default")
    for setting in overview.settings:
        value = f"{setting.value}  ({setting.source})" if setting.value else "not set"
        _print(f"\n  {setting.variable:<{_WIDTH}}  {value}")
        for line in textwrap.wrap(setting.decides, _LINE_WIDTH):
            _print(f"      {line}")
    for title, facts in _list_facts(overview).items():
        _print(f"\n{title}")
        for name, fact in facts:
            _print(f"  {name:<{_WIDTH}}  {fact}")
    if overview.faults:
        _print("\nTo mend")
        for fault in overview.faults:
            _print(f"  {fault}")
    return 0


def build_settings_parser() -> Parser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom settings",
        description="Show every setting: its value, where that comes from (the environment, .env\n"
        "or the default) and what it decides. Then the places, the versions and the\n"
        "Prefect server. Keys, tokens and passwords are never shown. Names that look\n"
        "like settings and are none, and lines of .env that do nothing, are told.",
        epilog="examples:\n"
        "  pacaloom settings\n"
        "  PACALOOM_OUTPUTS=/data/outputs pacaloom settings\n"
        "  pacaloom settings --json | jq '.settings[] | select(.source != \"default\")'",
        formatter_class=TeachingFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    return parser


def _print(text: str) -> None:
    print(make_visible(text))


def _list_facts(overview: "Overview") -> dict[str, list[tuple[str, str]]]:
    models = ", ".join(overview.cached_models) or "none yet; `./pacaloom fetch` gets them"
    return {
        "Places": [
            (".env", str(overview.environment_file or "no such file, and none is needed")),
            ("outputs", _describe_place(overview.outputs)),
            ("cache", _describe_place(overview.cache)),
            ("models in the cache", models),
        ],
        "Prefect server": [_describe_server(overview.server)],
        "Versions": [(name, found or "not installed") for name, found in overview.versions.items()],
    }


def _describe_place(place: "Place") -> str:
    absent = "" if place.exists else ", not made yet"
    return f"{place.path} ({place.free_gb:.1f} GB free{absent})"


def _describe_server(server: "ServerShown") -> tuple[str, str]:
    if server.api_url is None:
        return "none", "`make up` starts one; commands run without it"
    if not server.is_up:
        return "down", f"{server.api_url} ({server.problem})"
    by = "started by `up`" if server.started_by_up else "of PREFECT_API_URL"
    return "up", f"{server.api_url}, {server.version or 'does not tell its version'}, {by}"
