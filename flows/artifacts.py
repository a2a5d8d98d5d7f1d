"""What people see in Prefect's UI of a dataset and a training."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path

from flows.engine import Artifact, Engine
from flows.outcomes import CurateOutcome, FinetuneOutcome
from schemas.manifest import SampleAnswer, TrainingManifest
from schemas.markdown import code, fence, plain, table
from schemas.records import LANGUAGES
from schemas.storage import read_jsonl, read_manifest
from training.finetuning.curves import CURVES_FILE
from training.finetuning.samples import SAMPLES_FILE

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
            key=make_key("card", name),
            title=f"Card of {name}/{dataset.name}",
            markdown=f"{card}\n\nPictures and all records: `{dataset / 'report.html'}`",
        )
    )


def show_funnel(engine: Engine, name: str, outcome: CurateOutcome) -> None:
    """Show how many drafts were kept and why the others were not, by language."""
    kept = [outcome.kept_by_language[language] for language in LANGUAGES]
    rows = [_make_row("**kept**", kept, outcome.generated)]
    for reason in outcome.rejected:
        counts = [outcome.rejected_by_language[lang].get(reason, 0) for lang in LANGUAGES]
        rows.append(_make_row(f"rejected: {reason}", counts, outcome.generated))
    shown = table(("", *LANGUAGES, "all", "of drafts"), rows, right=len(LANGUAGES) + 2)
    title = f"{outcome.kept} of {outcome.generated} drafts kept"
    engine.show(
        Artifact(
            key=make_key("funnel", name),
            title=title,
            markdown=f"# {title}\n\n{shown}\n\nDataset version: `{outcome.dataset}`",
        )
    )


def _make_row(label: str, counts: Sequence[int], generated: int) -> tuple[str, ...]:
    total = sum(counts)
    share = f"{total / generated:.1%}" if generated else "–"
    return (label, *(f"{count:,}" for count in counts), f"{total:,}", share)


def show_training(engine: Engine, outcome: FinetuneOutcome) -> None:
    """Show how a student was tuned: figures, curves, and what it answers.

    The picture stands in the text itself, some 50 kB, because the server serves no files.
    """
    manifest = read_manifest(outcome.model, TrainingManifest, "a tuned student")
    reference = f"{manifest.name}/{manifest.version}"
    planned = f"{manifest.memory.total_mb:,.0f} MB planned"
    rows = [
        ("held-out loss", f"{manifest.loss_before:.4f} before, {manifest.loss_after:.4f} after"),
        ("steps", f"{manifest.steps:,} in {manifest.train_seconds:,.0f} s"),
        ("speed", f"{manifest.tokens_per_second:,.0f} tokens/s"),
        ("memory", f"{planned}, {manifest.peak_memory_mb:,.0f} MB measured"),
        ("student", code(manifest.student)),
        ("dataset", code(manifest.dataset)),
    ]
    curves = outcome.model / CURVES_FILE
    picture = ""
    if curves.is_file():
        encoded = base64.b64encode(curves.read_bytes()).decode("ascii")
        picture = f"![Loss, learning rate and gradient norm](data:image/png;base64,{encoded})"
    title = f"{reference}: held-out loss {manifest.loss_before:.3f} to {manifest.loss_after:.3f}"
    parts = [
        f"# {title}",
        table(("", manifest.method), rows),
        picture,
        *_compare_answers(outcome),
        f"Model version: `{outcome.model}`",
    ]
    engine.show(
        Artifact(
            key=make_key("training", manifest.name),
            title=title,
            markdown="\n\n".join(filter(None, parts)),
        )
    )


def _compare_answers(outcome: FinetuneOutcome) -> list[str]:
    """Show the fact that is asked in each language, before and after."""
    answers = list(read_jsonl(outcome.model / SAMPLES_FILE, SampleAnswer))
    shown: list[str] = []
    for language in LANGUAGES:
        # The last question of a round is about a fact, and its answer short.
        rounds = {answer.step: answer for answer in answers if answer.language == language}
        if rounds:
            before, after = rounds[min(rounds)], rounds[max(rounds)]
            text = f"[before]\n{_show_answer(before)}\n\n[after]\n{_show_answer(after)}"
            shown.append(f"{plain(before.instruction)}\n\n{fence(text)}")
    return shown


def _show_answer(answer: SampleAnswer) -> str:
    if answer.ended:
        return answer.answer or "(ends at once)"
    return f"{answer.answer} … (does not end)"


def make_key(kind: str, name: str) -> str:
    """Make the key under which the UI keeps the history of one kind of artifact of one name."""
    return f"{kind}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-') or 'unnamed'}"
