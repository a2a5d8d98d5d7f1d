"""Lay out prompts, answers and seed tasks for the records' stories.

A page holds at most ``MOST_STORIES`` exchanges: of more it takes those whose ids come first by
hash, so that the sample stays the same as far as it can when a dataset grows. Prompts repeat their
instructions and examples: a line that several prompts have is stored once. Cost: linear in the
text of the exchanges that are held.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.publishing.edition import Edition, FindExchange
from pipeline.publishing.report.rows import MOST_CHARACTERS, Row
from schemas.exchange import Exchange
from schemas.records import SeedTask

MOST_STORIES = 6_000
_MOST_STORY_CHARACTERS = 40_000_000
_BLOCK_CHARACTERS = 300_000
_SHORTEST_SHARED_LINE = 16

Lines = list[str | int]
"""A text: pieces of it, or places in the shared lines."""


class Stories(NamedTuple):
    """The exchanges that a page holds."""

    exchanges: Sequence[Exchange]
    """Sorted by id."""
    looked_for: int
    """Different answers behind the records."""
    missing: int
    """Those of them that no journal here holds, as far as they were looked for."""


def collect_stories(
    rows: Sequence[Row], find_exchange: FindExchange, most: int = MOST_STORIES
) -> Stories:
    """Find the exchanges behind the records, or a fixed sample of them."""
    ids = _all_completions(rows)
    held: list[Exchange] = []
    missing = 0
    characters = 0
    for id_ in sorted(ids, key=_draw):
        if len(held) == most or characters > _MOST_STORY_CHARACTERS:
            break
        exchange = find_exchange(id_)
        if exchange is None:
            missing += 1
            continue
        held.append(exchange)
        characters += len(exchange.completion.text) + sum(map(len, _prompt_texts(exchange)))
    return Stories(sorted(held, key=lambda one: one.completion.id), len(ids), missing)


def share_lines(exchanges: Iterable[Exchange]) -> dict[str, int]:
    """Number the lines that prompts have in common."""
    counts: Counter[str] = Counter(
        line
        for exchange in exchanges
        for text in _prompt_texts(exchange)
        for line in text.split("\n")
        if len(line) >= _SHORTEST_SHARED_LINE
    )
    shared = (line for line, count in counts.items() if count > 1)
    return {line: place for place, line in enumerate(shared)}


def lay_out_stories(
    exchanges: Iterable[Exchange], shared: dict[str, int]
) -> Iterator[list[dict[str, object]]]:
    """Yield blocks of exchanges in order."""
    block: list[dict[str, object]] = []
    characters = 0
    for exchange in exchanges:
        block.append(_lay_out_story(exchange, shared))
        characters += len(exchange.completion.text)
        if characters >= _BLOCK_CHARACTERS:
            yield block
            block, characters = [], 0
    if block:
        yield block


def collect_seeds(rows: Sequence[Row], edition: Edition) -> list[dict[str, object]]:
    """Lay out the seed tasks that some record descends from or resembles."""
    wanted: set[str] = set()
    for row in rows:
        wanted |= {*row.task.provenance.seed_ids, row.task.provenance.derived_from}
        wanted |= {row.nearest.id} if row.nearest else set()
        wanted |= {row.rejection.collides_with or ""} if row.rejection else set()
    return [_lay_out_seed(edition.seeds[id_]) for id_ in sorted(wanted & edition.seeds.keys())]


def _all_completions(rows: Sequence[Row]) -> set[str]:
    ids: set[str] = set()
    for row in rows:
        origin = row.task.provenance
        if origin.strategy != "import":
            ids |= {origin.completion_id, *origin.earlier_completion_ids}
    return ids


def _draw(id_: str) -> str:
    return hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()


def _prompt_texts(exchange: Exchange) -> list[str]:
    return [exchange.prompt.raw, *(message.content for message in exchange.prompt.messages)]


def _lay_out_story(exchange: Exchange, shared: dict[str, int]) -> dict[str, object]:
    # Neither latency nor attempts: they differ between machines that get the same answers.
    prompt, completion = exchange
    return {
        "id": completion.id,
        "model": completion.model,
        "finish": completion.finish_reason,
        "tokens": [completion.usage.prompt_tokens, completion.usage.completion_tokens],
        "temperature": prompt.decoding.temperature,
        "messages": [[one.role, _split(one.content, shared)] for one in prompt.messages],
        "raw": _split(prompt.raw, shared) if prompt.raw else None,
        "text": completion.text[:MOST_CHARACTERS],
        "length": len(completion.text),
    }


def _split(text: str, shared: dict[str, int]) -> Lines:
    """Replace shared lines by their places; the others stay together."""
    pieces: Lines = []
    own: list[str] = []
    for line in text.split("\n"):
        place = shared.get(line)
        if place is None:
            own.append(line)
            continue
        if own:
            pieces.append("\n".join(own))
            own = []
        pieces.append(place)
    if own:
        pieces.append("\n".join(own))
    return pieces


def _lay_out_seed(seed: SeedTask) -> dict[str, object]:
    return {
        "id": seed.id,
        "language": seed.language,
        "task": seed.task_type,
        "instruction": seed.instruction,
        "input": seed.input,
        "output": seed.output,
        "source": seed.source,
    }
