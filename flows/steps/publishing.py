"""The publishing step: what was curated becomes a dataset version, with all that tells of it."""

from pathlib import Path

from flows.exchanges import open_exchanges
from flows.resources import hash_files
from flows.steps.workbench import Curated, Workbench
from pipeline.curation.config import CurationConfig
from pipeline.curation.novelty.nearest import find_nearest
from pipeline.publishing.publish import Publication, publish
from schemas.manifest import ParentDataset
from schemas.records import Language


def publish_curated(
    bench: Workbench,
    curated: Curated,
    config: CurationConfig,
    *,
    licence: str,
    card_language: Language | None,
    drafts_sha256: str = "",
    parents: tuple[ParentDataset, ...] = (),
    drawn_from: tuple[Path, ...] = (),
) -> Path:
    """Publish both halves and return the version's folder, or that of the same one found.

    Args:
        bench: What was curated.
        curated: What came of it.
        config: The settings that decided.
        licence: As the Hugging Face Hub spells it.
        card_language: None leaves the choice to the records.
        drafts_sha256: Over the drafts; empty where nobody will ask whether they come again.
        parents: What a mixture was drawn from.
        drawn_from: Folders of those parents that are versions of ours.
    """
    result, judged, review = curated
    with bench.engine.progress("nearest neighbours") as progress:
        nearest = find_nearest(result.kept, bench.seeds, progress)
    names = (bench.name, *(parent.source.split("/")[0] for parent in parents))
    with (
        open_exchanges(names, bench.settings) as find_exchange,
        bench.engine.progress("publish") as progress,
    ):
        return publish(
            Publication(
                name=bench.name,
                kept=result.kept,
                rejected=result.dropped,
                seeds=hash_files(bench.seed_files),
                curation=config.model_dump(mode="json"),
                judge=judged.report,
                assessments={**judged.audited, **judged.assessments},
                drafts_sha256=drafts_sha256,
                against=tuple(f"{one.parent.name}/{one.name}" for one in bench.against),
                runs=bench.runs,
                licence=licence,
                card_language=card_language,
                nearest=nearest,
                seed_tasks=bench.seeds,
                find_exchange=find_exchange,
                decisions=bench.decisions if review else (),
                review=review,
                parents=parents,
                needed=(*bench.against, *drawn_from),
                code_version=bench.settings.code_version,
            ),
            bench.settings.outputs / "datasets",
            bench.engine.say,
            progress,
        )
