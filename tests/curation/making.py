"""Drafts, records and seed tasks of one line."""

from schemas.records import Draft, InstructionRecord, Language, Provenance, SeedTask

PROVENANCE = Provenance(strategy="import", teacher="test", completion_id="test:1")
ANSWER: dict[Language, str] = {
    "en": "Apples, pears and plums.",
    "ko": "사과, 배, 자두입니다.",
}


def make_draft(
    instruction: str, language: Language, *, input_text: str = "", output: str | None = None
) -> Draft:
    return Draft(
        instruction=instruction,
        input=input_text,
        output=ANSWER[language] if output is None else output,
        language=language,
        provenance=PROVENANCE,
    )


def make_record(
    instruction: str, language: Language, *, input_text: str = "", output: str | None = None
) -> InstructionRecord:
    return InstructionRecord(
        instruction=instruction,
        input=input_text,
        output=ANSWER[language] if output is None else output,
        language=language,
        provenance=PROVENANCE,
    )


def make_seed(task_id: str, instruction: str, language: Language, input_text: str = "") -> SeedTask:
    return SeedTask(
        id=task_id,
        language=language,
        instruction=instruction,
        input=input_text,
        output=ANSWER[language],
    )
