"""Examine drafts in shards: one after the other, side by side in processes, or on a cluster.

Schema, language and rules ask each draft alone (:mod:`pipeline.curation.examination`), so a shard
can be examined anywhere. What comes back is in the order of the drafts, hence every way gives the
same records. Cost: the examination's own, over the processes, and some 20 µs a draft for sending
it there and back; a process takes about two seconds to start, so few drafts are examined here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import lru_cache, partial

from pipeline.curation.config import CurationConfig
from pipeline.curation.examination import Examined, Examiner
from pipeline.curation.processes import map_in_processes
from schemas.progress import Progress
from schemas.records import Draft, Rejection

Finding = Examined | Rejection
Examination = Callable[[Sequence[Draft], CurationConfig, Progress], list[Finding]]
"""Examines all drafts of a curation; findings come in their order."""

SHARD_SIZE = 1000
_FEWEST_FOR_PROCESSES = 8000
"""Below this, starting processes takes longer than they save."""


def cut(drafts: Sequence[Draft], size: int = SHARD_SIZE) -> Iterator[Sequence[Draft]]:
    """Cut drafts into shards, in order."""
    return (drafts[start : start + size] for start in range(0, len(drafts), size))


def examine_shard(drafts: Sequence[Draft], config: CurationConfig) -> list[Finding]:
    """Examine one shard, in whichever process this is called."""
    examiner = _get_examiner(config.model_dump_json())
    return [examiner.examine(draft) for draft in drafts]


def examine_here(
    drafts: Sequence[Draft], config: CurationConfig, progress: Progress
) -> list[Finding]:
    """Examine one shard after the other in this process."""
    findings = (examine_shard(shard, config) for shard in cut(drafts))
    return gather(findings, len(drafts), progress)


def examine_in_processes(workers: int) -> Examination:
    """Examine with so many processes; in this one where there are few drafts or one worker."""

    def examine(
        drafts: Sequence[Draft], config: CurationConfig, progress: Progress
    ) -> list[Finding]:
        if workers == 1 or len(drafts) < _FEWEST_FOR_PROCESSES:
            return examine_here(drafts, config, progress)
        shards = list(cut(drafts))
        look = partial(examine_shard, config=config)
        with closing(map_in_processes(look, shards, workers)) as findings:
            return gather(findings, len(drafts), progress)

    return examine


def gather(findings: Iterable[list[Finding]], total: int, progress: Progress) -> list[Finding]:
    """Collect the findings of shards as they come, telling how far it is."""
    collected: list[Finding] = []
    for shard in findings:
        collected += shard
        progress(len(collected), total, "record by record")
    return collected


@lru_cache(maxsize=1)
def _get_examiner(config: str) -> Examiner:
    """Load a detector once a process, not once a shard."""
    return Examiner(CurationConfig.model_validate_json(config))
