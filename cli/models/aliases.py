"""``models aliases``: show the champions to MLflow."""

import argparse
import json
from collections.abc import Sequence

from cli.arguments import Parser, TeachingFormatter
from flows.registry import open_registry
from flows.settings import enter_tracking_environment, read_settings
from training.evaluation.mlflow_aliases import export_aliases


def run_aliases(arguments: Sequence[str]) -> int:
    """Bring versions and champions to MLflow; the last line on standard output is JSON."""
    uri: str = build_aliases_parser().parse_args(list(arguments)).mlflow
    settings = read_settings()
    enter_tracking_environment(settings, ["mlflow"], "registry")
    exported = export_aliases(open_registry(settings), uri)
    for one in exported:
        print(f"models:/{one.name}@champion is {one.name}/{one.version}")
    print(json.dumps({"aliases": {one.name: one.version for one in exported}}))
    return 0


def build_aliases_parser() -> argparse.ArgumentParser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom models aliases",
        description="Copy the registry to MLflow: versions as model versions, the champion of\n"
        "each name as the alias `champion`: models:/NAME@champion is what the gate decided.",
        epilog="MLflow is one of the `tracking` packages.\n\n"
        "example:\n  pacaloom models aliases --mlflow http://127.0.0.1:5000",
        formatter_class=TeachingFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--mlflow",
        required=True,
        metavar="URI",
        help="MLflow's server or store, as http://127.0.0.1:5000 or sqlite:///mlflow.db",
    )
    return parser
