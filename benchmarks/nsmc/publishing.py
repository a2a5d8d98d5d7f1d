"""Publish a training set through our own curation.

Only the stages run that are about soundness: shape, exact duplicates, and contamination against
NSMC's dev file and our own evaluation tasks. Novelty would drop nearly all records, rightly for a
general data set: thousands of these share one instruction.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.nsmc.mixtures import SetName
from benchmarks.nsmc.rows import DATA, Row
from flows.compositions import curate
from flows.engine import PlainEngine
from flows.parameters import NO_SEEDS, CurateParams
from flows.settings import Settings
from schemas.storage import atomic_path


def publish_set(
    name: SetName, rows: Sequence[Row], settings: Settings, data: Path = DATA
) -> tuple[Path, dict[str, int]]:
    """Curate rows and publish them; return the version's folder and what was rejected, by reason.

    The same rows give the same version, so a second call finds it.
    """
    source = settings.outputs / "rows" / f"nsmc-{name}.jsonl"
    source.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(source) as temporary, temporary.open("w", encoding="utf-8") as lines:
        for row in rows:
            fields = row._asdict()
            del fields["kind"]
            lines.write(json.dumps(fields, ensure_ascii=False) + "\n")
    params = CurateParams.model_validate(
        {
            "name": f"nsmc-{name}",
            "input": source,
            "seeds": (NO_SEEDS,),
            "stage": ("schema", "duplicate", "contamination"),
            "contamination": {"sets": (str(data / "nsmc/dev.jsonl"),)},
            # One of the sources asks for it of what is made from it.
            "licence": "cc-by-sa-4.0",
            "processes": 1,
        }
    )
    outcome = curate(params, settings, PlainEngine())
    return outcome.dataset, {str(reason): count for reason, count in outcome.rejected.items()}
