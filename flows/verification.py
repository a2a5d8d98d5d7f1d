"""Prove that a dataset version follows from a journal: answer every prompt from it and curate anew.

Each run of the version's manifest is replayed with its own config, seed files and random seed
against an endpoint that refuses to be asked; the drafts are curated with the version's config, and
the hash over records, rejections and licence must be the one that the version has in its name.
Costs what generating from a full journal and curating cost; sends nothing and writes nothing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pydantic import ValidationError

from flows.drafts import read_drafts_manifest
from flows.earlier import find_versions
from flows.engine import Engine
from flows.paths import journal_path
from flows.resources import find_dataset, load_document_files, load_seeds
from flows.settings import ROOT, Settings
from flows.steps.curation import Workbench
from pipeline.curation.config import CurationConfig
from pipeline.curation.funnel import Admission
from pipeline.curation.shards import examine_here
from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import BudgetSpentError
from pipeline.generation.config import GenerationConfig
from pipeline.generation.journal.journal import Journal
from pipeline.generation.rounds import Generation, Task
from pipeline.publishing.publish import hash_content
from pipeline.publishing.splits import Splits, split_records
from pipeline.publishing.versions import open_version
from schemas.errors import PacaloomError, UserError
from schemas.exchange import Completion, Prompt
from schemas.manifest import DatasetManifest, GenerationRun, SourceFile
from schemas.progress import Progress
from schemas.records import Draft, Rejection
from schemas.storage import describe_validation_error


class VerificationError(PacaloomError):
    """The version does not follow from the journal; the message names the first difference."""


class UnverifiableError(UserError):
    """There is nothing to compare: no run is described, or its files are not to be found."""


class Verification(NamedTuple):
    """A version that was proved."""

    dataset: Path
    journal: Path
    content_hash: str
    generated: int
    kept: int


class _JournalOfThen(Journal):
    """The journal without the answers that came after the run had ended."""

    later: frozenset[str] = frozenset()

    def get_all(self, keys: Sequence[str]) -> list[Completion | None]:
        answers = super().get_all(keys)
        return [
            None if key in self.later else answer for key, answer in zip(keys, answers, strict=True)
        ]


class _Silence:
    """An endpoint that answers nothing, as the run's own did when its budget was spent."""

    def __init__(self, run: GenerationRun, journal: Path) -> None:
        self._run = run
        self._journal = journal

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        key = prompt.key(self._run.teacher)
        if key in self._run.unanswered:
            raise BudgetSpentError("max-requests", f"{key} was not asked")
        raise VerificationError(
            f"Answer {key} is missing in {self._journal}: a prompt of {prompt.strategy}, "
            f"{prompt.language}. Import the journal of whoever made the version with "
            "`./pacaloom journal import`."
        )

    async def close(self) -> None:
        """Nothing is open."""


def verify(
    reference: str, files: Sequence[Path], settings: Settings, engine: Engine
) -> Verification:
    """Replay and compare.

    Args:
        reference: A dataset version as :func:`find_dataset` takes it.
        files: Seed and document files of the runs that are not where they were.
        settings: Where versions and journals are.
        engine: Told how far it is.

    Raises:
        VerificationError: The version differs, or an answer is missing.
        UnverifiableError: The version names no runs, or one of their files is not found.
        JournalError: There is no journal of that name.
    """
    folder = find_dataset(reference, settings)
    manifest = open_version(folder)
    _check_files(folder, manifest.files)
    if not manifest.runs:
        raise UnverifiableError(
            f"{folder} was made from a file of records, so no journal can prove it."
        )
    config = _read_config(manifest, folder)
    if config.near_duplicates.storage is not None:
        raise UnverifiableError(
            f"{folder} was curated beside machines that shared {config.near_duplicates.storage}: "
            "what those had kept by then is not on record, so no journal can prove it."
        )
    sources = _Sources(files, manifest, settings)
    path = journal_path(settings.outputs, manifest.name)
    with engine.progress(f"verify {folder.name}") as progress:
        drafts = _replay(manifest.runs, path, sources, progress)
        bench = Workbench(
            name=manifest.name,
            drafts=drafts,
            runs=manifest.runs,
            seeds=load_seeds(sources.find(manifest.seeds)),
            seed_files=(),
            against=find_versions(manifest.against, settings),
            examine=examine_here,
            settings=settings,
            engine=engine,
        )
        result = bench.curate(config, progress, may_ask=False).result
    splits = split_records(result.kept)
    if hash_content(splits, result.dropped, manifest.licence) != manifest.content_hash:
        raise VerificationError(_tell_difference(folder, manifest, splits, result.dropped))
    return Verification(folder, path, manifest.content_hash, len(drafts), len(result.kept))


def _read_config(manifest: DatasetManifest, folder: Path) -> CurationConfig:
    try:
        return CurationConfig.model_validate(manifest.curation)
    except ValidationError as error:
        raise UnverifiableError(
            f"{folder / 'manifest.json'} has settings of another version of Pacaloom: "
            f"{describe_validation_error(error)} Prove it with the version {manifest.code_version}."
        ) from error


class _Sources:
    """Files by what they hold, because a manifest names those outside the project by name only."""

    def __init__(
        self, files: Sequence[Path], manifest: DatasetManifest, settings: Settings
    ) -> None:
        drafts = read_drafts_manifest(manifest.name, settings.outputs)
        known = (*drafts.seed_paths, *drafts.document_paths) if drafts else ()
        self._elsewhere = [*(file.expanduser() for file in files), *map(Path, known)]

    def find(self, wanted: Iterable[SourceFile]) -> tuple[str, ...]:
        return tuple(self._find(source) for source in wanted)

    def _find(self, source: SourceFile) -> str:
        for path in (ROOT / source.path, *self._elsewhere):
            if path.is_file() and _hash(path) == source.sha256:
                return str(path)
        raise UnverifiableError(
            f"{source.path} with sha256 {source.sha256[:12]}… is needed and was not found, or has "
            "been changed. Give the file that the run had with --file."
        )


def _replay(
    runs: Sequence[GenerationRun], path: Path, sources: _Sources, progress: Progress
) -> list[Draft]:
    drafts: list[Draft] = []
    with _JournalOfThen(path, create=False) as journal:
        for number, run in enumerate(runs, start=1):
            earlier = len(drafts)
            _replay_run(run, drafts, journal, sources, progress)
            if len(drafts) - earlier != run.generated:
                raise VerificationError(
                    f"Run {number} of {len(runs)} made {run.generated} drafts, {path} gives "
                    f"{len(drafts) - earlier}: answers are missing, or it holds others."
                )
    return drafts


def _replay_run(
    run: GenerationRun,
    drafts: list[Draft],
    journal: _JournalOfThen,
    sources: _Sources,
    progress: Progress,
) -> None:
    """Add a run's drafts to those of the runs before it."""
    journal.later = frozenset(run.unanswered)
    seeds = load_seeds(sources.find(run.seeds))
    documents = load_document_files(sources.find(run.documents))
    admission = Admission(seeds, CurationConfig.model_validate(run.admission))
    for draft in drafts:
        admission.admit(draft)
    config = GenerationConfig.model_validate(run.config)
    with Generation(
        Task(config, run.teacher, seeds, documents),
        journal,
        lambda: _Silence(run, journal.path),
        admission.admit,
        drafts.append,
        progress=progress,
    ) as generation:
        while generation.advance() is not None:
            pass


def _check_files(folder: Path, files: Iterable[SourceFile]) -> None:
    for file in files:
        path = folder / file.path
        if not path.is_file() or _hash(path) != file.sha256:
            what = "was changed after publication" if path.is_file() else "is missing"
            raise VerificationError(
                f"{path} {what}: its sha256 is not the manifest's. Publish it again with "
                "`./pacaloom curate`, or bring back a copy."
            )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tell_difference(
    folder: Path, manifest: DatasetManifest, splits: Splits, rejected: Sequence[Rejection]
) -> str:
    """Name the first row in which the replay differs from the version."""
    # pyarrow takes 0.3 s to import, which a proof that succeeds need not pay.
    import pyarrow.parquet as pq

    from pipeline.publishing.tables import write_records, write_rejections

    with TemporaryDirectory() as name:
        replayed = Path(name)
        (replayed / "data").mkdir()
        write_records(replayed / "data" / "train.parquet", splits.train)
        write_records(replayed / "data" / "validation.parquet", splits.validation)
        write_rejections(replayed / "rejected.parquet", rejected)
        for file in ("data/train.parquet", "data/validation.parquet", "rejected.parquet"):
            rows = (pq.read_table(part / file).to_pylist() for part in (folder, replayed))
            for number, (published, made) in enumerate(zip_longest(*rows), start=1):
                if published != made:
                    return (
                        f"{folder.name} does not follow from the journal: row {number} of {file} "
                        f"is {_name_row(published)}, the replay has {_name_row(made)}."
                    )
    return (
        f"{folder.name} does not follow from the journal: its rows do, but not its content hash "
        f"{manifest.content_hash[:12]}…: lineage of several steps, or the licence, differs."
    )


def _name_row(row: dict[str, object] | None) -> str:
    if row is None:
        return "nothing"
    record = f"record {row['id']}" if "id" in row else f"a draft rejected as {row['reason']}"
    return f"{record} of answer {row['completion_id']}"
