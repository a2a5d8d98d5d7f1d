"""Render the entry page of an outputs folder: one file that opens from disk and asks nothing.

Everything is in the markup, escaped, and legible without the script, which only draws lines,
filters, and switches theme and language. A content security policy with the hashes of the page's
own script and style forbids all else. Cost: linear; about 3 kB a version.
"""

import base64
import hashlib
from collections.abc import Set
from pathlib import Path

from pipeline.publishing.index_page.contents import Family, Outputs, Unreadable
from pipeline.publishing.index_page.evaluations import show_evaluations
from pipeline.publishing.index_page.markup import Html, join, make_anchor, tag
from pipeline.publishing.index_page.picture import draw_lineage
from pipeline.publishing.index_page.speaking import Speaker, read_words
from pipeline.publishing.index_page.tables import show_models, show_versions

_HERE = Path(__file__).parent


def render_index(outputs: Outputs) -> str:
    """Render the page."""
    speaker = Speaker(read_words())
    anchors = _collect_anchors(outputs)
    style, script = _read("index.css"), _read("index.js")
    parts = {
        "policy": _policy(style, script),
        "style": style,
        "body": join(
            [
                _show_figures(speaker, outputs),
                *(_show_family(speaker, family, anchors) for family in outputs.families),
                _show_unreadable(speaker, outputs.unreadable),
                tag("p", {"class": "empty"}, speaker.say("empty")) if _is_empty(outputs) else "",
            ]
        ),
        "words": speaker.to_json(),
        "script": script,
    }
    first, *pieces = _read("index.html").split("{{")
    filled = [first]
    for piece in pieces:
        name, _, rest = piece.partition("}}")
        filled += [parts[name], rest]
    return "".join(filled)


def _is_empty(outputs: Outputs) -> bool:
    return not outputs.families and not outputs.unreadable


def _collect_anchors(outputs: Outputs) -> frozenset[str]:
    """Name all places that something in the page may lead to."""
    return frozenset(
        anchor
        for family in outputs.families
        for anchor in (
            *(make_anchor("dataset", version.reference) for version in family.versions),
            *(make_anchor("model", model.reference) for model in family.models),
            *(make_anchor("evaluation", evaluation.id) for evaluation in family.evaluations),
        )
    )


def _show_figures(speaker: Speaker, outputs: Outputs) -> Html:
    families = outputs.families
    newest = [family.versions[0].kept for family in families if family.versions]
    models = [model for family in families for model in family.models]
    figures = (
        ("datasets", len(newest)),
        ("versions", sum(len(family.versions) for family in families)),
        ("kept-records", sum(newest)),
        ("models", len(models)),
        ("evaluations", sum(len(family.evaluations) for family in families)),
        ("champions", sum(model.is_champion for model in models)),
    )
    return tag(
        "dl",
        {"class": "figures"},
        *(
            tag(
                "div",
                {"class": "figure"},
                tag("dt", None, speaker.say(key)),
                tag("dd", {"class": "figure-value"}, f"{count:,}"),
                tag("dd", {"class": "note"}, speaker.say("of-newest"))
                if key == "kept-records"
                else "",
            )
            for key, count in figures
        ),
    )


def _show_family(speaker: Speaker, family: Family, anchors: Set[str]) -> Html:
    anchor = make_anchor("family", family.name)
    return tag(
        "section",
        {"class": "family", "aria-labelledby": anchor, "data-search": family.name.lower()},
        tag("h2", {"id": anchor}, family.name),
        draw_lineage(speaker, family, anchors),
        show_versions(speaker, family.versions),
        show_models(speaker, family.models, anchors),
        show_evaluations(speaker, family.evaluations),
    )


def _show_unreadable(speaker: Speaker, unreadable: tuple[Unreadable, ...]) -> Html:
    if not unreadable:
        return Html("")
    return tag(
        "section",
        {"class": "unreadable", "id": "unreadable"},
        tag("h2", None, speaker.say("unreadable")),
        tag("p", {"class": "note"}, speaker.say("unreadable-why")),
        tag(
            "dl",
            None,
            *(
                tag("div", None, tag("dt", {"class": "code"}, path), tag("dd", None, reason))
                for path, reason in unreadable
            ),
        ),
    )


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hash(text: str) -> str:
    found = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(found).decode('ascii')}'"


def _read(name: str) -> str:
    # Browsers hash what they read, with \n; a checkout may have other line ends.
    return (_HERE / name).read_text(encoding="utf-8")
