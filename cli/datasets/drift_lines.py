"""One line for the terminal about a figure that moved."""

from pipeline.publishing.statistics.drift import Shift

_LANGUAGES = {"en": "English", "ko": "Korean"}


def tell_shift(shift: Shift) -> str:
    """Say what moved, from what to what."""
    whose = _LANGUAGES[shift.language] if shift.language else "all"
    match shift.subject:
        case "length":
            return (
                f"{whose}: the median {shift.name} {shift.movement} from {shift.before:,.0f} to "
                f"{shift.after:,.0f} characters"
            )
        case "repetition":
            verdict = "less varied" if shift.movement == "rose" else "more varied"
            return (
                f"{whose}: {verdict}; two records ask for the same in {shift.before:.2%} of pairs "
                f"before, {shift.after:.2%} now"
            )
        case "similarity":
            return (
                f"{whose}: the median similarity to the nearest task {shift.movement} from "
                f"{shift.before:.2f} to {shift.after:.2f}"
            )
        case _:
            return f"{_name_share(shift, whose)}: {_tell_share(shift)}"


def _name_share(shift: Shift, whose: str) -> str:
    if shift.subject == "language":
        return f"records in {_LANGUAGES.get(shift.name, shift.name)}"
    return f"{whose}: {shift.subject.replace('-', ' ')} {shift.name}"


def _tell_share(shift: Shift) -> str:
    if shift.movement == "gone":
        return f"gone, {shift.before:.1%} before"
    if shift.movement == "new":
        return f"new, {shift.after:.1%}"
    return f"{shift.movement} from {shift.before:.1%} to {shift.after:.1%}"
