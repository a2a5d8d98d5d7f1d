"""What an export says of where it comes from, in ``SOURCE.json`` beside the data."""

from typing import Literal

from pydantic import Field

from pipeline.publishing.exports.rows import Split
from schemas.frozen import Frozen
from schemas.manifest import SourceFile
from schemas.records import Language

SOURCE = "SOURCE.json"
MARKS = "SOURCE.rows.jsonl"


class ExportedData(Frozen):
    """One data file that can be read back."""

    path: str = Field(pattern=r"^[a-z0-9][A-Za-z0-9._-]*$")
    """A name in the export's own folder."""
    split: Split
    records: int = Field(ge=1)


class ExportSource(Frozen):
    """The version that was exported, whole or in part; licence and version stay with the data."""

    format: Literal["pacaloom-export/1"] = "pacaloom-export/1"
    export_format: str
    dataset: str
    version: str
    content_hash: str
    """Of the whole version."""
    licence: str
    """As the Hugging Face Hub spells it."""
    template_hash: str
    """Of the templates that ``trl``, ``koalpaca-v1.1a`` and ``axolotl`` render with."""
    records: dict[Split, int]
    languages: dict[Language, int]
    loss: str
    """What the data files alone do not say."""
    data: tuple[ExportedData, ...]
    """In the order in which they were written."""
    files: tuple[SourceFile, ...]
    """All but this one."""
