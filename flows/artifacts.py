"""What people see in Prefect's UI: dataset card, funnel, evaluation matrix, verdict."""

import re
from pathlib import Path

from flows.engine import Artifact, Engine
from flows.outcomes import CurateOutcome, EvaluateOutcome
from schemas.records import LANGUAGES

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_PICTURE = re.compile(r"^!\[.*\]\(figures/[a-z-]+\.png\)\n", re.MULTILINE)


def show_card(engine: Engine, name: str, dataset: Path) -> None:
    """Show the dataset card.

    Its front matter would be rendered as giant headings, and pictures beside it cannot be served.
    """
    card = (dataset / "README.md").read_text(encoding="utf-8")
    card = _PICTURE.sub("", _FRONT_MATTER.sub("", card)).strip()
    engine.show(
        Artifact(
            key=f"card-{_slug(name)}",
            title=f"Card of {name}/{dataset.name}",
            markdown=f"{card}\n\nPictures and all records: `{dataset / 'report.html'}`",
        )
    )


def show_funnel(engine: Engine, name: str, outcome: CurateOutcome) -> None:
    """Show how many drafts were kept and why the others were not, by language."""
    rows = [f"| kept | {' | '.join(str(outcome.kept_by_language[lang]) for lang in LANGUAGES)} |"]
    for reason in outcome.rejected:
        counts = (outcome.rejected_by_language[lang].get(reason, 0) for lang in LANGUAGES)
        rows.append(f"| rejected: {reason} | {' | '.join(map(str, counts))} |")
    table = "\n".join([f"| | {' | '.join(LANGUAGES)} |", "|---|" + "---|" * len(LANGUAGES), *rows])
    engine.show(
        Artifact(
            key=f"funnel-{_slug(name)}",
            title=f"{outcome.kept} of {outcome.generated} drafts kept",
            markdown=f"# {outcome.kept} of {outcome.generated} drafts kept\n\n{table}\n\n"
            f"Dataset version: `{outcome.dataset}`",
        )
    )


def show_matrix(engine: Engine, outcome: EvaluateOutcome) -> None:
    """Show accuracies with their 95 % intervals: a row a model and task, a column a shot count."""
    shots = sorted({row.shots for row in outcome.matrix})
    rows: dict[tuple[str, str], dict[int, str]] = {}
    for cell in outcome.matrix:
        text = f"{cell.accuracy:.3f} ({cell.low:.2f}–{cell.high:.2f})"
        rows.setdefault((cell.model, cell.task), {})[cell.shots] = text
    header = f"| model | task | {' | '.join(f'{count}-shot' for count in shots)} |"
    lines = [header, "|---|---|" + "---|" * len(shots)]
    for (model, task), found in rows.items():
        lines.append(f"| {model} | {task} | {' | '.join(found[count] for count in shots)} |")
    table = "\n".join(lines)
    engine.show(
        Artifact(
            key=f"matrix-{_slug_of_model(outcome.matrix[-1].model)}",
            title="Evaluation matrix",
            markdown=f"# Evaluation matrix\n\n{table}\n\nPer item: `{outcome.evaluation}`",
        )
    )


def show_verdict(engine: Engine, outcome: EvaluateOutcome) -> None:
    """Show the gate's verdict with its reasons."""
    verdict = outcome.verdict or "no verdict"
    reasons = "\n".join(f"- {reason}" for reason in outcome.reasons)
    engine.show(
        Artifact(
            key=f"verdict-{_slug(outcome.matrix[-1].model.split('/')[0])}",
            title=f"Verdict: {verdict}",
            markdown=f"# {verdict}\n\n{reasons}",
        )
    )


def _slug_of_model(model: str) -> str:
    """Key by name without version, so that Prefect shows a history."""
    return _slug(model.split("/")[0])


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unnamed"
