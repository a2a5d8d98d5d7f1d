"""Which batches are under way or unread, in the journal, so that no prompt is ever paid for twice.

A batch is paid for from the moment it is created, and its reply may be lost or the process killed
just then. Therefore: upload the file (free), write down that a batch is intended for this file,
create the batch, write its id down, take the intent back. An intent that a restart finds is looked
for at the endpoint by its input file, whose name is unique to one submission; metadata of our own
would need an invented unique name as well, and not every endpoint returns it.

A batch is forgotten only when each of its answers is in the journal: an answer delivered is not yet
an answer written. Cost: one look-up in the journal for each answer of a batch.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.generation.batch.state import Upload
from pipeline.generation.journal.journal import Journal, PendingBatch

_INTENT = "intent"
_LOOKED_UP_AT_ONCE = 1000
"""Keys in one look-up: their completions are in memory together, about 4 kB each."""


def find_intent(batch: PendingBatch) -> Upload | None:
    """Return the upload that a batch was intended for; None for a batch with an id."""
    kind, _, rest = batch.id.partition(":")
    if kind != _INTENT:
        return None
    created_at, _, file_id = rest.partition(":")
    return Upload(id=file_id, created_at=float(created_at))


def intend(upload: Upload, model: str, keys: Sequence[str]) -> PendingBatch:
    """Describe the batch that is about to be created from an upload."""
    return PendingBatch(f"{_INTENT}:{upload.created_at:.0f}:{upload.id}", model, tuple(keys))


class PendingBatches:
    """The pending batches of one model; lives in one event loop."""

    def __init__(self, journal: Journal, model: str) -> None:
        self.model = model
        self._journal = journal
        self._holders: Counter[str] = Counter()
        self._owed: dict[str, set[str]] = {}
        self._sweeping = asyncio.Lock()

    def holds(self, key: str) -> bool:
        """Tell whether a batch may still answer a prompt, or has."""
        return key in self._holders

    async def read(self) -> list[PendingBatch]:
        """Read what an earlier process left, each batch with those keys that have no answer yet.

        Batches whose every answer is in the journal are forgotten and left out.
        """
        left: list[PendingBatch] = []
        for batch in await asyncio.to_thread(self._journal.read_batches):
            if batch.model != self.model:  # another run's on the same journal
                continue
            missing = await self._find_missing(batch.keys)
            if missing:
                left.append(batch._replace(keys=tuple(missing)))
                self._holders.update(missing)
            else:
                await asyncio.to_thread(self._journal.remove_batch, batch.id)
        return left

    async def write(self, batch: PendingBatch) -> None:
        """Remember a batch, or the intent of one; durable when this returns."""
        self._holders.update(batch.keys)
        await asyncio.to_thread(self._journal.write_batch, batch)

    async def remove(self, batch: PendingBatch) -> None:
        """Forget a batch of which nothing ran."""
        await asyncio.to_thread(self._journal.remove_batch, batch.id)
        self._let_go(batch.keys)

    def lose(self, batch: PendingBatch) -> None:
        """Wait for a batch no longer that the endpoint does not know; the next run asks again."""
        self._let_go(batch.keys)

    async def confirm(self, intent: PendingBatch, batch_id: str) -> PendingBatch:
        """Put the endpoint's id in the place of an intent."""
        batch = intent._replace(id=batch_id)
        await self.write(batch)
        await self.remove(intent)
        return batch

    async def finish(self, batch: PendingBatch, answered: set[str]) -> None:
        """Let go of the prompts that an ended batch did not answer.

        The batch itself is forgotten once its answers have been written.
        """
        self._let_go(key for key in batch.keys if key not in answered)
        self._owed[batch.id] = answered
        await self.sweep()

    async def sweep(self) -> None:
        """Forget the ended batches whose answers have all been written since."""
        async with self._sweeping:
            for batch_id, keys in list(self._owed.items()):
                missing = set(await self._find_missing(sorted(keys)))
                self._let_go(keys - missing)
                self._owed[batch_id] = missing
                if not missing:
                    await asyncio.to_thread(self._journal.remove_batch, batch_id)
                    del self._owed[batch_id]

    def _let_go(self, keys: Iterable[str]) -> None:
        self._holders.subtract(list(keys))
        self._holders = +self._holders

    async def _find_missing(self, keys: Sequence[str]) -> list[str]:
        missing: list[str] = []
        for start in range(0, len(keys), _LOOKED_UP_AT_ONCE):
            asked = keys[start : start + _LOOKED_UP_AT_ONCE]
            answers = await asyncio.to_thread(self._journal.get_all, asked)
            missing += [key for key, answer in zip(asked, answers, strict=True) if answer is None]
        return missing
