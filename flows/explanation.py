"""Tell what became of one record of a dataset version, and why.

Everything is read from what the version and its journal hold; nothing is judged again.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from flows.drafts import read_drafts_manifest
from flows.earlier import find_versions
from flows.evaluation_sets import load_protected
from flows.paths import journal_path
from flows.readers_part import ReadersPart, find_readers_part
from flows.resources import find_dataset, find_file
from flows.settings import Settings
from pipeline.curation.config import CurationConfig
from pipeline.generation.journal.journal import JournalError
from pipeline.generation.journal.reading import find_exchange
from pipeline.generation.seeds import load_seed_tasks
from pipeline.publishing.versions import open_version
from schemas.errors import PacaloomError, UserError
from schemas.exchange import Exchange
from schemas.judgements import Assessment
from schemas.manifest import DatasetManifest
from schemas.records import (
    STAGES,
    Draft,
    InstructionRecord,
    Language,
    Provenance,
    Rejection,
    SeedTask,
    Stage,
)
from training.evaluation.tasks.loading import list_tasks

_WHOLE_SET_STAGES = ("near-duplicate", "contamination", "judge")
"""Stages that drop records which novelty had kept, and others may have collided with."""
_FEWEST_ID_DIGITS = 4
_MOST_NAMED = 8

Passage = Literal["passed", "dropped", "overruled", "not asked", "switched off"]
"""``overruled``: it dropped the draft, and a reader brought that back."""


class UnknownRecordError(UserError):
    """No record, or more than one, is meant by what the user gave."""


class Text(NamedTuple):
    """The columns of a record, draft or seed task."""

    id: str
    language: Language
    instruction: str
    input: str
    output: str


class Collision(NamedTuple):
    """What a rejected draft was too like."""

    text: Text | None
    """None where the version does not hold it: a record of another version, an evaluation item."""
    what: str
    """Names it for people: a kept record, a seed task."""


class Explanation(NamedTuple):
    """What became of one draft."""

    dataset: Path
    text: Text
    provenance: Provenance
    rejection: Rejection | None
    """None for a kept record."""
    stages: dict[Stage, Passage]
    collisions: list[Collision]
    """What it collides with, what that collides with where it was dropped too, and so on."""
    seeds: list[SeedTask]
    """Those of its seed tasks that are found on this machine."""
    exchange: Exchange | None
    """The prompt and its answer, where the journal is on this machine."""
    assessment: Assessment
    """What judge and student found, where they were asked."""
    readers: ReadersPart
    """What readers decided about it, and what they overruled."""


def explain(reference: str, dataset: str, settings: Settings) -> Explanation:
    """Explain the record that an id, the start of one, or a part of its text means.

    Raises:
        UnknownRecordError: Nothing or more than one record is meant.
        TableError: The version cannot be read.
    """
    # pyarrow takes 0.3 s to import, which `./pacaloom why --help` need not pay.
    from pipeline.publishing.tables import read_assessments, read_records, read_rejections

    folder = find_dataset(dataset, settings)
    manifest = open_version(folder)
    kept = read_records(folder)
    rejected = read_rejections(folder)
    found = _find(reference, kept, rejected, folder)
    rejection = found if isinstance(found, Rejection) else None
    draft = found.draft if isinstance(found, Rejection) else found
    seeds = load_known_seeds(manifest, settings)
    readers = find_readers_part(folder, draft, settings, is_kept=rejection is None)
    return Explanation(
        folder,
        _to_text(draft),
        draft.provenance,
        rejection,
        _follow(rejection, readers, manifest),
        _find_collisions(rejection, kept, rejected, _Elsewhere(manifest, seeds, settings)),
        [seed for seed in seeds if seed.id in draft.provenance.seed_ids],
        _find_exchange(draft.provenance, manifest.name, settings),
        read_assessments(folder).get(draft.id, Assessment()),
        readers,
    )


def _find(
    reference: str,
    kept: Sequence[InstructionRecord],
    rejected: Sequence[Rejection],
    folder: Path,
) -> InstructionRecord | Rejection:
    wanted = _fold(reference)
    everything: list[tuple[Draft | InstructionRecord, InstructionRecord | Rejection]] = [
        *((record, record) for record in kept),
        *((rejection.draft, rejection) for rejection in rejected),
    ]
    found = [one for draft, one in everything if _has_id(draft, wanted)]
    found = found or [one for draft, one in everything if _says(draft, wanted, whole=True)]
    found = found or [one for draft, one in everything if _says(draft, wanted, whole=False)]
    if not found:
        raise UnknownRecordError(
            f"No record or rejected draft in {folder} has the id {reference!r} or says it in its "
            "instruction. Ids are in data/*.parquet and rejected.parquet; a text needs no more "
            "than a few words of the instruction."
        )
    # The same draft may have come twice: then they differ only in where they come from.
    drafts = {
        draft.id: draft
        for draft in (one.draft if isinstance(one, Rejection) else one for one in found)
    }
    if len(drafts) > 1:
        named = "; ".join(
            f"{draft.id} {' '.join(draft.instruction.split())[:40]}"
            for draft in list(drafts.values())[:_MOST_NAMED]
        )
        more = f" and {len(drafts) - _MOST_NAMED} more" if len(drafts) > _MOST_NAMED else ""
        raise UnknownRecordError(
            f"{len(drafts)} records in {folder} fit {reference!r}: {named}{more}. Give one id."
        )
    return found[0]


def _has_id(draft: Draft | InstructionRecord, wanted: str) -> bool:
    return len(wanted) >= _FEWEST_ID_DIGITS and draft.id.startswith(wanted)


def _fold(text: str) -> str:
    """Drafts that never became records may be in any normal form."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def _says(draft: Draft | InstructionRecord, wanted: str, *, whole: bool) -> bool:
    instruction = _fold(draft.instruction)
    return instruction == wanted if whole else bool(wanted) and wanted in instruction


def _to_text(task: Draft | InstructionRecord | SeedTask) -> Text:
    return Text(task.id, task.language, task.instruction, task.input, task.output)


def _follow(
    rejection: Rejection | None, readers: ReadersPart, manifest: DatasetManifest
) -> dict[Stage, Passage]:
    """Say of each stage, in order, what it did with the draft."""
    asked = _list_asked(manifest)
    passages: dict[Stage, Passage] = {}
    is_over = False
    for stage in STAGES:
        if stage not in asked:
            passages[stage] = "switched off"
        elif rejection is not None and rejection.stage == stage:
            passages[stage] = "dropped"
            is_over = True
        elif readers.overruled is not None and readers.overruled.stage == stage:
            passages[stage] = "overruled"
            is_over = True
        elif stage == "review" and rejection is None:
            passages[stage] = "passed" if readers.decisions else "not asked"
        else:
            passages[stage] = "not asked" if is_over else "passed"
    return passages


def _list_asked(manifest: DatasetManifest) -> set[Stage]:
    """List the stages that had a say; judge and review are idle until somebody judges or reads."""
    config = CurationConfig.model_validate(manifest.curation)
    asked: set[Stage] = {"schema", *config.stage}
    if config.judge.model is None and config.judge.student is None:
        asked -= {"judge"}
    if manifest.review is None:
        asked -= {"review"}
    return asked


def _find_collisions(
    rejection: Rejection | None,
    kept: Sequence[InstructionRecord],
    rejected: Sequence[Rejection],
    elsewhere: "_Elsewhere",
) -> list[Collision]:
    """Follow what a draft collides with, and what that was dropped for in its turn."""
    records = {record.id: record for record in kept}
    dropped = {one.draft.id: one for one in rejected if one.stage in _WHOLE_SET_STAGES}
    collisions: list[Collision] = []
    seen: set[str] = set()
    while rejection is not None and rejection.collides_with not in (None, *seen):
        other = str(rejection.collides_with)
        seen.add(other)
        rejection = dropped.get(other)
        if other in records:
            collisions.append(Collision(_to_text(records[other]), "a kept record"))
        elif rejection is not None:
            what = f"which {rejection.stage} dropped afterwards"
            collisions.append(Collision(_to_text(rejection.draft), what))
        else:
            collisions.append(elsewhere.find(other))
    return collisions


class _Elsewhere:
    """What a draft may collide with outside its version."""

    def __init__(
        self, manifest: DatasetManifest, seeds: Sequence[SeedTask], settings: Settings
    ) -> None:
        self._manifest = manifest
        self._seeds = seeds
        self._settings = settings

    def find(self, other: str) -> Collision:
        """Look where it is likeliest first; a text that is not on this machine stays unknown."""
        for seed in self._seeds:
            if seed.id == other:
                return Collision(_to_text(seed), "a seed task")
        try:
            return self._find_item(other) or self._find_earlier(other) or _unknown(other)
        except PacaloomError:
            return _unknown(other)

    def _find_item(self, other: str) -> Collision | None:
        sets = CurationConfig.model_validate(self._manifest.curation).contamination.sets
        for item in load_protected(sets, list_tasks(), self._settings):
            if item.id == other:
                text = Text(item.id, "en", "\n".join(item.texts), "", "")
                return Collision(text, f"an item of {item.source}")
        return None

    def _find_earlier(self, other: str) -> Collision | None:
        from pipeline.publishing.tables import read_records

        for folder in find_versions(self._manifest.against, self._settings):
            for record in read_records(folder):
                if record.id == other:
                    what = f"a record of {folder.parent.name}/{folder.name}"
                    return Collision(_to_text(record), what)
        return None


def _unknown(other: str) -> Collision:
    return Collision(None, f"{other}, whose text is not on this machine")


def load_known_seeds(manifest: DatasetManifest, settings: Settings) -> list[SeedTask]:
    """Load the seed files of a version as far as they are here; its stories can do without."""
    drafts = read_drafts_manifest(manifest.name, settings.outputs)
    # A manifest names files outside the project without their folder; the drafts know it.
    elsewhere = {Path(path).name: path for path in drafts.seed_paths} if drafts else {}
    seeds: list[SeedTask] = []
    for source in manifest.seeds:
        file = find_file(source.path)
        try:
            seeds += load_seed_tasks(file if file.is_file() else Path(elsewhere[file.name]))
        except (PacaloomError, KeyError):
            continue
    return seeds


def _find_exchange(provenance: Provenance, name: str, settings: Settings) -> Exchange | None:
    path = journal_path(settings.outputs, name)
    if provenance.strategy == "import" or not path.is_file():
        return None
    try:
        return find_exchange(path, provenance.completion_id).exchange
    except JournalError:
        return None
