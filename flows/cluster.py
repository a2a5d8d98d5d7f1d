"""Examine the shards of a curation on a Dask cluster, as Prefect tasks.

The cluster's workers need this project beside them (its folder as working directory or on
``PYTHONPATH``) and the packages of the ``distributed`` extra. A task takes about 240 ms beside its
work, so a shard is large. What follows the examination, novelty and near duplicates, stays in the
flow's own process: it takes a tenth of the time, and its order decides.
"""

from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, cast

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect_dask.task_runners import DaskTaskRunner

from pipeline.curation.config import CurationConfig
from pipeline.curation.shards import Examination, Finding, cut, examine_shard, gather
from schemas.errors import UserError
from schemas.progress import Progress
from schemas.records import Draft

_SHARD_SIZE = 5000
_CONNECT_S = 10


class ClusterError(UserError):
    """No Dask scheduler answers at the address."""


class _Work(NamedTuple):
    drafts: Sequence[Draft]
    config: CurationConfig
    progress: Progress


_WORK = ContextVar[_Work]("work")
"""What the flow that is about to begin examines. Neither its parameters, which Prefect writes into
its database, nor part of the flow, which Prefect pickles whole and sends along with every shard."""


@task(name="examine shard", cache_policy=NO_CACHE, persist_result=False)
def _examine_shard(drafts: Sequence[Draft], config: CurationConfig) -> list[Finding]:
    return examine_shard(drafts, config)


def examine_on_cluster(address: str) -> Examination:
    """Examine on the workers of the scheduler at ``tcp://HOST:PORT``.

    Raises:
        ClusterError: No scheduler answers there.
    """
    _check(address)

    def examine(
        drafts: Sequence[Draft], config: CurationConfig, progress: Progress
    ) -> list[Finding]:
        as_flow = flow(
            name="examine on cluster",
            task_runner=cast(Any, DaskTaskRunner(address=address)),
            persist_result=False,
        )
        before = _WORK.set(_Work(drafts, config, progress))
        try:
            return as_flow(_examine_all)()
        finally:
            _WORK.reset(before)

    return examine


def _examine_all() -> list[Finding]:
    drafts, config, progress = _WORK.get()
    shards = cut(drafts, _SHARD_SIZE)
    futures = [_examine_shard.submit(list(shard), config) for shard in shards]

    def findings() -> Iterator[list[Finding]]:
        for future in futures:
            yield future.result()

    return gather(findings(), len(drafts), progress)


def _check(address: str) -> None:
    from distributed import Client

    try:
        with Client(address, timeout=_CONNECT_S, set_as_default=False):
            pass
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"No Dask scheduler answers at {address!r}; wanted an address such as "
            "tcp://127.0.0.1:8786. Start one with `dask scheduler --host 127.0.0.1` and workers "
            "with `dask worker`, or leave out --cluster."
        ) from error
