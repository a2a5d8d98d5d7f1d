"""Records are normalised, named by content, and refuse what they do not know."""

import unicodedata

import pytest
from pydantic import BaseModel, ValidationError

from schemas.evaluation import EvaluationReport
from schemas.exchange import Decoding, Message, Prompt
from schemas.manifest import DatasetManifest, TrainingManifest
from schemas.records import Draft, InstructionRecord, Language, Provenance, Rejection, SeedTask

PROVENANCE = Provenance(strategy="structured", teacher="t", completion_id="c")


def make_record(instruction: str, language: Language = "ko") -> InstructionRecord:
    return InstructionRecord(
        instruction=instruction, output="사과", language=language, provenance=PROVENANCE
    )


@pytest.mark.parametrize(("text", "language"), [("과일을 말해 줘.", "ko"), ("Name a café.", "en")])
def test_decomposed_and_composed_text_are_one_record(text: str, language: Language) -> None:
    decomposed = make_record("  " + unicodedata.normalize("NFD", text) + "\n", language)

    assert decomposed.instruction == text
    assert decomposed.id == make_record(text, language).id


def test_id_tells_where_one_column_ends_and_the_next_begins() -> None:
    one = InstructionRecord(
        instruction="ab", input="c", output="d", language="en", provenance=PROVENANCE
    )
    two = InstructionRecord(
        instruction="a", input="bc", output="d", language="en", provenance=PROVENANCE
    )
    assert one.id != two.id


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_record_without_text_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        make_record(text)


def test_labels_belong_to_classification_only() -> None:
    seed = {"id": "a", "language": "en", "instruction": "Sort.", "output": "x", "labels": ["x"]}

    with pytest.raises(ValidationError, match="classification"):
        SeedTask.model_validate({**seed, "task_type": "code"})
    assert SeedTask.model_validate({**seed, "task_type": "classification"}).labels == ("x",)


def test_prompt_key_depends_on_all_that_decides_the_answer_and_on_nothing_else() -> None:
    prompt = Prompt(
        messages=(Message(role="user", content="안녕"),),
        decoding=Decoding(),
        strategy="structured",
        language="ko",
    )
    others = [
        prompt.model_copy(update={"messages": (Message(role="system", content="안녕"),)}),
        prompt.model_copy(update={"decoding": Decoding(temperature=0.1)}),
        prompt.model_copy(update={"response_schema": {"type": "object"}}),
        prompt.model_copy(update={"sample_index": 1}),
    ]
    keys = {prompt.key("a"), prompt.key("b"), *(other.key("a") for other in others)}

    assert len(keys) == 6
    assert prompt.model_copy(update={"seed_ids": ("x",)}).key("a") == prompt.key("a")


@pytest.mark.parametrize(
    "model",
    [SeedTask, Draft, InstructionRecord, Rejection, Prompt, DatasetManifest, TrainingManifest,
     EvaluationReport],
)  # fmt: skip
def test_json_schema_describes_each_field_and_closes_the_object(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()

    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(model.model_fields)
