"""Run a generation against an endpoint; also as a child process that a test can kill.

``python -m tests.generation.scripted_run JOURNAL BASE_URL OUTPUT CONCURRENCY``
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pipeline.generation.budget.budget import Budget
from pipeline.generation.budget.caps import Caps
from pipeline.generation.config import GenerationConfig
from pipeline.generation.dispatch import Endpoint
from pipeline.generation.journal.journal import Journal
from pipeline.generation.reports import GenerationResult, RoundReport
from pipeline.generation.rounds import Generation, Task
from pipeline.generation.teacher.client import Teacher
from schemas.progress import Progress, no_progress
from schemas.records import Draft, InstructionRecord, Language, Rejection, SeedTask, TaskType

MODEL = "scripted"
KEY = "sk-test-3f9a7c1e5b2d8064"
KINDS: tuple[TaskType, ...] = ("classification", "code", "rewriting", "explanation")


def make_seeds(count: int = 24) -> list[SeedTask]:
    """Write seed tasks in both languages, of four kinds in turn."""
    return [
        make_seed(language, number, KINDS[number % len(KINDS)])
        for language in ("en", "ko")
        for number in range(count // 2)
    ]


def make_seed(language: Language, number: int, task_type: TaskType = "unspecified") -> SeedTask:
    """Write one seed task."""
    texts = {
        "en": (f"Describe mountain number {number}.", f"It is {number} metres high."),
        "ko": (f"{number}번 산을 설명하세요.", f"높이가 {number}미터인 산입니다."),
    }
    instruction, output = texts[language]
    return SeedTask(
        id=f"{language}-{number}",
        language=language,
        task_type=task_type,
        instruction=instruction,
        output=output,
    )


def admit_whole(draft: Draft) -> InstructionRecord | Rejection:
    """Admit every draft that has the parts of a record; a fifth of them is turned away."""
    if draft.defect is not None:
        return Rejection(draft=draft, stage="schema", reason=draft.defect, detail="no record")
    if not draft.instruction or not draft.output:
        return Rejection(draft=draft, stage="schema", reason="empty-output", detail="nothing there")
    if draft.output.endswith(("0", "5")):
        return Rejection(draft=draft, stage="rules", reason="placeholder", detail="by its digit")
    return InstructionRecord(
        instruction=draft.instruction,
        input=draft.input,
        output=draft.output,
        language=draft.language,
        provenance=draft.provenance,
    )


def make_config(**changes: object) -> GenerationConfig:
    """Quotas that take several rounds, with the given fields replaced."""
    fields: dict[str, object] = {"quota": {"en": 20, "ko": 12}, "random_seed": 7, "concurrency": 8}
    return GenerationConfig.model_validate(fields | changes)


class Made(NamedTuple):
    """All that a run made."""

    result: GenerationResult
    drafts: list[Draft]
    admitted: list[InstructionRecord]


def run(
    journal: Journal,
    connect: Callable[[], Endpoint],
    config: GenerationConfig,
    *,
    admit: Callable[[Draft], InstructionRecord | Rejection] = admit_whole,
    progress: Progress = no_progress,
    on_round: Callable[[RoundReport], None] = lambda _report: None,
) -> Made:
    """Run to the end; ``on_round`` hears of each round after its fold."""
    drafts: list[Draft] = []
    admitted: list[InstructionRecord] = []

    def admit_and_keep(draft: Draft) -> InstructionRecord | Rejection:
        verdict = admit(draft)
        if isinstance(verdict, InstructionRecord):
            admitted.append(verdict)
        return verdict

    task = Task(config, MODEL, make_seeds())
    budget = Budget(Caps(max_requests=config.max_requests))
    with Generation(
        task, journal, connect, admit_and_keep, drafts.append, budget=budget, progress=progress
    ) as generation:
        while (report := generation.advance()) is not None:
            on_round(report)
    return Made(generation.result, drafts, admitted)


def generate(
    journal_path: Path, base_url: str, config: GenerationConfig, progress: Progress = no_progress
) -> Made:
    """Run to the end with a real client on a real journal."""

    def connect() -> Endpoint:
        return Teacher(base_url, MODEL, KEY, concurrency=config.concurrency)

    with Journal(journal_path) as journal:
        return run(journal, connect, config, progress=progress)


def to_bytes(made: Made) -> bytes:
    """All that a run made, as it would be written."""
    lines = [model.model_dump_json() for model in [*made.drafts, *made.admitted]]
    return "\n".join(lines).encode()


if __name__ == "__main__":
    journal_name, url, output_name, concurrency = sys.argv[1:]
    made = generate(Path(journal_name), url, make_config(concurrency=int(concurrency)))
    Path(output_name).write_bytes(to_bytes(made))
