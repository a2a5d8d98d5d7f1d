"""Turn the pieces that a parser found into a draft: clean text, one spelling of "no input"."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from schemas.exchange import Completion, Exchange, Prompt
from schemas.records import Defect, Draft, Provenance

# Spellings seen in answers of small models to "write <noinput> when no input is needed".
_NO_INPUT = re.compile(
    r"[<\[(\"'`*_〈《【「]*\s*(?:no[\s_-]?(?:additional\s|specific\s|further\s)?inputs?"
    r"(?:\s+(?:is\s+|was\s+)?(?:needed|required|necessary|provided|given))?"
    r"|not\s+(?:applicable|needed|required|necessary)|n/?a|none|null|empty|nil|-+"
    r"|(?:(?:별도의?|추가)\s*)?(?:입력\s*(?:값|문|자료)?\s*[은이]?\s*)?(?:없음|없습니다|없어요"
    r"|필요\s*없(?:음|습니다|어요)|필요하지\s*않(?:음|습니다|아요)|불필요(?:함|합니다)?)"
    r"|해당\s*(?:사항\s*)?없(?:음|습니다))\s*[>\])\"'`*_〉》】」.。]*",
    re.IGNORECASE,
)

# Teachers that forget the label of an empty input leave the mark behind the instruction.
_MARK_AT_END = re.compile(r"(?<!\s)\s*+[<＜]\s*+(?:no\s?input|없음)\s*+[>＞]\s*+\Z", re.IGNORECASE)

# NUL and the other control characters have no place in a record. They become U+FFFD, as lone
# surrogates do, so that curation still sees that the text was broken.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean(text: str) -> str:
    """Join surrogate pairs and turn what cannot be written as UTF-8 text into U+FFFD."""
    if not text.isascii():  # a fast path, not a language rule
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))


def is_no_input(text: str) -> bool:
    """Tell whether a text only says that there is no input."""
    if len(text) >= 60:
        return False
    # NFKC, because Korean keyboards and models write （없음） and ＜noinput＞ in full width.
    return _NO_INPUT.fullmatch(unicodedata.normalize("NFKC", text).strip()) is not None


class Pieces(NamedTuple):
    """One task as a parser found it."""

    instruction: str
    input: str
    output: str
    is_cut: bool = False
    """The completion ended inside it; that goes before any other defect."""
    defect: Defect | None = None
    """What a strategy found wrong with it."""


def make_drafts(
    pieces: Sequence[Pieces],
    completion: Completion,
    prompt: Prompt,
    *,
    earlier_ids: tuple[str, ...] = (),
) -> list[Draft]:
    """Make one draft a piece, in order; without any piece one that holds the whole text.

    Args:
        pieces: What was found in the completion.
        completion: The last answer that led to them.
        prompt: What it answers.
        earlier_ids: The answers before it that led to its prompt, in order.
    """
    found = pieces or [Pieces("", "", completion.text, defect="unparseable")]
    return [
        _make_draft(piece, position, Exchange(prompt, completion), earlier_ids)
        for position, piece in enumerate(found)
    ]


def _make_draft(
    piece: Pieces, position: int, exchange: Exchange, earlier_ids: tuple[str, ...]
) -> Draft:
    prompt, completion = exchange
    instruction, given, output = (clean(part).strip() for part in piece[:3])
    return Draft(
        instruction=_MARK_AT_END.sub("", instruction),
        input="" if is_no_input(given) else given,
        output=output,
        language=prompt.language,
        defect="truncated" if piece.is_cut else piece.defect,
        provenance=Provenance(
            strategy=prompt.strategy,
            teacher=completion.model,
            completion_id=completion.id,
            position=position,
            seed_ids=prompt.seed_ids,
            task_type=prompt.task_type,
            earlier_completion_ids=earlier_ids,
        ),
    )
