"""Small dataset versions for the hub's tests, made by hand."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.manifest import DatasetManifest, SourceFile

CARD = """---
license: apache-2.0
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train.parquet
  - split: validation
    path: data/validation.parquet
---
# 과일
"""


def make_version(
    outputs: Path,
    ordinal: int,
    texts: list[str],
    *,
    review: bool = False,
    strategy: str = "import",
) -> Path:
    """Write ``fruit/NNNN-HASH`` with one record a text; the last one is for validation."""
    content_hash = hashlib.sha256(repr((texts, review)).encode()).hexdigest()
    version = f"{ordinal:04d}-{content_hash[:12]}"
    folder = outputs / "datasets" / "fruit" / version
    (folder / "data").mkdir(parents=True)
    for split, part in (("train", texts[:-1]), ("validation", texts[-1:])):
        table = pa.table({"instruction": part, "input": [""] * len(part), "output": part})
        pq.write_table(table, folder / "data" / f"{split}.parquet")
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    (folder / "report.html").write_text(f"<p>{texts[0]}", encoding="utf-8")
    if review:
        (folder / "review.jsonl").write_text('{"author": "Kim"}\n', encoding="utf-8")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    manifest = DatasetManifest(
        name="fruit", version=version, content_hash=content_hash, generated=len(texts),
        kept=len(texts), rejected={}, kept_by_language={"ko": len(texts)},
        rejected_by_language={}, splits={"train": len(texts) - 1, "validation": 1},
        teachers={"teacher-1": len(texts)}, strategies={strategy: len(texts)},
        licence="apache-2.0", curation={}, seeds=(), code_version="test",
        files=tuple(
            SourceFile(
                path=file.relative_to(folder).as_posix(),
                sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
            )
            for file in files
        ),
    )  # fmt: skip
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    return folder


def read_all(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }
