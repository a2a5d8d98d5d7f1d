"""Lay out where a family comes from and what came of it, in layers from seeds to champion.

A picture holds the newest of each kind and all that lead to a champion; the rest of a kind is one
node that counts them. Cost: linear in the family.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal, NamedTuple, TypeVar

from pipeline.publishing.index_page.contents import (
    EvaluationEntry,
    Family,
    ModelEntry,
    VersionEntry,
)
from schemas.manifest import SourceFile

Layer = Literal["sources", "journal", "versions", "models", "evaluations", "champion"]
LAYERS: tuple[Layer, ...] = (
    "sources", "journal", "versions", "models", "evaluations", "champion",
)  # fmt: skip

_MOST_SHOWN = 4
_JOURNAL = "journal:"

Entry = TypeVar("Entry", VersionEntry, ModelEntry, EvaluationEntry)


class Node(NamedTuple):
    """One thing in the picture."""

    key: str
    """Its kind, a colon and its reference; unique within the family."""
    layer: Layer
    name: str
    note: str = ""
    """A number or name below its own."""
    unit: str = ""
    """Key of the word that says what the note counts, or is the note."""
    sources: tuple[str, ...] = ()
    """Keys of what it was made from."""
    is_shown: bool = False
    """The page tells more about it elsewhere."""


def lay_out(family: Family) -> list[Node]:
    """List the nodes of a family, layer by layer, each kind newest first."""
    champions = {model.reference for model in family.models if model.is_champion}
    models = _choose(family.models, champions)
    datasets = {model.dataset for model in models}
    versions = _choose(family.versions, datasets)
    evaluations = _choose_evaluations(family.evaluations, champions)
    nodes = [
        *_lay_out_sources(versions),
        *_lay_out_journal(family),
        *map(_lay_out_version, versions),
        *_count_rest("versions", len(family.versions) - len(versions)),
        *(
            Node(f"dataset:{dataset}", "versions", dataset, unit="not-here")
            for dataset in sorted(datasets - {version.reference for version in family.versions})
        ),
        *(_lay_out_model(model, family.name) for model in models),
        *_count_rest("models", len(family.models) - len(models)),
        *map(_lay_out_evaluation, evaluations),
        *_count_rest("evaluations", len(family.evaluations) - len(evaluations)),
        *(_lay_out_champion(m, evaluations) for m in models if m.is_champion),
    ]
    known = {node.key for node in nodes}
    return [
        node._replace(sources=tuple(key for key in node.sources if key in known)) for node in nodes
    ]


def _choose(entries: Sequence[Entry], wanted: set[str]) -> list[Entry]:
    """Keep the newest, and those of the others that are wanted."""
    return [
        entry
        for place, entry in enumerate(entries)
        if place < _MOST_SHOWN or _refer(entry) in wanted
    ]


def _refer(entry: VersionEntry | ModelEntry | EvaluationEntry) -> str:
    return entry.id if isinstance(entry, EvaluationEntry) else entry.reference


def _choose_evaluations(
    evaluations: Sequence[EvaluationEntry], champions: set[str]
) -> list[EvaluationEntry]:
    of_champions = {one.id for one in evaluations if one.model in champions}
    return _choose(evaluations, of_champions)


def _lay_out_sources(versions: Sequence[VersionEntry]) -> list[Node]:
    # By content: the same file may have been read from different places.
    seeds = {seed.sha256: seed for version in versions for seed in version.seeds}
    here = {version.reference for version in versions}
    parents = dict.fromkeys(p for version in versions for p in version.parents if p not in here)
    return [
        *(
            Node(_key(seed), "sources", PurePosixPath(seed.path).name, unit="seed-file")
            for seed in seeds.values()
        ),
        *(Node(f"dataset:{parent}", "sources", parent, unit="mixed-in") for parent in parents),
    ]  # fmt: skip


def _key(seed: SourceFile) -> str:
    return f"seeds:{seed.sha256}"


def _lay_out_journal(family: Family) -> list[Node]:
    written = [version for version in family.versions if version.is_generated]
    if not written and family.journal is None:
        return []
    seeds = dict.fromkeys(_key(seed) for version in written for seed in version.seeds)
    size = "" if family.journal is None else describe_size(family.journal.size)
    unit = "" if family.journal else "not-here"
    return [Node(_JOURNAL, "journal", family.name, size, unit, tuple(seeds))]


def describe_size(size: int) -> str:
    """Say how many bytes there are, to about two digits."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))} kB"
    megabytes = size / 1_000_000
    if megabytes < 10:
        return f"{megabytes:.1f} MB"
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def _lay_out_version(version: VersionEntry) -> Node:
    made_from = [_JOURNAL] if version.is_generated else list(map(_key, version.seeds))
    parents = [f"dataset:{parent}" for parent in version.parents]
    return Node(
        f"dataset:{version.reference}",
        "versions",
        version.version,
        f"{version.kept:,}",
        "records-unit",
        (*made_from, *parents),
    )


def _lay_out_model(model: ModelEntry, family: str) -> Node:
    name = model.version if model.name == family else model.reference
    dataset = f"dataset:{model.dataset}"
    return Node(f"model:{model.reference}", "models", name, model.method, "", (dataset,))


def _lay_out_evaluation(evaluation: EvaluationEntry) -> Node:
    model = (f"model:{evaluation.model}",) if evaluation.model else ()
    verdict = f"verdict-{evaluation.verdict}" if evaluation.verdict else "no-verdict"
    return Node(f"evaluation:{evaluation.id}", "evaluations", evaluation.id[:8], "", verdict, model)


def _lay_out_champion(model: ModelEntry, evaluations: Sequence[EvaluationEntry]) -> Node:
    promoted = [
        f"evaluation:{one.id}"
        for one in evaluations
        if one.model == model.reference and one.verdict == "promote"
    ]
    sources = tuple(promoted) or (f"model:{model.reference}",)
    return Node(f"champion:{model.name}", "champion", model.name, model.version, "", sources)


def _count_rest(layer: Layer, count: int) -> list[Node]:
    if count <= 0:
        return []
    return [Node(f"rest:{layer}", layer, f"+{count:,}", unit="earlier")]
