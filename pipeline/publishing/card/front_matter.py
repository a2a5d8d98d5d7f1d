"""The metadata that the Hugging Face Hub and ``datasets.load_dataset`` read from a card."""

import re
from typing import NamedTuple

from schemas.manifest import DatasetManifest
from schemas.records import LANGUAGES

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_WRITTEN = ("self-instruct", "synthetic", "machine-generated")
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]{0,60}")


class _Licence(NamedTuple):
    id: str
    """One of the Hub's, or ``other``."""
    name: str | None
    """Of one that the Hub does not know."""


def render_front_matter(manifest: DatasetManifest) -> str:
    """Write it with the Hub's own library, in YAML between two rules."""
    from huggingface_hub import DatasetCardData

    languages = [language for language in LANGUAGES if manifest.kept_by_language.get(language)]
    # `datasets` cannot load a split of no rows, and with it none of the others.
    files = [
        {"split": split, "path": f"data/{split}.parquet"}
        for split, number in manifest.splits.items()
        if number
    ]
    licence = _name_licence(manifest.licence)
    creators = _name_creators(manifest)
    is_written = "machine-generated" in creators
    data = DatasetCardData(
        license=licence.id,
        license_name=licence.name,
        pretty_name=f"{manifest.name} {manifest.version}",
        language=list(languages) or None,
        task_categories=["text-generation"],
        size_categories=[_size(manifest.kept)],
        source_datasets=_name_source(manifest),
        annotations_creators=creators or None,
        language_creators=creators or None,
        multilinguality=["multilingual" if len(languages) > 1 else "monolingual"],
        tags=["instruction-tuning", *(_WRITTEN if is_written else ()), "pacaloom"],
        configs=[{"config_name": "default", "data_files": files}] if files else None,
    )
    return f"---\n{data.to_yaml().strip()}\n---"


def _name_creators(manifest: DatasetManifest) -> list[str]:
    """Name who wrote the drafts, in the Hub's words; of imports nobody knows more than that."""
    is_import = {strategy == "import" for strategy in manifest.strategies}
    return ["found" if one else "machine-generated" for one in sorted(is_import)]


def _name_source(manifest: DatasetManifest) -> list[str] | None:
    if manifest.parents:
        return ["extended"]
    return None if "import" in manifest.strategies else ["original"]


def _name_licence(licence: str) -> _Licence:
    """Name an id of the Hub's as it is, and any other text as a licence of its own."""
    if _LICENCE.fullmatch(licence):
        return _Licence(licence, None)
    slug = re.sub(r"[^a-z0-9.]+", "-", licence.lower()).strip("-.")[:60]
    return _Licence("other", slug or "unnamed")


def _size(count: int) -> str:
    return next((name for limit, name in _SIZES if count < limit), "10M<n<100M")
