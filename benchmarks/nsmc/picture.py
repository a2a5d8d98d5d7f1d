"""The study as one picture: accuracy by wording, beside the base's best and naive Bayes."""

from pathlib import Path

from benchmarks.nsmc.findings import Findings
from benchmarks.nsmc.table import FOUR, zero_shot
from benchmarks.nsmc.task import SEEN

_COLOURS = ("#8a8f98", "#1f77b4", "#17a2a2", "#2ca02c", "#d68910", "#9467bd")
_WIDTH_PX, _HEIGHT_PX, _DPI = 1400, 640, 100


def draw(findings: Findings, path: Path) -> None:
    """Draw bars with 95 % intervals, a group a wording, a bar a model."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_PX / _DPI, _HEIGHT_PX / _DPI), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    models = list(findings.spread)
    width = 0.84 / len(models)
    for place, (model, colour) in enumerate(zip(models, _COLOURS, strict=False)):
        cells = zero_shot(findings, model)
        heights = [cells[name].accuracy for name in FOUR]
        errors = [
            [cells[name].accuracy - cells[name].low for name in FOUR],
            [cells[name].high - cells[name].accuracy for name in FOUR],
        ]
        at = [group + (place - (len(models) - 1) / 2) * width for group in range(len(FOUR))]
        axes.bar(at, heights, width * 0.92, yerr=errors, color=colour, capsize=2, label=model)
    best = max(cell.accuracy for cell in zero_shot(findings, "base").values())
    axes.axhline(
        best,
        color="#444",
        linestyle="--",
        linewidth=1.2,
        label=f"base, best zero-shot wording: {best:.3f}",
    )
    axes.axhline(
        findings.naive_bayes,
        color="#b03a2e",
        linestyle=":",
        linewidth=1.8,
        label=f"naive Bayes, no prompt: {findings.naive_bayes:.3f}",
    )
    seen = {wording.name for wording in SEEN}
    axes.set_xticks(
        range(len(FOUR)),
        [f"{name}\n({'in the mixture' if name in seen else 'unseen by all'})" for name in FOUR],
    )
    axes.set_ylim(0.4, 1.0)
    axes.set_ylabel("accuracy, zero-shot")
    axes.set_title(f"Gemma 3 270M on {findings.items} NSMC reviews, by wording of the question")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(ncols=len(models) + 2, loc="upper center", frameon=False, fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
