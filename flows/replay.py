"""Make the drafts of a version again from its journal alone; nothing is sent and nothing written.

Each run of the version's manifest is replayed with its own config, seed files and random seed
against an endpoint that refuses to be asked. Costs what generating from a full journal costs.
"""

from collections.abc import Sequence
from pathlib import Path

from flows.resources import load_document_files, load_seeds
from flows.sources import Sources
from pipeline.curation.config import CurationConfig
from pipeline.curation.funnel import Admission
from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import BudgetSpentError
from pipeline.generation.config import GenerationConfig
from pipeline.generation.journal.journal import Journal
from pipeline.generation.rounds import Generation, Task
from schemas.errors import PacaloomError
from schemas.exchange import Completion, Prompt
from schemas.manifest import GenerationRun
from schemas.progress import Progress
from schemas.records import Draft


class VerificationError(PacaloomError):
    """The version does not follow from the journal; the message names the first difference."""


class MissingAnswerError(VerificationError):
    """A prompt has no answer in the journal: it is not whole, or another program asked it."""


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
        raise MissingAnswerError(
            f"Answer {key} is missing in {self._journal}: a prompt of {prompt.strategy}, "
            f"{prompt.language}. Import the journal of whoever made the version with "
            "`./pacaloom journal import`."
        )

    async def close(self) -> None:
        """Nothing is open."""


def replay(
    runs: Sequence[GenerationRun], path: Path, sources: Sources, progress: Progress
) -> list[Draft]:
    """Write the drafts of all runs again, in their order.

    Raises:
        VerificationError: An answer is missing, or a run made more or fewer drafts.
        UnverifiableError: One of the files that a run had is not found.
        JournalError: There is no journal.
    """
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
    sources: Sources,
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
