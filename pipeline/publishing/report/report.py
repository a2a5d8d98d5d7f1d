"""Write the page on which people browse a version: one file that opens from disk.

Everything that a model or a user wrote travels as data, deflated and in base64, and is shown by
scripts that only ever set text; a content security policy with the hashes of the page's own script
and style forbids all else, requests above all. Blocks of records follow the visible page, so that
it is painted before they are read. Cost: linear in the records; memory: all rows, one block of
output at a time.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from pipeline.publishing.edition import Edition
from pipeline.publishing.report.encoding import pack, to_inline_json
from pipeline.publishing.report.overview import describe
from pipeline.publishing.report.rows import collect_names, collect_rows, lay_out
from pipeline.publishing.report.stories import (
    collect_seeds,
    collect_stories,
    lay_out_stories,
    share_lines,
)
from schemas.review import ReviewDecision

_HERE = Path(__file__).parent
_SCRIPTS = (
    "dom.js",
    "matching.js",
    "loading.js",
    "filtering.js",
    "differences.js",
    "charts.js",
    "distributions.js",
    "overview.js",
    "table.js",
    "facets.js",
    "story.js",
    "origins.js",
    "keys.js",
    "page.js",
)


class ReviewMode(NamedTuple):
    """The page is served by the review, and a reader may decide about its records."""

    decisions: Sequence[ReviewDecision] = ()
    """Those already made, in order; they take the place of those that the version applied."""


def write_report(path: Path, edition: Edition, *, review: ReviewMode | None = None) -> None:
    """Write the page; the same edition gives the same bytes.

    Raises:
        OSError: The file cannot be written.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(render_report(edition, review=review))


def render_report(edition: Edition, *, review: ReviewMode | None = None) -> Iterator[str]:
    """Yield the page piece by piece."""
    rows = collect_rows(edition)
    names = collect_names(rows)
    stories = collect_stories(rows, edition.find_exchange)
    shared = share_lines(stories.exchanges)
    row_blocks = [pack(block) for block in lay_out(rows, names)]
    story_blocks = list(lay_out_stories(stories.exchanges, shared))
    decisions = None if review is None else review.decisions
    firsts = [str(block[0]["id"]) for block in story_blocks]
    overview = describe(edition, rows, names, len(row_blocks), stories, firsts, decisions)
    yield _render_frame(edition, to_inline_json(overview.model_dump(mode="json")), review)
    for number, block in enumerate(row_blocks):
        yield _data(f"rows-{number}", block)
    yield _data("seeds", pack(collect_seeds(rows, edition)))
    yield _data("lines", pack(list(shared)))
    for number, story_block in enumerate(story_blocks):
        yield _data(f"stories-{number}", pack(story_block))
    yield "</body>\n</html>\n"


def _render_frame(edition: Edition, overview: str, review: ReviewMode | None) -> str:
    """Render all that is visible; the data follow it."""
    style = _read("page.css") + (_read("review.css") if review else "")
    words = to_inline_json(_read_words())
    scripts = ['(() => {\n"use strict";\n' + "\n".join(map(_read, _SCRIPTS)) + "\n})();\n"]
    if review:
        scripts.append(_read("review.js"))
    title = f"{edition.manifest.name} {edition.manifest.version}"
    parts = {
        "policy": _policy(style, scripts, connect="'self'" if review else "'none'"),
        "language": edition.manifest.card_language,
        "title": escape(title),
        "style": style,
        "overview": overview,
        "words": words,
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    page = _read("page.html")
    pieces = page.split("{{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        filled += [parts[name], rest]
    return "".join(filled)


def _policy(style: str, scripts: Sequence[str], *, connect: str) -> str:
    hashes = " ".join(map(_hash, scripts))
    return (
        f"default-src 'none'; script-src {hashes}; style-src {_hash(style)}; img-src data:; "
        f"connect-src {connect}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(text: str) -> str:
    found = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(found).decode('ascii')}'"


def _data(name: str, text: str) -> str:
    return f'<script type="application/octet-stream" id="{name}">{text}</script>\n'


def _read_words() -> object:
    return json.loads(_read("words.json"))


def _read(name: str) -> str:
    # Git on Windows may check out other line ends; browsers hash what they read as \n.
    return (_HERE / name).read_text(encoding="utf-8")
