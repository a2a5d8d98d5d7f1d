"""``why``: what became of a record, in a few lines for people and one JSON line for programs."""

import json
from collections.abc import Sequence

from rich.columns import Columns
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.arguments import Parser, TeachingFormatter
from cli.terminal_text import escape_json, make_visible
from flows.explanation import Collision, Explanation, Passage, explain
from flows.explanation import Text as RecordText
from flows.settings import read_settings
from schemas.judgements import CRITERIA
from schemas.review import ReviewVerdict

_MARKS: dict[Passage, str] = {
    "passed": "✓",
    "dropped": "✗",
    "overruled": "↺",
    "not asked": "·",
    "switched off": "–",
}
_VERBS: dict[ReviewVerdict, str] = {
    "accept": "accepted it",
    "reject": "rejected it",
    "edit": "edited it",
    "withdraw": "withdrew a decision",
}
_LONGEST_SHOWN = 600


def run_why(arguments: Sequence[str]) -> int:
    """Explain one record; the last line on standard output is a JSON object."""
    given = build_why_parser().parse_args(list(arguments))
    explanation = explain(given.record, given.dataset, read_settings())
    _print(explanation)
    print(escape_json(_to_json(explanation)))
    return 0


def build_why_parser() -> Parser:
    """Build the parser, also for completion."""
    parser = Parser(
        prog="pacaloom why",
        description="Explain what became of a record or rejected draft: where it came from, what\n"
        "each stage of curation decided, and what it collided with, side by side.",
        epilog="examples:\n"
        "  pacaloom why 3f9c21aa --dataset first\n"
        "  pacaloom why 'three fruits' --dataset outputs/datasets/first/0001-0123456789ab\n"
        "  pacaloom why '과일 세 가지' --dataset first",
        formatter_class=TeachingFormatter,
    )
    parser.add_argument(
        "record",
        metavar="ID_OR_TEXT",
        help="id of a record or rejected draft, the start of one, or words of its instruction",
    )
    parser.add_argument(
        "--dataset",
        required=True,
        metavar="NAME",
        help="NAME, NAME/VERSION or a version's folder",
    )
    return parser


def _print(explanation: Explanation) -> None:
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    rejection = explanation.rejection
    verdict = f"{explanation.text.id} is kept"
    if explanation.readers.overruled is not None:
        verdict = f"{explanation.text.id} was brought back by a reader"
    if rejection is not None:
        verdict = f"{explanation.text.id} was dropped by {rejection.stage}: {rejection.reason}"
    console.print(f"{verdict} ({explanation.dataset.parent.name}/{explanation.dataset.name})")
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    if rejection is not None:
        facts.add_row("because", _shown(rejection.detail))
        if rejection.also:
            facts.add_row("also breaks", ", ".join(rejection.also))
    # Columns: a line that is broken anywhere would part a mark from its stage.
    stages = [f"{_MARKS[how]} {stage}" for stage, how in explanation.stages.items()]
    facts.add_row("stages", Columns(stages, padding=(0, 2)))
    met = set(explanation.stages.values())
    facts.add_row("", "  ".join(f"{mark} {how}" for how, mark in _MARKS.items() if how in met))
    for name, text in (
        *_describe_readers(explanation),
        *_describe_assessment(explanation),
        *_describe_origin(explanation),
    ):
        facts.add_row(name, _shown(text))
    console.print(facts)
    console.print(_side_by_side(explanation.text, explanation.collisions))


def _describe_readers(explanation: Explanation) -> list[tuple[str, str]]:
    """Say who decided what; stages before the review never saw what a reader wrote."""
    rows: list[tuple[str, str]] = []
    overruled = explanation.readers.overruled
    if overruled is not None:
        what = f"{overruled.stage} had dropped it: {overruled.reason}, {overruled.detail}"
        rows.append(("brought back", what))
    for decision in explanation.readers.decisions:
        said = f"{decision.author} {_VERBS[decision.verdict]}, reading {decision.dataset}"
        rows.append(("reader", f"{said}: {decision.note}" if decision.note else said))
    if explanation.provenance.edited:
        rows.append(("edited", "the other stages saw the text before a reader rewrote it"))
    return rows


def _describe_assessment(explanation: Explanation) -> list[tuple[str, str]]:
    judgement, difficulty = explanation.assessment
    rows: list[tuple[str, str]] = []
    if judgement is not None:
        rows.append(("judge's score", f"{judgement.score:.2f} of 5"))
        for name, grade in zip(CRITERIA, judgement, strict=True):
            rows.append((name, f"{grade.score} {grade.reason}"))
    if difficulty is not None:
        rows.append(("difficulty", f"{difficulty:.2f}"))
    return rows


def _describe_origin(explanation: Explanation) -> list[tuple[str, str]]:
    origin = explanation.provenance
    if origin.strategy == "import":
        return [
            ("read from", f"line {origin.completion_id.rpartition(':')[2]} of {origin.teacher}")
        ]
    place = f"place {origin.position + 1} in answer {origin.completion_id}"
    rows = [("written by", f"{origin.teacher} ({origin.strategy}), {place}")]
    known = {seed.id: seed.instruction for seed in explanation.seeds}
    for seed_id in origin.seed_ids:
        rows.append(("seed task", f"{seed_id}: {known.get(seed_id, 'its file is not here')}"))
    if origin.derived_from:
        rows.append(("made from", origin.derived_from))
    if explanation.exchange is not None:
        prompt = explanation.exchange.prompt
        last = prompt.messages[-1].content if prompt.messages else prompt.raw or ""
        rows.append(("prompt ends", "… " + " ".join(last.split())[-160:]))
        name = explanation.dataset.parent.name
        rows.append(("whole answer", f"./pacaloom journal show {name} {origin.completion_id}"))
    return rows


def _side_by_side(own: RecordText, collisions: Sequence[Collision]) -> Table:
    table = Table(show_lines=True)
    table.add_column("")
    table.add_column("this one", overflow="fold", ratio=1)
    for collision in collisions:
        heading = collision.what
        if collision.text is not None:
            heading = f"{collision.text.id}, {collision.what}"
        table.add_column(Text(make_visible(heading)), overflow="fold", ratio=1)
    for part in ("instruction", "input", "output"):
        texts = [own, *(collision.text for collision in collisions)]
        if any(text is not None and getattr(text, part) for text in texts):
            table.add_row(part, *(_shown(getattr(text, part) if text else "") for text in texts))
    return table


def _shown(text: str) -> Text:
    clipped = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + " […]"
    return Text(make_visible(clipped))


def _to_json(explanation: Explanation) -> str:
    rejection = explanation.rejection
    judgement, difficulty = explanation.assessment
    overruled = explanation.readers.overruled
    return json.dumps(
        {
            "id": explanation.text.id,
            "dataset": str(explanation.dataset),
            "kept": rejection is None,
            "stage": rejection.stage if rejection else None,
            "reason": rejection.reason if rejection else None,
            "detail": rejection.detail if rejection else None,
            "score": rejection.score if rejection else None,
            "also": list(rejection.also) if rejection else [],
            "collides_with": rejection.collides_with if rejection else None,
            "stages": explanation.stages,
            "edited": explanation.provenance.edited,
            "overruled": overruled.reason if overruled else None,
            "decisions": [one.model_dump(mode="json") for one in explanation.readers.decisions],
            "seed_ids": list(explanation.provenance.seed_ids),
            "completion_id": explanation.provenance.completion_id,
            "scores": {name: grade.score for name, grade in judgement._asdict().items()}
            if judgement
            else None,
            "difficulty": difficulty,
        },
        ensure_ascii=False,
    )
