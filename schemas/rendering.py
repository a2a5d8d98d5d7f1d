"""What a record looks like as text, whatever template wrote it."""

from typing import NamedTuple

from schemas.errors import UserError


class TemplateError(UserError):
    """A template that cannot write what has to be trained, or not the one that was trained."""


class Rendered(NamedTuple):
    """A record as training text, without the tokens at its start and end."""

    prompt: str
    completion: str


class Shot(NamedTuple):
    """A worked example that stands before what is asked."""

    instruction: str
    input: str
    output: str


class Piece(NamedTuple):
    """A part of a prompt or completion."""

    text: str
    is_frame: bool
    """Written by the template, so that control tokens in it are meant; otherwise by a record."""
