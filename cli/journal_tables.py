"""A journal for people, on standard error: its numbers as tables, one exchange as a text."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from cli.terminal_text import make_visible
from pipeline.generation.journal.rows import StoredExchange
from pipeline.generation.journal.statistics import JournalStatistics, Tally

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def print_statistics(statistics: JournalStatistics) -> None:
    """Print totals, then a table of answers and tokens, then how answers ended."""
    console = _console()
    console.print(_summarize(statistics))
    table = Table(title="Answers", title_justify="left", title_style="bold")
    table.add_column("")
    for heading in ("answers", "requests", "prompt tokens", "completion tokens"):
        table.add_column(heading, justify="right")
    parts = {
        "model": statistics.by_model,
        "strategy": statistics.by_strategy,
        "language": statistics.by_language,
    }
    for part, tallies in parts.items():
        for name, tally in tallies.items():
            _add_tally(table, f"{part} {name}", tally)
        table.add_section()
    _add_tally(table, "all", statistics.total)
    console.print(table)
    _print_counts(console, "finish reasons", statistics.finish_reasons)
    _print_counts(console, "requests an answer", statistics.attempts)


def print_exchange(stored: StoredExchange) -> None:
    """Print the messages of a prompt in their order, then the answer."""
    (prompt, completion), arrived_s = stored
    console = _console()
    facts = _facts(f"Answer {completion.id}")
    facts.add_row("model", Text(make_visible(completion.model)))
    facts.add_row("arrived", f"{_EPOCH + timedelta(seconds=arrived_s):%Y-%m-%d %H:%M:%S} UTC")
    facts.add_row("strategy", Text(make_visible(f"{prompt.strategy}, {prompt.language}")))
    facts.add_row("decoding", Text(make_visible(prompt.decoding.model_dump_json())))
    facts.add_row("ended", Text(make_visible(completion.finish_reason)))
    usage = completion.usage
    facts.add_row("tokens", f"{usage.prompt_tokens:,} + {usage.completion_tokens:,}")
    facts.add_row("took", f"{completion.latency_s:.2f} s, requests: {completion.attempts}")
    console.print(facts)
    for message in prompt.messages:
        _print_text(console, message.role, message.content)
    if prompt.raw:
        _print_text(console, "raw prompt", prompt.raw)
    _print_text(console, "answer", completion.text)


def _console() -> Console:
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def _facts(title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    return table


def _summarize(statistics: JournalStatistics) -> Table:
    facts = _facts("Journal")
    facts.add_row("file", Text(make_visible(str(statistics.journal))))
    facts.add_row("size", f"{statistics.bytes / 1e6:,.1f} MB")
    if statistics.latency_p50_s is not None and statistics.latency_p95_s is not None:
        facts.add_row("first answer", statistics.first_arrival)
        facts.add_row("last answer", statistics.last_arrival)
        facts.add_row(
            "latency", f"p50 {statistics.latency_p50_s:.2f} s, p95 {statistics.latency_p95_s:.2f} s"
        )
    if statistics.spent_usd:
        facts.add_row("cost", f"${statistics.spent_usd:,.2f}, runs: {statistics.runs}")
    if statistics.pending_batches:
        facts.add_row("batches under way", str(statistics.pending_batches))
    return facts


def _add_tally(table: Table, name: str, tally: Tally) -> None:
    counts = (tally.answers, tally.requests, tally.prompt_tokens, tally.completion_tokens)
    table.add_row(Text(make_visible(name)), *(f"{count:,}" for count in counts))


def _print_counts(
    console: Console, title: str, counts: Mapping[str, int] | Mapping[int, int]
) -> None:
    parts = ", ".join(f"{name}: {count:,}" for name, count in counts.items())
    console.print(Text(make_visible(f"{title}  {parts or 'none'}")), soft_wrap=True)


def _print_text(console: Console, title: str, text: str) -> None:
    console.print(Rule(Text(title), align="left", style="dim"))
    console.print(Text(make_visible(text)), soft_wrap=True)
