"""Readers' decisions: where they are kept, and the session in which they are made."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from flows.engine import Engine
from flows.exchanges import open_exchanges
from flows.explanation import load_known_seeds
from flows.paths import reviews_path
from flows.resources import find_dataset
from flows.settings import Settings
from pipeline.curation.validation import ValidationConfig, validate
from pipeline.publishing.edition import Edition
from pipeline.publishing.opening import load_edition
from pipeline.publishing.report.report import ReviewMode, render_report
from pipeline.publishing.review.decisions import DecisionLog, read_stored_decisions
from pipeline.publishing.review.session import ReviewSession
from pipeline.publishing.versions import check_name, open_version
from schemas.errors import UserError
from schemas.manifest import DatasetManifest
from schemas.records import Draft, Language, Provenance, Rejection
from schemas.review import ReviewDecision, ReviewedText

_ANY_LENGTH = ValidationConfig(
    max_instruction_characters=10**9, max_input_characters=10**9, max_output_characters=10**9
)
"""A reader may want a longer text than a teacher is trusted with."""
_BY_READER = Provenance(strategy="review", teacher="reader", completion_id="review")


class ReviewError(UserError):
    """A review cannot be opened, or a text cannot be a record's."""


class OpenReview(NamedTuple):
    """A version that is ready to be reviewed."""

    manifest: DatasetManifest
    session: ReviewSession


def read_decisions(name: str, settings: Settings, engine: Engine) -> list[ReviewDecision]:
    """Read what readers decided about the records of a name, oldest first.

    A line that a crash cut short is no decision; the engine is told of it.

    Raises:
        RecordFileError: Names the line that is no decision.
    """
    path = reviews_path(settings.outputs, name)
    stored = read_stored_decisions(path)
    if stored.torn:
        engine.say(_describe_torn(path, stored.torn))
    return stored.decisions


def open_review(reference: str, author: str, settings: Settings, engine: Engine) -> OpenReview:
    """Render a version's page for a reader, and open the file for decisions.

    Args:
        reference: A dataset version as :func:`find_dataset` takes it.
        author: Who decides.
        settings: Where things are.
        engine: Told what is worth knowing.

    Raises:
        ReviewError: The author's name is none.
        UserError: The version cannot be found or read.
        StorageError: The file for decisions cannot be written.
    """
    if not 1 <= len(author) <= 100 or not author.isprintable() or author != author.strip():
        raise ReviewError(
            f"An author is named in 1 to 100 characters on one line, found {author!r}. Say who "
            "decides with --author."
        )
    folder = find_dataset(reference, settings)
    manifest = open_version(folder)
    # The manifest may have come from elsewhere, and its name becomes a file's.
    check_name(manifest.name)
    read_decisions(manifest.name, settings, engine)
    log = DecisionLog(reviews_path(settings.outputs, manifest.name))
    engine.say(f"Making the page of {manifest.name}/{manifest.version} …")
    with open_exchanges((manifest.name,), settings) as find_exchange:
        edition = load_edition(folder, load_known_seeds(manifest, settings), find_exchange)
        mode = ReviewMode([one.decision for one in log.look()])
        page = "".join(render_report(edition, review=mode)).encode()
    session = ReviewSession(
        page=page,
        languages=_list_languages(edition),
        log=log,
        dataset=f"{manifest.name}/{manifest.version}",
        author=author,
        now=lambda: datetime.now(UTC).astimezone().replace(microsecond=0),
        check_edit=check_edit,
    )
    return OpenReview(manifest, session)


def check_edit(text: ReviewedText, language: Language) -> ReviewedText:
    """Put an edited text into the form of a record's, as curation does with drafts.

    Raises:
        ReviewError: It holds characters that people do not see, or that are none.
    """
    draft = Draft(**text.model_dump(), language=language, provenance=_BY_READER)
    checked = validate(draft, _ANY_LENGTH)
    if isinstance(checked, Rejection):
        raise ReviewError(f"This text cannot be kept: {checked.detail}.")
    return ReviewedText(instruction=checked.instruction, input=checked.input, output=checked.output)


def _list_languages(edition: Edition) -> dict[str, Language]:
    drafts = [*(one.draft for one in edition.rejected), *edition.kept]
    return {draft.id: draft.language for draft in drafts}


def _describe_torn(path: Path, torn: str) -> str:
    return (
        f"The last line of {path} was cut short by a crash and counts for nothing: {torn[:80]!r}. "
        f"The next decision moves it to {path.with_suffix('.torn').name}."
    )
