"""Show evaluations: what the gate said and why, and the matrix with its intervals."""

from collections.abc import Sequence

from pipeline.publishing.index_page.contents import EvaluationEntry
from pipeline.publishing.index_page.markup import Html, join, make_anchor, tag
from pipeline.publishing.index_page.speaking import Speaker, show_links, show_time
from pipeline.publishing.index_page.tables import show_verdict
from schemas.evaluation import MatrixRow

Column = tuple[str, int]
"""Task and number of worked examples."""


def show_evaluations(speaker: Speaker, evaluations: Sequence[EvaluationEntry]) -> Html:
    """Show evaluations newest first, of which the newest is open."""
    if not evaluations:
        return Html("")
    count = tag("span", {"class": "number"}, f"{len(evaluations):,}")
    return join(
        [
            tag("h3", None, speaker.say("evaluations"), count),
            *(_show(speaker, one, is_open=place == 0) for place, one in enumerate(evaluations)),
        ]
    )


def _show(speaker: Speaker, evaluation: EvaluationEntry, *, is_open: bool) -> Html:
    reasons = [tag("li", {"lang": "en"}, reason) for reason in evaluation.reasons]
    return tag(
        "details",
        {
            "class": "evaluation entry",
            "id": make_anchor("evaluation", evaluation.id),
            "open": is_open,
            "data-search": f"{evaluation.subject} {evaluation.id}".lower(),
        },
        tag(
            "summary",
            None,
            tag("span", {"class": "code"}, evaluation.subject),
            show_verdict(speaker, evaluation.verdict),
            tag("span", {"class": "note"}, show_time(evaluation.changed)),
        ),
        tag("ul", {"class": "reasons"}, *reasons) if reasons else "",
        # Above the matrix: the page beside it shows far more than fits here.
        tag("p", {"class": "pages"}, show_links(speaker, evaluation.links)),
        _show_matrix(speaker, evaluation.matrix),
    )


def _show_matrix(speaker: Speaker, matrix: Sequence[MatrixRow]) -> Html:
    columns = list(dict.fromkeys((row.task, row.shots) for row in matrix))
    models = list(dict.fromkeys(row.model for row in matrix))
    cells = {(row.model, row.task, row.shots): row for row in matrix}
    heads = [
        tag("th", {"scope": "col"}, shots, speaker.say("shots"))
        for shots in (str(column[1]) for column in columns)
    ]
    rows = [
        tag(
            "tr",
            None,
            tag("th", {"scope": "row", "class": "code"}, model),
            *(_show_cell(cells.get((model, *column))) for column in columns),
        )
        for model in models
    ]
    table = tag(
        "table",
        {"class": "matrix"},
        tag(
            "thead",
            None,
            tag("tr", None, tag("td"), *_show_tasks(speaker, columns, matrix)),
            tag("tr", None, tag("td"), *heads),
        ),
        tag("tbody", None, *rows),
    )
    return join(
        [
            tag("div", {"class": "scroll-x", "tabindex": "0", "role": "region",
                        "data-label": "evaluations"}, table),
            tag("p", {"class": "note"}, speaker.say("accuracy")),
        ]
    )  # fmt: skip


def _show_tasks(
    speaker: Speaker, columns: Sequence[Column], matrix: Sequence[MatrixRow]
) -> list[Html]:
    """Head the columns of one task together; neighbours only, as the matrix has them in order."""
    counts = {row.task: row.item_count for row in matrix}
    spans: list[tuple[str, int]] = []
    for task, _ in columns:
        if spans and spans[-1][0] == task:
            spans[-1] = (task, spans[-1][1] + 1)
        else:
            spans.append((task, 1))
    return [
        tag(
            "th",
            {"scope": "colgroup", "colspan": str(span)},
            task,
            tag("span", {"class": "number"}, f"{counts[task]:,}", speaker.say("items")),
        )
        for task, span in spans
    ]


def _show_cell(row: MatrixRow | None) -> Html:
    if row is None:
        return tag("td", None, "–")
    low, high, middle = (f"{100 * value:.1f}" for value in (row.low, row.high, row.accuracy))
    return tag(
        "td",
        None,
        tag("b", None, f"{100 * row.accuracy:.0f}"),
        tag("span", {"class": "note"}, f" {100 * row.low:.0f}–{100 * row.high:.0f}"),
        tag(
            "svg",
            {"class": "interval", "viewBox": "0 0 100 8", "preserveAspectRatio": "none",
             "aria-hidden": "true"},
            tag("line", {"class": "axis", "x1": "0", "x2": "100", "y1": "4", "y2": "4"}),
            tag("line", {"class": "span", "x1": low, "x2": high, "y1": "4", "y2": "4"}),
            tag("line", {"class": "point", "x1": middle, "x2": middle, "y1": "0", "y2": "8"}),
        ),
    )  # fmt: skip
