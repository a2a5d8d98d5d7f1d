"""What one review shows and where it writes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from pipeline.publishing.review.decisions import DecisionLog
from schemas.records import Language
from schemas.review import ReviewedText

CheckEdit = Callable[[ReviewedText, Language], ReviewedText]
"""Returns an edited text as a record may hold it; raises UserError where none may."""


class ReviewSession(NamedTuple):
    """What one server shows and where it writes."""

    page: bytes
    """The report in review mode."""
    languages: Mapping[str, Language]
    """By id, of all records and rejected drafts that can be decided upon."""
    log: DecisionLog
    dataset: str
    """``NAME/VERSION``."""
    author: str
    now: Callable[[], datetime]
    """With its offset from UTC."""
    check_edit: CheckEdit
