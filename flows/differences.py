"""Compare two published versions."""

from pathlib import Path

from flows.resources import find_dataset
from flows.settings import Settings
from pipeline.publishing.difference import Difference, Versioned, compare_versions


def find_difference(older: str, newer: str, settings: Settings) -> Difference:
    """Compare two versions named by folder, NAME/VERSION or NAME.

    Raises:
        UserError: One of them does not exist, or is damaged.
    """
    folders = find_dataset(older, settings), find_dataset(newer, settings)
    return compare_versions(*(_read(folder) for folder in folders))


def _read(folder: Path) -> Versioned:
    # pyarrow takes 0.3 s to import, which `--help` need not pay.
    from pipeline.publishing.opening import load_edition

    edition = load_edition(folder)
    name = f"{edition.manifest.name}/{edition.manifest.version}"
    return Versioned(name, edition.kept, edition.rejected, edition.statistics)
