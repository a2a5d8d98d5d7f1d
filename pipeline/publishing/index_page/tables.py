"""Tables of dataset versions and tuned students, newest first."""

from collections.abc import Sequence, Set

from pipeline.publishing.index_page.contents import ModelEntry, VersionEntry
from pipeline.publishing.index_page.markup import Html, join, make_anchor, tag
from pipeline.publishing.index_page.speaking import Speaker, show_links, show_time

_SHOWN_FIRST = 6
_BAR_WIDTH = 100


def show_versions(speaker: Speaker, versions: Sequence[VersionEntry]) -> Html:
    """Show the versions of a name."""
    columns = ("version", "records", "kept-share", "teacher", "notes", "written", "pages")
    rows = [_show_version(speaker, version, place) for place, version in enumerate(versions)]
    return _show_table(speaker, "versions-title", columns, rows)


def show_models(speaker: Speaker, models: Sequence[ModelEntry], anchors: Set[str]) -> Html:
    """Show the students tuned on a name's versions, linked to those that the page has."""
    columns = ("model", "method", "student", "tuned-on", "loss", "verdict", "written", "pages")
    rows = [_show_model(speaker, model, place, anchors) for place, model in enumerate(models)]
    return _show_table(speaker, "models", columns, rows)


def show_verdict(speaker: Speaker, verdict: str | None) -> Html:
    """Show what the gate said."""
    if verdict is None:
        return tag("span", {"class": "muted"}, speaker.say("no-verdict"))
    return tag("span", {"class": f"badge {verdict}"}, speaker.say(f"verdict-{verdict}"))


def _show_table(speaker: Speaker, title: str, columns: Sequence[str], rows: Sequence[Html]) -> Html:
    if not rows:
        return Html("")
    heads = [tag("th", {"scope": "col"}, speaker.say(column)) for column in columns]
    more = ""
    if len(rows) > _SHOWN_FIRST:
        more = tag(
            "button",
            {"type": "button", "class": "quiet more", "aria-expanded": "false"},
            speaker.say("show-all"),
            tag("span", {"class": "number"}, f"{len(rows):,}"),
        )
    return join(
        [
            tag("h3", None, speaker.say(title), tag("span", {"class": "number"}, f"{len(rows):,}")),
            tag(
                "table",
                {"class": "entries"},
                tag("thead", None, tag("tr", None, *heads)),
                tag("tbody", None, *rows),
            ),
            more,
        ]
    )


def _show_row(
    anchor: str, place: int, search: Sequence[str], cells: Sequence[tuple[str, Html | str]]
) -> Html:
    """Show one row; on a phone each cell names its column itself."""
    first, *others = cells
    return tag(
        "tr",
        {
            "id": anchor,
            "class": "entry older" if place >= _SHOWN_FIRST else "entry",
            "data-search": " ".join(search).lower(),
        },
        tag("th", {"scope": "row"}, first[1]),
        *(
            tag("td", {"data-column": column}, tag("div", None, content))
            for column, content in others
        ),
    )


def _show_version(speaker: Speaker, version: VersionEntry, place: int) -> Html:
    newest = tag("span", {"class": "badge"}, speaker.say("newest")) if place == 0 else ""
    share = f"{100 * version.kept / version.generated:.0f} %" if version.generated else "0 %"
    return _show_row(
        make_anchor("dataset", version.reference),
        place,
        (version.reference, *version.teachers, *version.parents),
        (
            ("version", join([tag("span", {"class": "code"}, version.version), newest])),
            ("records", _show_records(speaker, version)),
            ("kept-share", share),
            ("teacher", ", ".join(version.teachers) or "–"),
            ("notes", _show_notes(speaker, version)),
            ("written", show_time(version.changed)),
            ("pages", show_links(speaker, version.links)),
        ),
    )


def _show_records(speaker: Speaker, version: VersionEntry) -> Html:
    english = version.kept_by_language.get("en", 0)
    korean = version.kept_by_language.get("ko", 0)
    width = _BAR_WIDTH * english / (english + korean) if english + korean else 0
    bar = tag(
        "svg",
        {
            "class": "languages",
            "viewBox": f"0 0 {_BAR_WIDTH} 6",
            "preserveAspectRatio": "none",
            "aria-hidden": "true",
        },
        tag("rect", {"class": "ground", "width": f"{_BAR_WIDTH}", "height": "6"}),
        tag("rect", {"class": "bin-en", "width": f"{width:.1f}", "height": "6"}),
        tag(
            "rect",
            {
                "class": "bin-ko",
                "x": f"{width:.1f}",
                "width": f"{_BAR_WIDTH - width if korean else 0:.1f}",
                "height": "6",
            },
        ),
    )
    each = tag(
        "span",
        {"class": "note"},
        *(
            part
            for key, count in (("english", english), ("korean", korean))
            if count
            for part in (speaker.say(key), f" {count:,} ")
        ),
    )
    return join([tag("b", None, f"{version.kept:,}"), bar, each])


def _show_notes(speaker: Speaker, version: VersionEntry) -> Html:
    notes: list[tuple[str, str]] = []
    if version.parents:
        notes.append(("mixture-of", ", ".join(version.parents)))
    if version.judge_score is not None:
        notes.append(("judge-score", f"{version.judge_score:.2f}"))
    if version.reviewed:
        notes.append(("reviewed", f"{version.reviewed:,}"))
    if version.against:
        notes.append(("against", ", ".join(version.against)))
    return join(
        [
            *(tag("div", None, speaker.say(key), f" {text}") for key, text in notes),
            tag("div", {"class": "muted"}, version.licence),
        ]
    )


def _show_model(speaker: Speaker, model: ModelEntry, place: int, anchors: Set[str]) -> Html:
    champion: Html | str = ""
    if model.is_champion:
        champion = tag("span", {"class": "badge promote"}, "★ ", speaker.say("champion"))
    better = "falls" if model.loss_after < model.loss_before else "rises"
    dataset = tag("span", {"class": "code"}, model.dataset)
    anchor = make_anchor("dataset", model.dataset)
    if anchor in anchors:
        dataset = tag("a", {"class": "link", "href": f"#{anchor}"}, dataset)
    loss = tag("span", {"class": f"loss {better}"}, f"{model.loss_after:.3f}")
    return _show_row(
        make_anchor("model", model.reference),
        place,
        (model.reference, model.student, model.method, model.dataset),
        (
            ("model", join([tag("span", {"class": "code"}, model.reference), champion])),
            ("method", model.method),
            ("student", model.student),
            ("tuned-on", dataset),
            ("loss", join([f"{model.loss_before:.3f} → ", loss])),
            ("verdict", show_verdict(speaker, model.verdict)),
            ("written", show_time(model.changed)),
            ("pages", show_links(speaker, model.links)),
        ),
    )
