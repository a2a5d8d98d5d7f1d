"""Read a judge's answer: three scores with reasons, or nothing.

Models without structured answers wrap the object in prose and fences and write numbers as strings;
both are read. A score that is no whole number from 1 to 5 is none, and spoils the answer: half a
judgement would be compared with whole ones. Cost: linear, for the few objects that are tried.
"""

import json
import re
import unicodedata
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from schemas.judgements import Grade, Judgement

_LONGEST_REASON = 300
_MOST_TRIES = 20
_OPENING = re.compile(r"\{")
_DECODER = json.JSONDecoder(strict=False)


def parse_judgement(answer: str) -> Judgement | None:
    """Read the scores of an answer; None where it has none. Never raises.

    The last object with all three scores counts: some judges repeat the example first.
    """
    found: Judgement | None = None
    end = 0
    tries = 0
    for opening in _OPENING.finditer(answer):
        if opening.start() < end:
            continue
        tries += 1
        if tries > _MOST_TRIES:
            break
        try:
            value, end = _DECODER.raw_decode(answer, opening.start())
        except (ValueError, RecursionError):
            continue
        found = _read(value) or found
    return found


def _read(value: object) -> Judgement | None:
    try:
        read = _Answer.model_validate(value)
    except ValidationError:
        return None
    graded = (read.helpfulness, read.correctness, read.clarity)
    return Judgement(*(Grade(one.score, one.reason) for one in graded))


def _refuse_truth(value: object) -> object:
    """Make no number of true and false, which are 1 and 0 to Python."""
    return None if isinstance(value, bool) else value


def _fold(value: object) -> str:
    """Make one line of valid text: escapes in JSON can spell lone surrogates and controls."""
    if not isinstance(value, str):
        return ""
    valid = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    shown = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in valid)
    folded = " ".join(unicodedata.normalize("NFC", shown).split())
    return folded if len(folded) <= _LONGEST_REASON else folded[: _LONGEST_REASON - 1] + "…"


class _Graded(BaseModel):
    model_config = ConfigDict(extra="ignore")

    score: Annotated[int, BeforeValidator(_refuse_truth), Field(ge=1, le=5)]
    reason: Annotated[str, BeforeValidator(_fold)] = ""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    helpfulness: _Graded
    correctness: _Graded
    clarity: _Graded
