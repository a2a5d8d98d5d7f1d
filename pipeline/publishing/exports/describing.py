"""Describe an export: what ``SOURCE.json`` says of it."""

import hashlib
from pathlib import Path

from pipeline.publishing.exports.contract import Exported, Format
from pipeline.publishing.exports.rows import SPLITS, Counts, Split
from pipeline.publishing.exports.source import ExportedData, ExportSource
from schemas.manifest import DatasetManifest, SourceFile
from schemas.records import LANGUAGES, Language
from schemas.templates import INSTRUCTION


def describe_export(
    folder: Path, format_: Format, exported: Exported, manifest: DatasetManifest, counts: Counts
) -> ExportSource:
    """Describe the files that lie in a folder now, by their hashes."""
    records: dict[Split, int] = dict.fromkeys(SPLITS, 0)
    languages: dict[Language, int] = dict.fromkeys(LANGUAGES, 0)
    for (split, language), count in counts.items():
        records[split] += count
        languages[language] += count
    return ExportSource(
        export_format=format_.name,
        dataset=manifest.name,
        version=manifest.version,
        content_hash=manifest.content_hash,
        licence=manifest.licence,
        template_hash=INSTRUCTION.hash,
        records=records,
        languages=languages,
        loss=format_.loss,
        data=tuple(
            ExportedData(path=file.name, split=file.part.split, records=file.records)
            for file in exported.files
        ),
        files=tuple(
            SourceFile(path=file.name, sha256=_hash(file)) for file in sorted(folder.iterdir())
        ),
    )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
