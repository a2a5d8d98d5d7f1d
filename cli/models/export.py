"""``models export``: take a student elsewhere, as a transformers folder or as GGUF."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from cli.arguments import ArgumentError, Parser, TeachingFormatter
from cli.models.measurements import tell_engine, tell_merge
from cli.terminal_text import escape_json, make_visible
from flows.engine import PlainEngine
from flows.model_export import ModelExportRequest, export_model
from flows.settings import read_settings
from schemas.exports import GgufKind

_DTYPES = ("bf16", "fp32")


def run_export(arguments: Sequence[str]) -> int:
    """Export one student; the last line on standard output is a JSON object."""
    given = build_export_parser().parse_args(list(arguments))
    target = Path(given.to).expanduser()
    request = ModelExportRequest(
        model=given.model, format=given.format, target=target, force=given.force
    )
    kinds = _DTYPES if given.format == "hf" else get_args(GgufKind)
    if given.kind not in (None, *kinds):
        raise ArgumentError(
            f"--kind {given.kind} is none of --format {given.format}: wanted {', '.join(kinds)}"
        )
    if given.kind is not None:
        chosen = {"dtype": given.kind} if given.format == "hf" else {"kind": given.kind}
        request = request._replace(**chosen)
    export = export_model(request, read_settings(), PlainEngine())
    lines = [
        f"{make_visible(export.model)} as {given.format} ({export.weights}) in "
        f"{make_visible(str(target))}: {', '.join(export.files)}",
        *tell_merge(export.merge),
        *tell_engine(export.engine),
    ]
    print("\n".join(lines), file=sys.stderr)
    shown = export.model_dump(mode="json", include={"model", "weights", "files", "merge", "engine"})
    print(escape_json(json.dumps({"folder": str(target), **shown}, ensure_ascii=False)))
    return 0


def build_export_parser() -> argparse.ArgumentParser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom models export",
        description="Write a student with merged weights and the template it was trained with.\n"
        "hf: a folder for transformers, vLLM and others. gguf: a file for llama.cpp and Ollama,\n"
        "served once and compared with the student before it is given away.",
        epilog="examples:\n"
        "  pacaloom models export demo --format hf --to demo-hf\n"
        "  pacaloom models export demo/0002-0123456789ab --format gguf --kind f16 --to demo-gguf",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="NAME (its newest version), NAME/VERSION, a folder, or an embedded model",
    )
    parser.add_argument("--format", choices=("hf", "gguf"), required=True)
    parser.add_argument("--to", required=True, metavar="FOLDER", help="absent or empty")
    parser.add_argument(
        "--kind",
        choices=(*_DTYPES, *get_args(GgufKind)),
        help="number format of the weights; hf: bf16 (default) or fp32; gguf: f16 (default), "
        "q8_0 or f32",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace an earlier export, and only that"
    )
    return parser
