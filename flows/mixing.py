"""Mix versions of ours and outside datasets into a new version, whose manifest names its parents.

Records of ours keep where they come from, down to the answer; rows of others are imports. What was
drawn passes the usual stages of curation, so that parts which repeat each other do not do so in
the mixture. Cost: reading the parts, and curation's.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flows.engine import Engine
from flows.outside import LoadFromHub, load_from_hub, make_row, open_outside
from flows.resources import find_dataset
from flows.reviewing import read_decisions
from flows.settings import Settings
from flows.sources import Sources
from flows.steps.publishing import publish_curated
from flows.steps.workbench import Workbench
from pipeline.curation.config import CurationConfig
from pipeline.curation.importing import make_draft
from pipeline.curation.shards import examine_in_processes
from pipeline.generation.seeds import load_seed_tasks
from pipeline.publishing.mixture import (
    Amount,
    MixParams,
    MixtureError,
    MixturePart,
    choose_counts,
    choose_licence,
    draw,
    map_columns,
)
from pipeline.publishing.versions import check_name, open_version
from schemas.errors import UserError
from schemas.manifest import DatasetManifest, ParentDataset
from schemas.records import Draft, SeedTask, to_draft


class Mixed(NamedTuple):
    """A mixture that was published."""

    folder: Path
    manifest: DatasetManifest


class _Part(NamedTuple):
    """What one part holds."""

    source: str
    revision: str
    columns: dict[str, str]
    drafts: list[Draft]
    licence: str
    manifest: DatasetManifest | None
    """Of a version of ours."""
    folder: Path | None
    """Of a version of ours."""


def mix(
    params: MixParams, settings: Settings, engine: Engine, load: LoadFromHub = load_from_hub
) -> Mixed:
    """Draw, curate and publish.

    Args:
        params: Parts, and what is asked of each.
        settings: Where versions are.
        engine: Told which columns were taken, what was drawn, and where licences differ.
        load: Reads a dataset of the hub.

    Raises:
        MixtureError: A part is not there or empty, lacks a column, or the weights make no mixture.
        UserError: A version or file cannot be read.
    """
    check_name(params.name)
    parts = [_open(part, settings, engine, load) for part in params.part]
    counts = _count(params, parts)
    drawn = [draw(part.drafts, count) for part, count in zip(parts, counts, strict=True)]
    parents = tuple(map(_describe, params.part, parts, counts))
    for parent in parents:
        engine.say(f"{parent.source}: {parent.taken:,} of {parent.available:,} records")
    licence, warning = choose_licence(params.licence, {part.source: part.licence for part in parts})
    if warning:
        engine.say(warning)
    bench = _open_bench(
        params.name, [one for some in drawn for one in some], parts, settings, engine
    )
    config = CurationConfig(stage=params.stage)
    with engine.progress("curate") as progress:
        curated = bench.curate(config, progress)
    folder = publish_curated(
        bench,
        curated,
        config,
        licence=licence,
        card_language=params.card_language,
        parents=parents,
        drawn_from=tuple(part.folder for part in parts if part.folder is not None),
    )
    manifest = open_version(folder)
    engine.say(f"Kept {manifest.kept:,} of {manifest.generated:,} drawn records in {folder}")
    return Mixed(folder, manifest)


def _open(part: MixturePart, settings: Settings, engine: Engine, load: LoadFromHub) -> _Part:
    folder = _find_ours(part, settings)
    opened = _open_outside(part, settings, engine, load) if folder is None else _read(part, folder)
    if not opened.drafts:
        raise MixtureError(f"--part {part.ref}: it has no records. Leave it out.")
    return opened


def _find_ours(part: MixturePart, settings: Settings) -> Path | None:
    """Find a version of ours; None where the part is something else."""
    try:
        folder = find_dataset(part.ref, settings)
    except UserError:
        return None
    return folder if (folder / "manifest.json").is_file() else None


def _read(part: MixturePart, folder: Path) -> _Part:
    # pyarrow takes 0.3 s to import.
    from pipeline.publishing.tables import read_split

    manifest = open_version(folder)
    if part.columns or part.language or part.subset or part.revision:
        raise MixtureError(
            f"--part {part.ref}: a version of ours has our columns and languages; name it by "
            "NAME/VERSION for a certain one."
        )
    sides = ("train", "validation") if part.split is None else (part.split,)
    if not set(sides) <= {"train", "validation"}:
        raise MixtureError(f"--part {part.ref}: no split {part.split!r}; it has train, validation.")
    records = [one for side in sides for one in read_split(folder / "data" / f"{side}.parquet")]
    return _Part(
        f"{manifest.name}/{manifest.version}",
        manifest.content_hash,
        {},
        list(map(to_draft, records)),
        part.licence or manifest.licence,
        manifest,
        folder,
    )


def _open_outside(
    part: MixturePart, settings: Settings, engine: Engine, load: LoadFromHub
) -> _Part:
    outside = open_outside(part, settings, load)
    columns = map_columns(outside.source, outside.columns, part.columns)
    mapping = ", ".join(f"{ours} ← {theirs}" for ours, theirs in columns.items())
    engine.say(f"{outside.source}: {mapping}")
    licence = part.licence or outside.licence
    drafts: list[Draft] = []
    for number in range(1, len(outside.rows) + 1):
        row = make_row(outside, number, columns)
        if part.language is not None:
            row = row._replace(fields={**row.fields, "language": part.language})
        draft = make_draft(row, outside.source)
        origin = draft.provenance.model_copy(update={"source_licence": licence})
        drafts.append(draft.model_copy(update={"provenance": origin}))
    return _Part(outside.source, outside.revision, columns, drafts, licence, None, None)


def _count(params: MixParams, parts: Sequence[_Part]) -> list[int]:
    counts = choose_counts(
        [
            Amount(len(part.drafts), asked.weight, asked.cap)
            for asked, part in zip(params.part, parts, strict=True)
        ]
    )
    for part, count in zip(parts, counts, strict=True):
        if count == 0:
            raise MixtureError(
                f"{part.source} would give no record: another part is too small for these weights. "
                "Raise its weight, or leave the small one out."
            )
    return counts


def _describe(asked: MixturePart, part: _Part, count: int) -> ParentDataset:
    return ParentDataset(
        source=part.source,
        revision=part.revision,
        columns=part.columns,
        available=len(part.drafts),
        taken=count,
        weight=asked.weight,
        cap=asked.cap,
        licence=part.licence,
    )


def _open_bench(
    name: str, drafts: list[Draft], parts: Sequence[_Part], settings: Settings, engine: Engine
) -> Workbench:
    seed_files, seeds = _find_seeds(parts, settings)
    return Workbench(
        name,
        drafts,
        (),
        seeds,
        seed_files,
        (),
        examine_in_processes(os.cpu_count() or 1),
        settings,
        engine,
        read_decisions(name, settings, engine),
    )


def _find_seeds(
    parts: Sequence[_Part], settings: Settings
) -> tuple[tuple[str, ...], list[SeedTask]]:
    """Find the seed files of the parents as far as they are here, each task once."""
    manifests = [part.manifest for part in parts if part.manifest is not None]
    sources = Sources((), {manifest.name for manifest in manifests}, settings)
    wanted = {file.sha256: file for manifest in manifests for file in manifest.seeds}
    paths = [path for file in wanted.values() if (path := sources.search(file)) is not None]
    seeds = {seed.id: seed for path in paths for seed in load_seed_tasks(path)}
    return tuple(map(str, paths)), list(seeds.values())
