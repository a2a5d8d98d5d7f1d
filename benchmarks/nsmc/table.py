"""Print the findings as plain tables."""

from benchmarks.nsmc.findings import CellFinding, Findings
from benchmarks.nsmc.task import SEEN, UNSEEN

_SEEN = {wording.name for wording in SEEN}
FOUR = tuple(wording.name for wording in SEEN + UNSEEN)
"""The four wordings, the two that are trained first."""


def print_findings(findings: Findings) -> None:
    """Print all tables."""
    for lines in (
        _sets(findings),
        _zero_shot(findings),
        _base(findings),
        _gains(findings),
        _others(findings),
        _writing(findings),
    ):
        print("\n".join(lines), end="\n\n")


def zero_shot(findings: Findings, model: str) -> dict[str, CellFinding]:
    """Return a model's zero-shot cells by wording."""
    return {
        cell.wording: cell for cell in findings.cells if cell.model == model and cell.shots == 0
    }


def _sets(findings: Findings) -> list[str]:
    lines = ["Training sets"]
    for one in findings.sets:
        kinds = ", ".join(f"{kind} {count}" for kind, count in one.kinds.items())
        lines.append(f"  {one.name}: {kinds}; rejected: {one.rejected or 'none'}")
    for one in findings.students:
        lines.append(
            f"  {one.name}: {one.method}, {one.rows} rows, {one.steps} steps at "
            f"{one.learning_rate:g}, {one.train_minutes:.1f} min, held-out loss "
            f"{one.loss_before:.2f} -> {one.loss_after:.2f}"
        )
    return lines


def _zero_shot(findings: Findings) -> list[str]:
    lines = [
        f"Zero-shot on {findings.items} reviews: accuracy [95 %], AUC, share called positive",
        f"  {'':15}" + "".join(f"{_mark(name):^34}" for name in FOUR) + "spread",
    ]
    for model, spread in findings.spread.items():
        cells = zero_shot(findings, model)
        row = "".join(
            f"{c.accuracy:.3f} [{c.low:.3f}, {c.high:.3f}] {c.auc:.3f} {c.positive:.2f}    "
            for c in (cells[name] for name in FOUR)
        )
        lines.append(f"  {model:15}{row}{spread:.3f}")
    lines.append(
        f"  naive Bayes on the same reviews: {findings.naive_bayes:.3f} "
        f"[{findings.naive_bayes_low:.3f}, {findings.naive_bayes_high:.3f}], "
        f"AUC {findings.naive_bayes_auc:.3f}"
    )
    return lines


def _mark(name: str) -> str:
    return f"{name} ({'mixture' if name in _SEEN else 'unseen'})"


def _base(findings: Findings) -> list[str]:
    lines = ["The base, all wordings and draws: accuracy (AUC; calibrated)"]
    for cell in findings.cells:
        if cell.model == "base":
            lines.append(
                f"  {cell.wording:12} {cell.shots} shots, draw {cell.draw + 1}: "
                f"{cell.accuracy:.3f} ({cell.auc:.3f}; {cell.calibrated:.3f})"
            )
    return lines


def _gains(findings: Findings) -> list[str]:
    lines = ["Zero-shot of a student minus the base's best, in points [95 %]"]
    for gain in findings.gains:
        lines.append(
            f"  {gain.model:15} {_mark(gain.wording):16} {100 * gain.difference:+6.1f} "
            f"[{100 * gain.low:+.1f}, {100 * gain.high:+.1f}] p = {gain.p_value:.1g}  "
            f"against {gain.against}"
        )
    return lines


def _others(findings: Findings) -> list[str]:
    lines = ["Other tasks, zero-shot: accuracy, difference from the base in points [95 %]"]
    for one in (*findings.others, *findings.others_together):
        lines.append(
            f"  {one.model:15} {one.task:14} {one.accuracy:.3f} {100 * one.difference:+6.1f} "
            f"[{100 * one.low:+.1f}, {100 * one.high:+.1f}] ({one.items} items)"
        )
    lines.append("Bits per byte of answers by people")
    lines += [
        f"  {one.model:15} {one.language} {one.bits_per_byte:.3f} {one.difference:+.3f} "
        f"[{one.low:+.3f}, {one.high:+.3f}] ({one.records} records)"
        for one in findings.texts
    ]
    return lines


def _writing(findings: Findings) -> list[str]:
    lines = ["Written answers: ended, exactly a label, right"]
    lines += [
        f"  {one.model:15} {one.wording:7} {one.ended:.2f} {one.is_label:.2f} {one.accuracy:.2f}"
        for one in findings.writing
    ]
    return lines
