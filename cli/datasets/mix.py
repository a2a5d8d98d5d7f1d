"""``datasets mix``: draw a new version from versions and outside datasets."""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cli.arguments import ArgumentError, Parser, TeachingFormatter, read_config
from cli.terminal_text import escape_json, make_visible
from flows.engine import PlainEngine
from flows.settings import read_settings
from pipeline.publishing.mixture import OUR_COLUMNS, MixParams, MixturePart
from schemas.records import LANGUAGES, STAGES
from schemas.storage import describe_validation_error

# A colon may be part of a path; that of the options comes before a key.
_PART = re.compile(r"(?P<ref>.+?)(?::(?P<options>[a-z]+=.*))?", re.DOTALL)
_KEYS = [name for name in MixturePart.model_fields if name not in ("ref", "columns")]


class _Engine(PlainEngine):
    """Says what names of files and columns hold without letting them speak to the terminal."""

    def say(self, message: str) -> None:
        super().say(make_visible(message))


def build_mix_parser() -> argparse.ArgumentParser:
    """Build the parser of ``datasets mix``."""
    parser = Parser(
        prog="pacaloom datasets mix",
        description="Draw records from dataset versions, files, folders and hub datasets, curate\n"
        "them and publish a new version whose manifest names its parents. Nothing is taken twice:\n"
        "weights are kept by cutting the larger parts. The draw is by hash, so that the same\n"
        "parts give the same mixture everywhere. Columns of others are guessed from common\n"
        "names, and the guess is told.",
        epilog="parts: REF[:key=value,…] with the keys\n"
        "  weight=3              share of the mixture, relative to the other parts\n"
        "  cap=500               most records that are taken\n"
        "  split=, subset=, revision=   of a hub dataset; default: train\n"
        "  language=ko           of an outside dataset; default: Hangul is Korean\n"
        "  licence=cc-by-4.0     where the part does not say\n"
        "  instruction=, input=, output=   their columns\n\n"
        "examples:\n"
        "  pacaloom datasets mix --name both --part ko-700:weight=1 --part en-700:weight=1\n"
        "  pacaloom datasets mix --name more --part ko-700 \\\n"
        "      --part chats.csv:instruction=question,output=reply,language=ko,cap=500\n"
        "  pacaloom datasets mix --config mixture.yaml\n\n"
        "mixture.yaml:\n"
        "  name: both\n"
        "  part:\n"
        "    - {ref: ko-700, weight: 1}\n"
        "    - {ref: OWNER/NAME, weight: 1, columns: {instruction: question}}",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--name", help="name of the mixture: a-z, 0-9, dot, dash, underscore")
    parser.add_argument(
        "--part",
        action="append",
        default=[],
        metavar="REF[:key=value,…]",
        help="a source; of two records that repeat each other, the earlier part's is kept",
    )
    parser.add_argument(
        "--stage",
        action="append",
        choices=STAGES,
        metavar="STAGE",
        help="a stage of curation for the drawn records, may be given more than once; default: "
        "duplicate, near-duplicate, contamination, review",
    )
    parser.add_argument("--licence", help="default: that of the parts where it is one, else other")
    parser.add_argument("--card-language", choices=LANGUAGES, help="default: that of most records")
    parser.add_argument(
        "--config", type=Path, metavar="FILE.yaml", help="the same as YAML; flags win over it"
    )
    return parser


def run_mix(arguments: Sequence[str]) -> int:
    """Publish a mixture; the last line on standard output is its JSON object."""
    known = build_mix_parser().parse_args(list(arguments))
    params = _make_params(known)
    # Curation's imports take a second, which --help need not pay.
    from flows.mixing import mix

    folder, manifest = mix(params, read_settings(), _Engine())
    outcome = {
        "dataset": str(folder),
        "content_hash": manifest.content_hash,
        "generated": manifest.generated,
        "kept": manifest.kept,
        "rejected": manifest.rejected,
        "kept_by_language": manifest.kept_by_language,
        "licence": manifest.licence,
        "parents": [parent.model_dump(mode="json") for parent in manifest.parents],
    }
    print(escape_json(json.dumps(outcome, ensure_ascii=False)))
    return 0


def parse_part(text: str) -> dict[str, Any]:
    """Read ``REF[:key=value,…]``; values are checked by the model.

    Raises:
        ArgumentError: A key is none, or has no value.
    """
    found = _PART.fullmatch(text)
    if found is None:
        raise ArgumentError("--part: wanted REF[:key=value,…], found nothing.")
    part: dict[str, Any] = {"ref": found["ref"]}
    columns: dict[str, str] = {}
    for pair in (found["options"] or "").split(",") if found["options"] else ():
        key, equals, value = pair.partition("=")
        if not equals or not value or key not in (*_KEYS, *OUR_COLUMNS):
            raise ArgumentError(
                f"--part {text}: wanted key=value with a key of {', '.join(_KEYS)}, "
                f"{', '.join(OUR_COLUMNS)}; found {pair!r}."
            )
        (columns if key in OUR_COLUMNS else part)[key] = value
    return {**part, "columns": columns} if columns else part


def _make_params(known: argparse.Namespace) -> MixParams:
    values = read_config(known.config) if known.config else {}
    flags: dict[str, Any] = {
        "name": known.name,
        "part": [parse_part(text) for text in known.part],
        "stage": known.stage,
        "licence": known.licence,
        "card_language": known.card_language,
    }
    values |= {name: value for name, value in flags.items() if value}
    try:
        return MixParams.model_validate(values)
    except ValidationError as error:
        raise ArgumentError(
            f"{describe_validation_error(error)}. See `pacaloom datasets mix --help`."
        ) from error
