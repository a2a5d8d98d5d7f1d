"""What each section of a card is written from."""

from collections.abc import Mapping
from typing import NamedTuple

from pipeline.publishing.card.speaker import Speaker
from pipeline.publishing.edition import Edition
from pipeline.publishing.pictures.picture import Picture, Subject
from schemas.markdown import plain
from schemas.records import LANGUAGES, InstructionRecord, Language


class Page(NamedTuple):
    """A card in the making; a section is a function from it to Markdown, empty for none."""

    edition: Edition
    kept: list[InstructionRecord]
    speaker: Speaker
    pictures: Mapping[Subject, Picture]

    def say(self, english: str, korean: str) -> str:
        """Choose between two wordings of the same."""
        return self.speaker.say(english, korean)

    def picture(self, subject: Subject) -> str:
        """Show a picture; nothing where it was not drawn."""
        picture = self.pictures.get(subject)
        if picture is None:
            return ""
        return f"![{plain(f'{picture.title}. {picture.alt}')}]({picture.path})"

    def section(self, english: str, korean: str, *parts: str) -> str:
        """Put a heading over the parts that have something to say; nothing where none has."""
        said = [part for part in parts if part]
        return "\n\n".join([f"## {self.say(english, korean)}", *said]) if said else ""

    @property
    def languages(self) -> list[Language]:
        """Those of kept records or rejected drafts."""
        manifest = self.edition.manifest
        return [
            language
            for language in LANGUAGES
            if manifest.kept_by_language.get(language)
            or manifest.rejected_by_language.get(language)
        ]
