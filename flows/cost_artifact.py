"""What people see of a run's cost in Prefect's UI: what it was foretold, and what it took."""

from typing import NamedTuple

from flows.artifacts import make_key
from flows.engine import Artifact, Engine
from flows.parameters import GenerateParams
from pipeline.generation.budget.caps import Caps, Spending
from pipeline.generation.budget.forecast import (
    Forecast,
    Measure,
    Totals,
    list_measures,
    show_range,
)
from pipeline.generation.reports import GenerationResult, StopReason
from schemas.markdown import code, plain, table


class Cost(NamedTuple):
    """What one generation run was foretold, took, and might have taken."""

    teacher: str
    forecast: Forecast | None
    totals: Totals
    """Of the answers behind its drafts, those of earlier starts included."""
    spent: Spending
    """What may have been billed: also what was asked and not used."""
    caps: Caps
    stopped_because: StopReason

    @property
    def is_whole(self) -> bool:
        """Whether the run went to the end that its forecast is about."""
        return self.stopped_because == "quotas-filled"


def sum_up(params: GenerateParams, teacher: str, result: GenerationResult, spent: Spending) -> Cost:
    """Collect what a run cost from what it was asked and what it made."""
    return Cost(
        teacher=teacher,
        forecast=result.forecast,
        totals=result.totals,
        spent=spent,
        caps=Caps(params.max_requests, params.max_tokens, params.max_usd, params.max_minutes),
        stopped_because=result.stopped_because,
    )


def show_cost(engine: Engine, name: str, cost: Cost) -> None:
    """Show forecast and actual cost side by side; the key holds the name, so there is a history."""
    title = f"Cost of {name}: {_show_total(cost)}"
    parts = [
        f"# {title}",
        f"Teacher {code(cost.teacher)}. Ended because: {plain(cost.stopped_because)}.",
        _show_measures(cost),
        _explain(cost),
        _show_spent(cost),
    ]
    engine.show(
        Artifact(key=make_key("cost", name), title=title, markdown="\n\n".join(filter(None, parts)))
    )


def _show_total(cost: Cost) -> str:
    usd = cost.totals.usd
    tokens = f"{cost.totals.tokens:,} tokens"
    return tokens if usd is None else f"${usd:,.{2 if usd >= 1 else 4}f} for {tokens}"


def _show_measures(cost: Cost) -> str:
    rows = [
        (
            one.name,
            _show_number(one.found, one.digits),
            "–" if one.foretold is None else show_range(one.foretold, one.digits),
            _show_difference(one, is_whole=cost.is_whole),
        )
        for one in list_measures(cost.forecast, cost.totals)
    ]
    header = ("", "actual", "forecast (95 % interval)", "actual against forecast")
    return table(header, rows, right=3)


def _show_number(found: float | None, digits: int) -> str:
    return "not known" if found is None else f"{found:,.{digits}f}"


def _show_difference(one: Measure, *, is_whole: bool) -> str:
    """Say how far off the forecast was, and mark what its interval did not hold."""
    if one.foretold is None or one.found is None or not round(one.foretold.expected, one.digits):
        return "–"
    # The interval is shown rounded, and so is what is held against it.
    low, found, high = (
        round(value, one.digits) for value in (one.foretold.low, one.found, one.foretold.high)
    )
    mark = "" if low <= found <= high or not is_whole else " ⚠ outside"
    return f"{one.found / one.foretold.expected - 1:+.0%}{mark}"


def _explain(cost: Cost) -> str:
    if cost.forecast is None:
        return "There was no forecast: the run ended with its pilot, or nothing was kept in it."
    forecast = (
        f"The forecast was made after {cost.forecast.pilot_conversations:,} conversations. Actual "
        "counts the answers behind the drafts, restarts included."
    )
    if cost.is_whole:
        return forecast
    return f"{forecast} It is about filling all quotas, and the run ended before."


def _show_spent(cost: Cost) -> str:
    spent, caps = cost.spent, cost.caps
    tokens = spent.prompt_tokens + spent.completion_tokens
    usd = None if cost.totals.usd is None else spent.usd
    rows = [
        ("requests", f"{spent.requests:,}", _show_cap(caps.max_requests, 0)),
        ("tokens", f"{tokens:,}", _show_cap(caps.max_tokens, 0)),
        ("US dollars", _show_number(usd, 4), _show_cap(caps.max_usd, 2)),
        ("minutes", f"{spent.seconds / 60:,.1f}", _show_cap(caps.max_minutes, 1)),
    ]
    return "\n\n".join(
        (
            "## At most billed, and the caps",
            table(("", "at most", "cap"), rows, right=2),
            "What was asked and not used counts too, with its worst case where the endpoint gave "
            "no count.",
        )
    )


def _show_cap(cap: float | None, digits: int) -> str:
    return "none" if cap is None else f"{cap:,.{digits}f}"
