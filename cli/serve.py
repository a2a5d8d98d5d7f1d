"""``serve``: a tuned student, an embedded model or a checkpoint as an endpoint on this machine."""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from typing import get_args

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import make_visible
from embedded.engine import EngineOptions
from flows.engine import PlainEngine
from flows.serving import ServedModel, check_port, prepare, serve
from flows.settings import read_settings
from schemas.exports import GgufKind


def run_serve(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C, which is how it is meant to end: status 0."""
    given = build_serve_parser().parse_args(list(arguments))
    check_port(given.port)  # Before minutes of work.
    settings = read_settings()
    model = prepare(given.model, given.kind, settings, PlainEngine())
    options = EngineOptions(parallel=given.parallel, context_tokens=given.context)
    log = settings.outputs / "logs" / "serve.log"
    try:
        serve(model, options, given.port, log, lambda base_url: _announce(model, base_url))
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    return 0


def build_serve_parser() -> Parser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom serve",
        description="Serve a model on 127.0.0.1 with the OpenAI API: chat, completions, models.\n"
        "A tuned student is merged, written as GGUF once, checked, and asked with the template\n"
        "that it was trained with. The last line on standard output is a JSON object, printed\n"
        "when requests are answered. Ctrl-C stops it.",
        epilog="examples:\n  pacaloom serve demo\n"
        "  pacaloom serve demo/0002-0123456789ab --port 8001 --kind f16\n"
        "  pacaloom serve smollm2-135m --parallel 8 --context 2048",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="NAME (its newest version), NAME/VERSION, a folder, or an embedded model",
    )
    parser.add_argument(
        "--port", type=_port, default=8000, help="default: 8000; 0 takes any free one"
    )
    parser.add_argument(
        "--parallel", type=_bounded(1, 64), default=4, help="requests at once; default: 4"
    )
    parser.add_argument(
        "--context",
        type=_bounded(256, 2**17),
        default=4096,
        help="tokens of a prompt and its answer together; default: 4096, or what the model reads",
    )
    parser.add_argument(
        "--kind",
        choices=get_args(GgufKind),
        help="how weights are stored: f16 (default) answers as the student does; q8_0 takes half "
        "of it, and at 135M parameters another next token in one place of ten",
    )
    return parser


def _announce(model: ServedModel, base_url: str) -> None:
    name = make_visible(model.name)
    body = json.dumps(
        {"model": model.name, "messages": [{"role": "user", "content": "Name three fruits."}]}
    )
    print(
        f"{name} is served ({model.description}).\n\n"
        f"  base URL  {base_url}\n  model     {name}\n\n"
        "Ask it:\n"
        f"  curl -s {base_url}/chat/completions -H 'Content-Type: application/json' \\\n"
        f"    -d {shlex.quote(body)}\n\n"
        "Let it teach:\n"
        f"  OPENAI_BASE_URL={base_url} OPENAI_API_KEY=none \\\n"
        f"    ./pacaloom generate --name taught --model {shlex.quote(model.name)} --quota en=20\n\n"
        "Ctrl-C stops it.",
        file=sys.stderr,
        flush=True,
    )
    print(
        json.dumps({"base_url": base_url, "model": model.name, "gguf": str(model.gguf)}), flush=True
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"wanted a port from 0 to 65535, found {port}")
    return port


def _bounded(low: int, high: int) -> "type[int]":
    def read(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"wanted {low} to {high:,}, found {number:,}")
        return number

    return read  # pyright: ignore[reportReturnType]
