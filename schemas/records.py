"""What flows through the factory: seed tasks, drafts, instruction records, rejections.

A draft becomes either an :class:`InstructionRecord` or a :class:`Rejection`, never neither and
never both: ``len(drafts) == len(kept) + len(dropped)`` holds after every stage.
"""

import unicodedata
from functools import cached_property
from typing import Annotated, Literal, NamedTuple, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from schemas.frozen import Frozen
from schemas.identity import short_id

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = ("en", "ko")

TaskType = Literal[
    "classification",
    "extraction",
    "rewriting",
    "summarization",
    "translation",
    "question-answering",
    "reasoning",
    "arithmetic",
    "code",
    "creative-writing",
    "practical-writing",
    "brainstorming",
    "explanation",
    "language",
    "unspecified",
]


def _normalise(text: str) -> str:
    """NFC and no outer white space: decomposed Hangul would make equal texts differ."""
    return unicodedata.normalize("NFC", text).strip()


Text = Annotated[str, AfterValidator(_normalise)]
NonEmptyText = Annotated[str, AfterValidator(_normalise), Field(min_length=1)]


class SeedTask(Frozen):
    """A hand-written example that starts self-instruct."""

    id: str = Field(min_length=1)
    """Unique within its file."""
    language: Language
    task_type: TaskType = "unspecified"
    instruction: NonEmptyText
    input: Text = ""
    """What the instruction works on; empty when it needs nothing."""
    output: NonEmptyText
    labels: tuple[str, ...] = ()
    """The closed set of answers of a classification task; empty for all others."""
    source: str = "pacaloom"
    """Where the task comes from: ``pacaloom``, ``self-instruct``, ``koalpaca-v1.1``."""

    @model_validator(mode="after")
    def _labels_only_classify(self) -> Self:
        if self.labels and self.task_type != "classification":
            raise ValueError(f"labels are for task_type 'classification', not {self.task_type!r}")
        return self


class Provenance(Frozen):
    """Where a draft comes from, down to the completion and the place in it."""

    strategy: str
    """The generation strategy that asked for it; ``import`` for records read from a file."""
    teacher: str
    """Model name as the endpoint knows it; for imports the name of the file."""
    completion_id: str
    """Key of the completion in the journal; for imports ``FILE:LINE``."""
    position: int = Field(default=0, ge=0)
    """Ordinal of the draft within its completion."""
    seed_ids: tuple[str, ...] = ()
    """Seed tasks behind the prompt, sorted; an example taken from the pool brings its own."""
    task_type: TaskType = "unspecified"
    """What kind of task the prompt asked for."""
    earlier_completion_ids: tuple[str, ...] = ()
    """Answers that led to this one, for strategies that ask in several steps, in order."""
    derived_from: str = ""
    """Seed task, record or document that this was made from, for strategies that rework one."""
    source_licence: str = ""
    """Licence of that document; empty for our own material."""
    edited: bool = False
    """A reader has rewritten it; ``derived_from`` is then the id that it had at first, unless it
    was made from something already."""


Defect = Literal[
    "unparseable",
    "truncated",
    "trailing-colon",
    "conflicting-outputs",
    "copies-source",
    "broken-translation",
    "not-evolved",
    "wrong-type",
]


class Draft(Frozen):
    """What was parsed from a completion, unchecked: any text may stand in any field."""

    instruction: str = ""
    input: str = ""
    output: str = ""
    """For a completion that could not be parsed, or a row with a field that is no text: all of
    it."""
    language: Language
    """The language that was asked for."""
    provenance: Provenance
    defect: Defect | None = None
    """What the strategy could already tell from the answer and what it was made from."""

    @property
    def id(self) -> str:
        """The id of the record that it is or would be: 16 hex digits."""
        texts = map(_normalise, (self.instruction, self.input, self.output))
        return short_id(self.language, *texts)


class InstructionRecord(Frozen):
    """A valid record in Alpaca's columns, NFC-normalised, with its origin."""

    instruction: NonEmptyText
    input: Text = ""
    output: NonEmptyText
    language: Language
    provenance: Provenance

    @cached_property
    def id(self) -> str:
        """Hash of language, instruction, input and output: 16 hex digits."""
        return short_id(self.language, self.instruction, self.input, self.output)


Stage = Literal[
    "schema",
    "duplicate",
    "language",
    "rules",
    "novelty",
    "near-duplicate",
    "contamination",
    "judge",
    "review",
]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""In the order in which a draft passes them."""

Reason = Literal[
    # schema
    "unparseable",
    "truncated",
    "trailing-colon",
    "conflicting-outputs",
    "copies-source",
    "broken-translation",
    "not-evolved",
    "wrong-type",
    "empty-instruction",
    "empty-output",
    "too-long",
    "broken-text",
    # duplicate
    "exact-duplicate",
    # language
    "wrong-language-instruction",
    "wrong-language-output",
    # rules
    "instruction-too-short",
    "instruction-too-long",
    "merged-instructions",
    "missing-input",
    "needs-image-or-file",
    "hallucinated-attachment",
    "nonsense",
    "output-repeats-instruction",
    "output-repeats-input",
    "not-an-answer",
    "empty-code",
    "refusal",
    "self-reference",
    "placeholder",
    "repetitive-output",
    "unfinished-output",
    "prompt-leftover",
    "hallucinated-link",
    "personal-data",
    "credentials",
    "wrong-arithmetic",
    "broken-jamo",
    "mixed-speech-levels",
    "translationese",
    # rules, of Alpaca's set
    "unsuitable-keyword",
    "write-a-program",
    "leading-punctuation",
    "leading-non-ascii",
    # novelty
    "repeat",
    # near-duplicate
    "near-duplicate",
    # contamination
    "contaminated-exact",
    "contaminated-overlap",
    "contaminated-lineage",
    # judge
    "low-score",
    "outside-top-share",
    "outside-difficulty",
    "not-judged",
    # review
    "rejected-by-reader",
]


class Rejection(Frozen):
    """A draft that was dropped, with the reason and what it collided with."""

    draft: Draft
    stage: Stage
    reason: Reason
    detail: str
    """One line for people: what was found and where."""
    score: float | None = None
    """The similarity or measure that decided, where there is one."""
    collides_with: str | None = None
    """Id of the kept record, seed task or evaluation item that this draft repeats, if any."""
    also: tuple[Reason, ...] = ()
    """Other rules that the record breaks: it would be dropped without the named one too."""


class Neighbour(NamedTuple):
    """The task that is most similar to a record, by novelty's measure."""

    id: str
    """Of another record of the version, or of a seed task."""
    score: float
    """Similarity, a fraction."""


class StageResult(NamedTuple):
    """The two halves of a stage's result; together they account for every input exactly once."""

    kept: list[InstructionRecord]
    """In input order."""
    dropped: list[Rejection]


def to_draft(record: InstructionRecord) -> Draft:
    """Turn a record back into the draft that it was, for a later stage's rejection."""
    return Draft(
        instruction=record.instruction,
        input=record.input,
        output=record.output,
        language=record.language,
        provenance=record.provenance,
    )
