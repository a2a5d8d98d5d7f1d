"""The small verbs: fetch, schema, completion."""

import argparse
import json
from collections.abc import Mapping, Sequence

from cli.arguments import Parser, TeachingFormatter, build_parser
from flows.settings import read_settings
from pipeline.publishing.statistics.figures import VersionStatistics
from schemas.evaluation import EvaluationReport, PromptComparison
from schemas.manifest import DatasetManifest, DraftsManifest, TrainingManifest
from schemas.records import Draft, InstructionRecord, Rejection, SeedTask
from schemas.review import ReviewDecision
from training.evaluation.tasks.items import TaskCard, TaskItem

_SCHEMAS = {
    "seed-task": SeedTask,
    "draft": Draft,
    "record": InstructionRecord,
    "rejection": Rejection,
    "drafts-manifest": DraftsManifest,
    "dataset-manifest": DatasetManifest,
    "dataset-statistics": VersionStatistics,
    "review-decision": ReviewDecision,
    "training-manifest": TrainingManifest,
    "evaluation-report": EvaluationReport,
    "prompt-comparison": PromptComparison,
    "task-card": TaskCard,
    "task-item": TaskItem,
}


def run_fetch(arguments: Sequence[str]) -> int:
    """Fetch an embedded model and print where it is."""
    from embedded.fetch import fetch_model
    from embedded.models import EMBEDDED_MODELS, find_model
    from flows.engine import PlainEngine

    table = "\n".join(f"  {model.name:<20} {model.description}" for model in EMBEDDED_MODELS)
    parser = Parser(
        prog="pacaloom fetch",
        description="Fetch an embedded model into the cache (PACALOOM_CACHE), checked by sha256.\n"
        "An interrupted fetch continues.",
        epilog=f"models:\n{table}",
        formatter_class=TeachingFormatter,
    )
    parser.add_argument("model")
    model = find_model(parser.parse_args(list(arguments)).model)
    settings = read_settings()
    with PlainEngine().progress(f"fetch {model.name}") as progress:
        path = fetch_model(model, settings.cache, accepted_terms=settings.terms, progress=progress)
    print(path)
    return 0


def run_schema(arguments: Sequence[str]) -> int:
    """Print the JSON Schema of one of our file formats."""
    parser = Parser(prog="pacaloom schema", description="Print the JSON Schema of a file format.")
    parser.add_argument("name", choices=list(_SCHEMAS), help="what is described")
    schema = _SCHEMAS[parser.parse_args(list(arguments)).name].model_json_schema()
    print(json.dumps(schema, ensure_ascii=False, indent=2))
    return 0


def run_completion(arguments: Sequence[str], summaries: Mapping[str, str]) -> int:
    """Print a completion script made from the verbs' own parsers.

    Args:
        arguments: The shell.
        summaries: One line for each verb there is.
    """
    import shtab

    parser = Parser(
        prog="pacaloom completion",
        description="Print a completion script.",
        epilog='example: eval "$(./pacaloom completion bash)"',
        formatter_class=TeachingFormatter,
    )
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)
    shell = parser.parse_args(list(arguments)).shell
    print(shtab.complete(_whole_parser(summaries), shell))
    return 0


def _whole_parser(summaries: Mapping[str, str]) -> argparse.ArgumentParser:
    """Build one parser that has every verb, most with all their flags, for completion only."""
    from cli.answer import build_answer_parser
    from cli.datasets.datasets import build_whole_datasets_parser
    from cli.journal import build_journal_parser
    from cli.metrics import build_metrics_parser
    from cli.models.models import build_whole_models_parser
    from cli.notify import build_notify_parser
    from cli.prompts.prompts import build_whole_prompts_parser
    from cli.review import build_review_parser
    from cli.rules import build_rules_parser
    from cli.serve import build_serve_parser
    from cli.services import build_down_parser, build_up_parser
    from cli.settings import build_settings_parser
    from cli.verbs import FLOW_VERBS, params_model
    from cli.why import build_why_parser

    parsers = {
        name: build_parser(name, params_model(verb), verb.examples)
        for name, verb in FLOW_VERBS.items()
    }
    parsers |= {
        "datasets": build_whole_datasets_parser(),
        "journal": build_journal_parser(),
        "metrics": build_metrics_parser(),
        "models": build_whole_models_parser(),
        "notify": build_notify_parser(),
        "answer": build_answer_parser(),
        "prompts": build_whole_prompts_parser(),
        "review": build_review_parser(),
        "rules": build_rules_parser(),
        "serve": build_serve_parser(),
        "settings": build_settings_parser(),
        "up": build_up_parser(),
        "down": build_down_parser(),
        "why": build_why_parser(),
    }
    whole = argparse.ArgumentParser(prog="pacaloom")
    verbs = whole.add_subparsers()
    for name, summary in summaries.items():
        own = [parsers[name]] if name in parsers else []
        # Without a help text shtab takes a verb for a hidden one.
        verbs.add_parser(name, help=summary, parents=own, add_help=not own)
    return whole
