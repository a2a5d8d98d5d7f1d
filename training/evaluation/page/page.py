"""Write the page on which people see what an evaluation found: one file that opens from disk.

Everything that a model or a user wrote travels as data, the answers deflated and in base64, and is
shown by scripts that only ever set text; a content security policy with the hashes of the page's
own script and style forbids all else, requests above all. Answers follow the visible page, a block
a task, so that the matrix is painted before they are read. Cost: linear in the answers; the file
grows by about 10 bytes an answer, and by each text once.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from schemas.evaluation import EvaluationReport
from schemas.records import Language
from schemas.storage import atomic_path
from training.evaluation.page.answers import Block, collect_blocks, read_items
from training.evaluation.page.encoding import pack, to_inline_json
from training.evaluation.page.names import shorten_names
from training.evaluation.page.trend import Cycle, describe_trend
from training.evaluation.statistics.clusters import pair_of
from training.evaluation.statistics.planning import smallest_detectable_difference

PAGE_FILE = "report.html"

_LEVEL = 0.05
"""Two-sided, as of the intervals beside it."""
_HERE = Path(__file__).parent
_SCRIPTS = (
    "dom.js",
    "verdict.js",
    "matrix.js",
    "strips.js",
    "forest.js",
    "wordings.js",
    "tables.js",
    "cycles.js",
    "loading.js",
    "answers.js",
    "page.js",
)


def write_page(
    folder: Path,
    report: EvaluationReport,
    items: Path,
    cycles: Sequence[Cycle] = (),
    language: Language | None = None,
) -> Path:
    """Write ``report.html`` into a folder, whole or not at all; same input, same bytes.

    Args:
        folder: The evaluation's.
        report: What was found.
        items: ``items.parquet``, all answers.
        cycles: Versions of the challenger's name, oldest first; none leaves that part out.
        language: In which the page opens, English or Korean; readers can switch. None takes that
            of most cells of the matrix.

    Returns:
        The page.

    Raises:
        ItemsError: ``items`` is no file of answers.
        StorageError: The page cannot be written.
    """
    blocks = collect_blocks(read_items(items))
    target = folder / PAGE_FILE
    with atomic_path(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as f:
        f.writelines(render_page(report, blocks, cycles, language or _choose_language(report)))
    return target


def render_page(
    report: EvaluationReport, blocks: Sequence[Block], cycles: Sequence[Cycle], language: Language
) -> Iterator[str]:
    """Yield the page piece by piece."""
    names = shorten_names(report.models)
    overview = {
        "report": report.model_dump(
            # A dictionary's keys become properties; models are named by others, so they are listed.
            mode="json",
            exclude={"models": True, "comparisons": {"__all__": {"pairs"}}},
        ),
        "models": [facts.model_dump(mode="json") for facts in report.models.values()],
        "names": list(names.values()),
        "detectable": [
            smallest_detectable_difference(pair_of(one), _LEVEL) for one in report.comparisons
        ],
        "blocks": [
            {"task": block.task, "chance": block.chance, "rows": block.row_count}
            for block in blocks
        ],
        "trend": _dump_trend(cycles) if cycles else None,
        "language": language,
    }
    yield _render_frame(
        f"{names[report.challenger]} – {names[report.baseline]}", language, overview
    )
    for number, block in enumerate(blocks):
        packed = pack(block.to_json())
        yield f'<script type="application/octet-stream" id="block-{number}">{packed}</script>\n'
    yield "</body>\n</html>\n"


def _dump_trend(cycles: Sequence[Cycle]) -> dict[str, object]:
    trend = describe_trend(cycles)
    return {**trend._asdict(), "gains": [gain._asdict() for gain in trend.gains]}


def _render_frame(title: str, language: Language, overview: object) -> str:
    """Render all that is visible; the answers follow it."""
    style = _read("page.css")
    script = '(() => {\n"use strict";\n' + "\n".join(map(_read, _SCRIPTS)) + "\n})();\n"
    parts = {
        "policy": _policy(style, script),
        "language": language,
        # A lone surrogate, which no UTF-8 can hold, is shown as a question mark.
        "title": escape(title.encode("utf-8", "replace").decode("utf-8")),
        "style": style,
        "overview": to_inline_json(overview),
        "words": to_inline_json(json.loads(_read("words.json"))),
        "script": script,
    }
    first, *pieces = _read("page.html").split("{{")
    filled = [first]
    for piece in pieces:
        name, rest = piece.split("}}", 1)
        filled += [parts[name], rest]
    return "".join(filled)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(text: str) -> str:
    found = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(found).decode('ascii')}'"


def _choose_language(report: EvaluationReport) -> Language:
    korean = sum(row.language == "ko" for row in report.matrix)
    return "ko" if 2 * korean > len(report.matrix) else "en"


def _read(name: str) -> str:
    # Git on Windows may check out other line ends; browsers hash what they read as \n.
    return (_HERE / name).read_text(encoding="utf-8")
