"""Turn drafts into records: complete, of bearable length, and made of characters that people see.

The first stage. Nothing behind it looks at a draft again, so whatever a completion may contain has
to end here as an NFC-normalised record or as a rejection. Cost grows with the text's length.
"""

import re
import unicodedata
from typing import NamedTuple

from pydantic import Field

from schemas.frozen import Frozen
from schemas.records import Defect, Draft, InstructionRecord, Reason, Rejection

_DEFECTS: dict[Defect, str] = {
    "unparseable": "no record was found in the completion",
    "truncated": "the completion was cut at the token limit within this record",
    "trailing-colon": "input or output ends with a colon, as if something were to follow",
    "conflicting-outputs": "the completion answers the same input in several ways",
    "copies-source": "input or output is a near-copy of the document behind it",
    "broken-translation": "the translation left, changed or lost a part of the task",
    "not-evolved": "the evolved task adds nothing, has no answer, or quotes its prompt",
    "wrong-type": "instruction, input or output is no text; the output shows the whole row",
}

# Unicode's line and paragraph separators and old line ends would make equal texts differ.
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029]")

_BROKEN: tuple[tuple[str, str], ...] = (
    ("a lone surrogate", "[\ud800-\udfff]"),
    ("a control character", "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"),
    ("the replacement character of a failed decoding", "\ufffd"),
    # A soft hyphen, Hangul fillers, zero-width spaces and tags show nothing and split words.
    (
        "an invisible character",
        "[\u00ad\u115f\u1160\u180e\u200b\u200c\u2060-\u2064\u3164\ufeff\uffa0\U000e0000-\U000e007f]",
    ),
    # The joiner belongs into emoji such as 👨‍👩‍👧, where it follows a pictograph.
    ("a joiner outside an emoji", "(?<![\ufe0f\u2190-\u2bff\U0001f000-\U0001faff])\u200d"),
    ("a text direction mark", "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"),
    ("a private use character", "[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]"),
    ("a code point that is no character", "[\ufdd0-\ufdef\ufffe\uffff]"),
)
_ANY_BROKEN = re.compile("|".join(f"({pattern})" for _, pattern in _BROKEN))
_SURROGATE = re.compile("[\ud800-\udfff]")


class ValidationConfig(Frozen):
    """How long the parts of a record may be."""

    max_instruction_characters: int = Field(default=2000, ge=1)
    """Characters of the instruction. Longer ones are articles or several tasks run together; raise
    it for instructions that quote their material instead of putting it into the input."""
    max_input_characters: int = Field(default=8000, ge=0)
    """Characters of the input. Lower it to what the student's context holds beside the answer."""
    max_output_characters: int = Field(default=16000, ge=1)
    """Characters of the output. Lower it to what the student may learn to write."""


class _Fault(NamedTuple):
    reason: Reason
    detail: str


class _Texts(NamedTuple):
    instruction: str
    input: str
    output: str


def validate(draft: Draft, config: ValidationConfig) -> InstructionRecord | Rejection:
    """Make a record of a draft, or say what is wrong with it; never raises on any text.

    Text is put into NFC, its line ends become line feeds and its outer white space goes.
    """
    texts = _Texts(_tidy(draft.instruction), _tidy(draft.input), _tidy(draft.output))
    fault = _find_fault(draft.defect, texts, config)
    if fault is not None:
        return Rejection(draft=_storable(draft), stage="schema", **fault._asdict())
    return InstructionRecord(
        **texts._asdict(), language=draft.language, provenance=draft.provenance
    )


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text)).strip()


def _find_fault(defect: Defect | None, texts: _Texts, config: ValidationConfig) -> _Fault | None:
    if defect is not None:
        return _Fault(defect, _DEFECTS[defect])
    if not texts.instruction:
        return _Fault("empty-instruction", "the instruction is empty")
    if not texts.output:
        return _Fault("empty-output", "the output is empty")
    limits = (
        config.max_instruction_characters,
        config.max_input_characters,
        config.max_output_characters,
    )
    for name, text, limit in zip(_Texts._fields, texts, limits, strict=True):
        if len(text) > limit:
            return _Fault("too-long", f"the {name} has {len(text):,} characters, over {limit:,}")
    for name, text in zip(_Texts._fields, texts, strict=True):
        broken = _ANY_BROKEN.search(text)
        if broken is not None:
            kind = _BROKEN[(broken.lastindex or 1) - 1][0]
            return _Fault(
                "broken-text",
                f"the {name} has {kind}, U+{ord(broken[0]):04X}, at character {broken.start() + 1}",
            )
    return None


def _storable(draft: Draft) -> Draft:
    """Put U+FFFD for lone surrogates, because no UTF-8 file can hold those."""
    texts = _Texts(draft.instruction, draft.input, draft.output)
    if not any(_SURROGATE.search(text) for text in texts):
        return draft
    repaired = _Texts(*(_SURROGATE.sub("\ufffd", text) for text in texts))
    return draft.model_copy(update=repaired._asdict())
