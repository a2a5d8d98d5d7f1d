"""Draw a family's lineage as layers of links; the page's script draws the lines between them.

Each node also says in words what it was made from, for readers who see no lines.
"""

from collections.abc import Sequence, Set

from pipeline.publishing.index_page.contents import Family
from pipeline.publishing.index_page.lineage import LAYERS, Layer, Node, lay_out
from pipeline.publishing.index_page.markup import Html, join, make_anchor, tag
from pipeline.publishing.index_page.speaking import Speaker


def draw_lineage(speaker: Speaker, family: Family, anchors: Set[str]) -> Html:
    """Draw the layers that hold something.

    Args:
        speaker: Says the words.
        family: Whose lineage it is.
        anchors: Places of the page that a node may lead to.
    """
    nodes = [node._replace(is_shown=_anchor(node) in anchors) for node in lay_out(family)]
    places = {node.key: str(place) for place, node in enumerate(nodes)}
    layers = [
        _draw_layer(speaker, layer, [node for node in nodes if node.layer == layer], places, nodes)
        for layer in LAYERS
        if any(node.layer == layer for node in nodes)
    ]
    return tag(
        "figure",
        {"class": "lineage"},
        tag("figcaption", {"class": "off-screen"}, speaker.say("lineage")),
        tag("svg", {"class": "edges", "aria-hidden": "true"}),
        tag("ol", {"class": "layers"}, *layers),
    )


def _draw_layer(
    speaker: Speaker,
    layer: Layer,
    nodes: Sequence[Node],
    places: dict[str, str],
    everything: Sequence[Node],
) -> Html:
    names = {node.key: node.name for node in everything}
    drawn = [tag("li", None, _draw_node(speaker, node, places, names)) for node in nodes]
    return tag(
        "li",
        {"class": f"layer layer-{layer}"},
        tag("h4", None, speaker.say(f"layer-{layer}")),
        tag("ul", None, *drawn),
    )


def _draw_node(speaker: Speaker, node: Node, places: dict[str, str], names: dict[str, str]) -> Html:
    note = join([node.note, speaker.say(node.unit) if node.unit else ""])
    kind = node.key.partition(":")[0]
    is_absent = node.unit == "not-here"
    attributes = {
        "class": "node absent" if is_absent else f"node node-{kind}",
        "data-node": places[node.key],
        "data-from": " ".join(places[key] for key in node.sources) or None,
        "href": f"#{_anchor(node)}" if node.is_shown else None,
        "tabindex": None if node.is_shown else "0",
        "title": node.name,
    }
    origin = ""
    if node.sources:
        sources = ", ".join(names[key] for key in node.sources)
        origin = tag("span", {"class": "off-screen"}, speaker.say("made-from"), f" {sources}")
    return tag(
        "a" if node.is_shown else "span",
        attributes,
        tag("span", {"class": "node-name"}, node.name),
        tag("span", {"class": "node-note"}, note) if note else "",
        origin,
    )


def _anchor(node: Node) -> str:
    """Name the place that tells more about a node; a champion is a model and has its row."""
    kind, _, reference = node.key.partition(":")
    if kind == "champion":
        return make_anchor("model", f"{reference}/{node.note}")
    return make_anchor(kind, reference)
