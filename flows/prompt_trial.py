"""``prompts compare``: one model, one task, several wordings of its question."""

from pathlib import Path

from pydantic import Field

from flows.answerers import find_model, open_answerer
from flows.engine import Engine
from flows.settings import Settings
from schemas.errors import UserError
from schemas.evaluation import PromptComparison, ScoreRule
from schemas.frozen import Frozen
from schemas.storage import read_jsonl
from training.base_model import Precision
from training.evaluation.tasks.items import EvaluationTask, ShotCount, Wording
from training.evaluation.tasks.loading import load_task


class PromptRequest(Frozen):
    """Which wordings are compared on what."""

    model: str
    """A tuned student, an embedded student, a folder, or URL#MODEL."""
    task: str
    """Name of a task of ours, or a file."""
    wording: tuple[str, ...] = ()
    """Instructions of the user's own."""
    wordings_file: Path | None = None
    """JSONL of {"name", "instruction", "form"}."""
    only_mine: bool = False
    """Leave out those of the task's card."""
    shots: ShotCount = 0
    draws: int = Field(default=2, ge=1, le=16)
    limit: int | None = Field(default=None, ge=2)
    rule: ScoreRule = "raw"
    random_seed: int = Field(default=0, ge=0)
    precision: Precision | None = None


class WordingError(UserError):
    """Wordings that cannot be compared."""


def gather_wordings(request: PromptRequest, task: EvaluationTask) -> tuple[Wording, ...]:
    """Gather the card's wordings, those of a file and those of the command line.

    Raises:
        RecordFileError: A line of the file is no wording.
        WordingError: Two have the same name.
    """
    found = [] if request.only_mine else list(task.card.wordings)
    if request.wordings_file is not None:
        found += read_jsonl(request.wordings_file, Wording)
    found += [
        Wording(name=f"mine-{place}", instruction=text)
        for place, text in enumerate(request.wording, start=1)
    ]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise WordingError(
                f"Two wordings are called {name!r}: rename the one in {request.wordings_file}, or "
                "leave out those of the task with --only-mine."
            )
    return tuple(found)


def run_trial(request: PromptRequest, settings: Settings, engine: Engine) -> PromptComparison:
    """Ask the model in every wording.

    Raises:
        UserError: Model, task or wordings that cannot be used.
    """
    from training.evaluation.asking import choose_template
    from training.evaluation.prompt_comparison import Trial, compare_wordings

    task = load_task(request.task)
    wordings = gather_wordings(request, task)
    card = task.card.model_copy(update={"wordings": wordings})
    found = find_model(request.model, settings, engine)
    folders = {request.model: found} if isinstance(found, Path) else {}
    asking = choose_template(folders, request.model)
    trial = Trial(
        task.model_copy(update={"card": card}),
        request.shots,
        request.draws,
        request.limit,
        request.random_seed,
        request.rule,
        asking.template,
    )
    answerer = open_answerer(found, settings, request.precision, needs_log_probs=task.is_choice)
    folder = settings.outputs / "evaluations" / ".cells"
    with engine.progress("prompts") as progress:
        return compare_wordings(request.model, answerer, trial, folder, progress)
