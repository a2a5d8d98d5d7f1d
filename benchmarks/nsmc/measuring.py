"""Ask every model everything; each cell is kept, so that a second call continues.

Cost: 400 reviews in one wording take about 20 to 40 CPU-s at zero-shot with Gemma 3 270M, twice
that with eight worked examples.
"""

from pathlib import Path
from typing import NamedTuple

from benchmarks.nsmc.mixtures import Sizes
from benchmarks.nsmc.public_rows import read_general_rows
from benchmarks.nsmc.rows import DATA, Row, read_lines
from benchmarks.nsmc.task import FOR_THE_BASE, SEEN, UNSEEN, make_task
from schemas.progress import Progress, no_progress
from schemas.records import InstructionRecord, Provenance
from schemas.templates import INSTRUCTION
from training.evaluation.answerers import LocalModel, Written
from training.evaluation.cells import Answered, answer_cells, plan_cells
from training.evaluation.held_out import RecordLoss, measure_losses
from training.evaluation.tasks.loading import load_task

SEED = 0
BASE_SHOTS = (0, 1, 8)
DRAWS = 3
OTHER_TASKS = (
    "topic-ko",
    "topic-en",
    "entailment-ko",
    "entailment-en",
    "honorifics-ko",
    "spelling-ko",
)
"""Of ours, answers given; the sentiment tasks are left out, being nearly the trained one."""
OTHER_ITEMS = 150
OTHER_WORDINGS = 2
TEXTS = 80
"""Records a language."""
_LONGEST = 400
"""Characters of an English record."""
WRITTEN_ITEMS = 50
_WRITTEN_TOKENS = 12


def ask_reviews(
    model: LocalModel,
    is_base: bool,
    folder: Path,
    progress: Progress = no_progress,
    data: Path = DATA,
    limit: int | None = None,
) -> list[Answered]:
    """Ask for the sentiment: a student at zero-shot in four wordings, the base in all ways."""
    task = make_task(SEEN + UNSEEN + (FOR_THE_BASE if is_base else ()), data)
    shots, draws = (BASE_SHOTS, DRAWS) if is_base else ((0,), 1)
    cells = plan_cells([task], shots, len(task.card.wordings), draws, limit, SEED)
    # The short wording is one more chance at zero-shot; with examples it is like the others.
    wanted = [cell for cell in cells if cell.shot_count == 0 or cell.wording.name != "short"]
    return answer_cells(model, wanted, folder, progress)


def ask_others(
    model: LocalModel, folder: Path, progress: Progress = no_progress, limit: int = OTHER_ITEMS
) -> list[Answered]:
    """Ask tasks that no record was made from, zero-shot."""
    tasks = [load_task(name) for name in OTHER_TASKS]
    cells = plan_cells(tasks, (0,), OTHER_WORDINGS, 1, limit, SEED)
    return answer_cells(model, cells, folder, progress)


def weigh_texts(model: LocalModel, data: Path = DATA, limit: int = TEXTS) -> list[RecordLoss]:
    """Measure how well answers of people are foretold, given the instruction.

    English: expert-written evaluation tasks, which nothing here is trained on. Korean: those of our
    seed tasks with longer answers than the mixture takes; the student on general records has seen
    most of them.
    """
    records = [
        InstructionRecord(
            instruction=row.instruction,
            input=row.input,
            output=row.output,
            language=row.language,
            provenance=Provenance(strategy="import", teacher="people", completion_id=row.kind),
        )
        for row in [*_english_texts(data)[:limit], *_korean_texts(data)[:limit]]
    ]
    return measure_losses(model, records, INSTRUCTION)


def _english_texts(data: Path) -> list[Row]:
    rows: list[Row] = []
    for task in read_lines("self_instruct/user_oriented_instructions.jsonl", data):
        instance = task["instances"][0]
        row = Row("held out", "en", task["instruction"], instance["input"], instance["output"])
        if row.output.strip() and row.characters <= _LONGEST:
            rows.append(row)
    return rows


def _korean_texts(data: Path) -> list[Row]:
    return [
        row
        for row in read_general_rows(data)
        if row.language == "ko" and len(row.output) > Sizes().general_output
    ]


class WrittenLabels(NamedTuple):
    """What a model wrote in one wording."""

    wording: str
    written: list[Written]
    labels: list[str]
    """The right ones."""


def write_labels(
    model: LocalModel, data: Path = DATA, limit: int = WRITTEN_ITEMS
) -> list[WrittenLabels]:
    """Let the model write its answer to the first reviews, in each of the four wordings."""
    task = make_task(SEEN + UNSEEN, data)
    found: list[WrittenLabels] = []
    for cell in plan_cells([task], (0,), 4, 1, limit, SEED):
        opened = cell.opened
        written = [
            Written(opened.read_answer(one.text), one.ended)
            for one in model.write(cell.prompts, _WRITTEN_TOKENS, opened.template)
        ]
        found.append(WrittenLabels(cell.wording.name, written, [one.label for one in cell.items]))
    return found
