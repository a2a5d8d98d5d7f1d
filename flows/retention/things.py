"""What retention speaks of: folders and files under the outputs folder, and what they refer to.

A thing is known by its path relative to the outputs folder, as ``datasets/demo/0001-0123456789ab``;
what lies in the cache by its whole path.
References are found in the text of a manifest wherever one may stand, so that rather one too many
is kept than one too few.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["datasets", "models", "evaluations"]
What = Literal[
    "dataset version",
    "model version",
    "evaluation",
    "unfinished training",
    "leftover",
    "index",
    "kept answers",
    "served student",
    "log",
    "front of a log",
]

VERSION = re.compile(r"\d{4,}-[0-9a-f]{12}")
REFERENCE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}/\d{4,}-[0-9a-f]{12}(?![0-9a-f])")
_SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_HASH_LENGTH = 12
"""Hex digits of a hash at the end of a version's name."""


class Thing(NamedTuple):
    """A version or an evaluation."""

    kind: Kind
    key: str
    folder: Path
    mentions: frozenset[str] = frozenset()
    """From :func:`find_mentions`, over what it says of itself."""
    must_stay: str = ""
    """Why it is not removed, whatever refers to it; empty for what may go."""
    problem: str = ""
    """Why it cannot be told what it refers to; empty where it can."""
    about: str = ""
    """Of an evaluation: ``NAME/VERSION`` of the student of ours that it judges; empty where it is
    about another model."""
    models: frozenset[str] = frozenset()
    """Of an evaluation: the folders of kept answers that it was made from."""

    @property
    def reference(self) -> str:
        """``NAME/VERSION`` of a version."""
        return "/".join(self.folder.parts[-2:])


def find_key(outputs: Path, path: Path) -> str:
    """Return how something is known."""
    return path.relative_to(outputs).as_posix() if path.is_relative_to(outputs) else str(path)


class Candidate(NamedTuple):
    """What may go."""

    what: What
    key: str
    why: str
    size_bytes: int
    beside: tuple[str, ...] = ()
    """Files about it, which go with it."""
    used_s: float | None = None
    """When it was last used, where that decides: used since then, it stays."""


def find_mentions(text: str) -> frozenset[str]:
    """Find each ``NAME/VERSION``, within paths too, and the start of each sha256."""
    hashes = {found[:_HASH_LENGTH] for found in _SHA256.findall(text)}
    return frozenset(REFERENCE.findall(text)) | hashes


def link(things: Iterable[Thing]) -> dict[str, set[str]]:
    """Find out which things each thing refers to.

    A version holds the evaluations that judge it, and such an evaluation the models that were
    compared. What judges nothing that stays holds nothing: it is a report about the past.
    """
    listed = list(things)
    by_mention = list_by_mention(listed)
    refers = {thing.key: resolve(thing.mentions, by_mention) - {thing.key} for thing in listed}
    models = {thing.reference: thing.key for thing in listed if thing.kind == "models"}
    for thing in listed:
        if thing.about in models:
            refers[models[thing.about]].add(thing.key)
    return refers


def list_by_mention(things: Iterable[Thing]) -> dict[str, set[str]]:
    """Say under which words each version is mentioned: its name, and the hash in it."""
    found: dict[str, set[str]] = {}
    for thing in things:
        if thing.kind != "evaluations":
            for word in (thing.reference, thing.folder.name[-_HASH_LENGTH:]):
                found.setdefault(word, set()).add(thing.key)
    return found


def resolve(mentions: Collection[str], by_mention: Mapping[str, Collection[str]]) -> set[str]:
    """Find what is meant, a dataset or a model or both; what is not there is passed over."""
    return {key for word in mentions for key in by_mention.get(word, ())}
