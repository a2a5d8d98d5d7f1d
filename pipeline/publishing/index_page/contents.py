"""What the index page shows, gathered by who knows the folders.

All links are relative to the page and percent-encoded.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from schemas.evaluation import MatrixRow, Verdict
from schemas.manifest import SourceFile
from schemas.records import Language

LinkKind = Literal["report", "card", "manifest", "results"]


class Link(NamedTuple):
    """A page or file beside the index page."""

    kind: LinkKind
    href: str


class JournalEntry(NamedTuple):
    """The prompts and answers under a name."""

    size: int
    """Bytes."""
    changed: datetime


class VersionEntry(NamedTuple):
    """A dataset version."""

    name: str
    version: str
    changed: datetime
    """When its folder was written, as the disk says."""
    kept: int
    generated: int
    kept_by_language: Mapping[Language, int]
    teachers: tuple[str, ...]
    """Most drafts first."""
    seeds: tuple[SourceFile, ...]
    parents: tuple[str, ...]
    """What a mixture was drawn from: ``NAME/VERSION``, a file or a hub id."""
    against: tuple[str, ...]
    """Versions that its records had to differ from."""
    is_generated: bool
    """A teacher wrote it here, so that there was a journal."""
    judge_score: float | None
    """Mean of the judge's scores, 1 to 5."""
    reviewed: int
    """Decisions of readers that it applies."""
    licence: str
    links: tuple[Link, ...]

    @property
    def reference(self) -> str:
        """``NAME/VERSION``."""
        return f"{self.name}/{self.version}"


class ModelEntry(NamedTuple):
    """A tuned student."""

    name: str
    version: str
    changed: datetime
    method: str
    student: str
    dataset: str
    """``NAME/VERSION`` that it was tuned on."""
    loss_before: float
    loss_after: float
    verdict: Verdict | None
    is_champion: bool
    links: tuple[Link, ...]

    @property
    def reference(self) -> str:
        """``NAME/VERSION``."""
        return f"{self.name}/{self.version}"


class EvaluationEntry(NamedTuple):
    """An evaluation of one model against a baseline."""

    id: str
    subject: str
    """The model that it is about, by its name in the matrix."""
    model: str | None
    """``NAME/VERSION`` of a model of ours that it is about."""
    changed: datetime
    matrix: tuple[MatrixRow, ...]
    verdict: Verdict | None
    reasons: tuple[str, ...]
    links: tuple[Link, ...]


class Family(NamedTuple):
    """All that hangs together under one dataset name."""

    name: str
    journal: JournalEntry | None
    versions: tuple[VersionEntry, ...]
    """Newest first, as everything here."""
    models: tuple[ModelEntry, ...]
    evaluations: tuple[EvaluationEntry, ...]


class Unreadable(NamedTuple):
    """A folder that is there but says nothing of itself that can be believed."""

    path: str
    reason: str


class Outputs(NamedTuple):
    """The whole outputs folder."""

    families: tuple[Family, ...]
    unreadable: tuple[Unreadable, ...]
