"""Prove where the records of a version come from: parents of a mixture, answers, seed tasks.

A mixture's records keep the answers that its parents' journals hold, so that they are followed
through the parents, and through theirs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flows.chain import CHAIN, Followed, Seeds, follow
from flows.links import Grounds, Link, skip
from flows.paths import journal_path
from flows.sources import Sources
from pipeline.generation.journal.file import JournalError, JournalWriteError
from pipeline.generation.seeds import load_seed_tasks
from pipeline.publishing.integrity import Contents
from pipeline.publishing.versions import open_version
from schemas.manifest import DatasetManifest, ParentDataset


class _Parent(NamedTuple):
    """A version of ours that a mixture was drawn from, directly or through another one."""

    stated: ParentDataset
    folder: Path
    manifest: DatasetManifest


def prove_parents(grounds: Grounds, contents: Contents) -> Link:
    """Find what was drawn from versions of ours in them."""
    parents = grounds.manifest.parents
    ours = [parent for parent in parents if not parent.columns]
    found = [parent for parent in _find_parents(grounds) if parent.stated in parents]
    for stated, folder, manifest in found:
        if manifest.content_hash != stated.revision:
            return Link(
                "parents",
                "broken",
                f"{folder} has the content hash {manifest.content_hash[:12]}…, the mixture was "
                f"drawn from {stated.revision[:12]}…",
            )
    outside = len(parents) - len(ours)
    if len(found) < len(ours):
        here = {parent.stated.source for parent in found}
        missing = ", ".join(one.source for one in ours if one.source not in here)
        return Link("parents", "not here", f"{missing} is not on this machine")
    stray = _find_stray(contents, [parent.folder for parent in found], outside > 0)
    if stray:
        return Link("parents", "broken", f"record {stray} is in none of the parents")
    detail = f"records of {len(ours)} versions are theirs"
    if outside:
        return Link(
            "parents", "not here", f"{detail}; {outside} outside datasets are not looked up"
        )
    return Link("parents", "proven", detail)


def _find_stray(contents: Contents, folders: Sequence[Path], has_outside: bool) -> str:
    """Name the first record that no parent holds; imported ones may be of outside datasets."""
    from pipeline.publishing.tables import read_ids

    known = {
        id_
        for folder in folders
        for side in ("train", "validation")
        for id_ in read_ids(folder / "data" / f"{side}.parquet")
    }
    for draft in contents.drafts:
        origin = draft.provenance
        may_be_outside = has_outside and origin.strategy == "import"
        if draft.id not in known and not may_be_outside and not origin.edited:
            return draft.id
    return ""


def _find_parents(grounds: Grounds) -> list[_Parent]:
    """Find versions of ours that are here, parents of parents included."""
    found: dict[Path, _Parent] = {}
    waiting = list(grounds.manifest.parents)
    while waiting:
        stated = waiting.pop()
        folder = grounds.settings.outputs / "datasets" / stated.source
        if stated.columns or folder in found or not (folder / "manifest.json").is_file():
            continue
        manifest = open_version(folder)
        found[folder] = _Parent(stated, folder, manifest)
        waiting += manifest.parents
    return list(found.values())


def prove_chain(grounds: Grounds, contents: Contents) -> list[Link]:
    """Follow every record to its seed tasks."""
    manifest = grounds.manifest
    parents = _find_parents(grounds)
    names = {parent.manifest.name for parent in parents if parent.manifest.runs}
    names |= {one.source.split("/")[0] for one in manifest.parents if not one.columns}
    if manifest.runs or not manifest.parents:
        names.add(manifest.name)
    paths = {name: journal_path(grounds.settings.outputs, name) for name in sorted(names)}
    here = [path for path in paths.values() if path.is_file()]
    missing = [name for name, path in paths.items() if not path.is_file()]
    seeds = _find_seeds(grounds, [manifest, *(parent.manifest for parent in parents)])
    with grounds.engine.progress("follow records") as progress:
        try:
            followed = follow(
                contents.drafts, here, seeds, progress, journals_missing=bool(missing)
            )
        except (JournalError, JournalWriteError) as error:
            return [Link(name, "not here", str(error)) for name in CHAIN]
    return _tell_chain(followed, missing, seeds)


def _find_seeds(grounds: Grounds, manifests: Sequence[DatasetManifest]) -> Seeds:
    """Load the seed tasks of all files that any run or version names, as far as they are here."""
    sources = Sources(grounds.files, {one.name for one in manifests}, grounds.settings)
    wanted = {
        (file.path, file.sha256): file
        for manifest in manifests
        for files in (manifest.seeds, *(run.seeds for run in manifest.runs))
        for file in files
    }
    ids: set[str] = set()
    missing: list[str] = []
    for file in wanted.values():
        path = sources.search(file)
        if path is None:
            missing.append(file.path)
        else:
            ids |= {seed.id for seed in load_seed_tasks(path)}
    return Seeds(ids, missing)


def _tell_chain(found: Followed, journals_missing: Sequence[str], seeds: Seeds) -> list[Link]:
    if found.broken is not None:
        place = CHAIN.index(found.broken.link)
        before = [Link(name, "proven", "as far as records were followed") for name in CHAIN[:place]]
        broken = Link(found.broken.link, "broken", found.broken.detail)
        return [*before, broken, *skip(*CHAIN[place + 1 :])]
    imported = f"; {found.imported:,} were imported, no answer is behind them"
    more = imported if found.imported else ""
    if not found.followed:
        why = _tell_unanswered(found, journals_missing) if found.unanswered else ""
        return [Link(name, "not here", why + more.removeprefix("; ")) for name in CHAIN]
    if found.unanswered:
        more += f"; {_tell_unanswered(found, journals_missing)}"
    if found.reworded:
        more += (
            f"; {len(found.reworded):,} have words that their answers have not, the first is "
            f"{found.reworded[0]}"
        )
    answers = Link(
        CHAIN[0],
        "not here" if more else "proven",
        f"{found.followed - len(found.reworded):,} records have their words from "
        f"{found.answers:,} answers of the journal{more}",
    )
    prompts = Link(
        CHAIN[1],
        "proven",
        "each answer lies under the hash of its prompt, and they fit the records",
    )
    return [answers, prompts, _tell_seeds(found, seeds)]


def _tell_unanswered(found: Followed, journals_missing: Sequence[str]) -> str:
    names = ", ".join(journals_missing)
    return f"{found.unanswered:,} need the journal of {names}, which is not here"


def _tell_seeds(found: Followed, seeds: Seeds) -> Link:
    if found.unseeded:
        return Link(
            CHAIN[2],
            "not here",
            f"{found.unseeded:,} records need {', '.join(seeds.missing)} as it was; give it with "
            "--file",
        )
    return Link(CHAIN[2], "proven", "each seed task is in a seed file of then")
