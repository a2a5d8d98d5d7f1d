"""What each section of a model card is written from."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.manifest import DatasetManifest, SampleAnswer, TrainingManifest, TrainingPoint
from schemas.records import Language
from training.finetuning.explanation import ExplainedSetting


class Base(NamedTuple):
    """The model that was tuned, as far as readers elsewhere can find it."""

    label: str
    """For people: never a path of this machine."""
    hub_id: str | None
    """Its repository on the Hugging Face Hub, where that is known."""
    licence: str | None
    """As the hub spells it, where that is known."""


class Page(NamedTuple):
    """A card in the making; a section is a function from it to Markdown, empty for none."""

    manifest: TrainingManifest
    dataset: DatasetManifest
    base: Base
    settings: Sequence[ExplainedSetting]
    """All hyperparameters, those that differ from their defaults chosen by ``you``."""
    points: Sequence[TrainingPoint]
    answers: Sequence[SampleAnswer]

    @property
    def reference(self) -> str:
        """How commands name the version."""
        return f"{self.manifest.name}/{self.manifest.version}"

    @property
    def language(self) -> Language:
        """Of the card: the dataset card's."""
        return self.dataset.card_language

    def say(self, english: str, korean: str) -> str:
        """Choose between two wordings of the same."""
        return korean if self.language == "ko" else english

    def language_name(self, language: Language) -> str:
        """Name a language in the card's."""
        if language == "ko":
            return self.say("Korean", "한국어")
        return self.say("English", "영어")

    def section(self, english: str, korean: str, *parts: str) -> str:
        """Put a heading over the parts that have something to say; nothing where none has."""
        said = [part for part in parts if part]
        return "\n\n".join([f"## {self.say(english, korean)}", *said]) if said else ""
