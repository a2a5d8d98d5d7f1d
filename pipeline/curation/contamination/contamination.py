"""Drop records that hold an item of an evaluation set, or were made from one.

A model that was trained on the questions it is examined with proves nothing, so our own evaluation
tasks are always protected and any other set on request. What counts, from certain to likely:

- contaminated-exact: a text of the item is the record's instruction, its input or both, or stands
  in it from end to end with something before or behind, whatever the case, spacing, punctuation,
  width or composition of its letters.
- contaminated-overlap: n-grams shared with one field of the record cover enough of the item. For
  words 8-grams and the 13-grams of GPT-3 (arXiv:2005.14165, appendix C), for Korean and Chinese
  characters 12- and 20-grams. Not one n-gram but a share, as in PaLM (arXiv:2204.02311, section 8):
  "write a function that takes a string as input and returns the number" is in many tasks. It drops
  0.4 % of 39,076 Korean and 2.3 % of 21,189 English instructions whose corpus is templated and that
  are protected against 2,000 of their own, most of them the same question with another value.
- contaminated-lineage: the record was made from the item, showed it as an example, or has the same
  source.

Outputs count too, because a student learns to write them; but only texts as long as an n-gram,
since anybody may write a shorter one.

Cost: linear in the records and in the protected set; 61,000 records of 307 characters a CPU-second
against 1,251 items, their index included (``benchmarks/contamination.py``). Tried and dropped: sets
of joined words in Python, 39,000 for 13-grams alone, which short items do not have; a bitmap of
half a megabyte for sets of all sizes, 46,000, because it does not stay in the fast cache.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from schemas.evaluation import Family
from schemas.frozen import Frozen
from schemas.progress import Progress, no_progress
from schemas.records import InstructionRecord, Reason, Rejection, StageResult, to_draft

if TYPE_CHECKING:
    from pipeline.curation.contamination.overlap import Overlap
    from pipeline.curation.contamination.protected_index import Candidate
    from pipeline.curation.contamination.texts import Cut

_BATCH_RECORDS = 2000
_BATCH_CHARACTERS = 4_000_000
"""Each takes about 20 bytes of memory while it is cut."""
_EXCERPT = 80


class ContaminationConfig(Frozen):
    """What is protected beside our own evaluation tasks, and how much may be shared with it."""

    sets: tuple[str, ...] = ()
    """Evaluation sets that records must not hold: JSONL files of instruction, input, text, prompt,
    question or sentence, and dataset versions by folder, NAME/VERSION or NAME."""
    hold_out: tuple[Family, ...] = ()
    """Families of evaluation tasks whose seed tasks may have no descendants, so that a student is
    examined in what it was never taught: sentiment, topic, entailment, arithmetic, …"""
    words: int = Field(default=8, ge=4)
    """Words of an n-gram, for English. Lower finds more rewording and more chance."""
    long_words: int = Field(default=13, ge=4)
    """Words of a long n-gram, of which ``long_share`` suffices."""
    syllables: int = Field(default=12, ge=6)
    """Syllables or characters of an n-gram, for Korean, Japanese and Chinese."""
    long_syllables: int = Field(default=20, ge=6)
    """Syllables of a long n-gram, of which ``long_share`` suffices."""
    share: float = Field(default=0.8, gt=0, le=1)
    """Share of an item (a fraction) that common n-grams must cover. Lower drops more."""
    long_share: float = Field(default=0.6, gt=0, le=1)
    """Share of an item (a fraction) that common long n-grams must cover. Lower drops more."""


class ProtectedItem(NamedTuple):
    """An item of an evaluation set."""

    id: str
    texts: tuple[str, ...]
    """Each of them gives the item away, alone."""
    source: str
    """The set, for people."""
    derived_from: str = ""
    """Id of what the item was made from, if anything."""


class Leak(NamedTuple):
    """Why a record is dropped."""

    reason: Reason
    item: ProtectedItem
    share: float
    detail: str


def drop_contaminated(
    records: Sequence[InstructionRecord],
    protected: Sequence[ProtectedItem],
    config: ContaminationConfig,
    progress: Progress = no_progress,
) -> StageResult:
    """Split records into clean ones and those that hold a protected item.

    Returns:
        Both halves in input order. A rejection names the item of which most is shared, the earliest
        of equals, and as score the share of the item.
    """
    result = StageResult([], [])
    found = find_leaks(records, protected, config, progress)
    for record, leaks in zip(records, found, strict=True):
        if leaks:
            result.dropped.append(_reject(record, leaks))
        else:
            result.kept.append(record)
    return result


def find_leaks(
    records: Sequence[InstructionRecord],
    protected: Sequence[ProtectedItem],
    config: ContaminationConfig,
    progress: Progress = no_progress,
) -> Iterator[list[Leak]]:
    """Yield for each record all protected items that it holds or was made from.

    The one of which most is shared comes first, the earliest of equals. Only the ancestors of a
    record name one item where several have the same id.
    """
    search = _Search(protected, config)
    done = 0
    for batch in _cut_batches(records):
        yield from search.find(batch)
        done += len(batch)
        progress(done, len(records), "contamination")


def _cut_batches(records: Sequence[InstructionRecord]) -> Iterator[list[InstructionRecord]]:
    """Cut records, in order, into batches that memory holds however long they are."""
    batch: list[InstructionRecord] = []
    characters = 0
    for record in records:
        characters += len(record.instruction) + len(record.input) + len(record.output)
        batch.append(record)
        if len(batch) == _BATCH_RECORDS or characters > _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


class _Search:
    """The protected set, ready to be searched for."""

    def __init__(self, protected: Sequence[ProtectedItem], config: ContaminationConfig) -> None:
        # Loads numpy and numba, which nobody needs who only reads the config.
        from pipeline.curation.contamination import overlap, texts
        from pipeline.curation.contamination.protected_index import ProtectedIndex

        self._overlap, self._texts = overlap, texts
        self._measures = (
            overlap.Measure(config.words, config.syllables, config.share),
            overlap.Measure(config.long_words, config.long_syllables, config.long_share),
        )
        self._owners = [item for item in protected for _ in item.texts]
        self._index = ProtectedIndex(
            [text for item in protected for text in item.texts], self._measures
        )
        self._by_id = {item.id: item for item in reversed(protected)}
        self._by_source = {one.derived_from: one for one in reversed(protected) if one.derived_from}

    def find(self, records: Sequence[InstructionRecord]) -> Iterator[list[Leak]]:
        """Yield each record's leaks, the one that decides first."""
        cut = self._texts.cut(
            [text for one in records for text in (one.instruction, one.input, one.output)]
        )
        candidates: list[list[Candidate]] = [[] for _ in records]
        for candidate in self._index.find(cut):
            candidates[candidate.record].append(candidate)
        for record, own in zip(records, candidates, strict=True):
            yield [*self._find_texts(cut, own), *self._find_ancestors(record)]

    def _find_texts(self, cut: "Cut", candidates: "Sequence[Candidate]") -> list[Leak]:
        if not candidates:
            return []
        first = 3 * candidates[0].record
        fields = self._overlap.Fields(*(cut.read(first + place) for place in range(3)))
        leaks: list[Leak] = []
        for candidate in candidates:
            text = self._index.texts[candidate.text]
            found = self._overlap.compare(fields, text, self._measures)
            if found is not None:
                leaks.append(_describe(found, len(text.tokens), self._owners[candidate.text]))
        return sorted(leaks, key=lambda leak: (leak.reason != "contaminated-exact", -leak.share))

    def _find_ancestors(self, record: InstructionRecord) -> list[Leak]:
        origin = record.provenance
        leaks: list[Leak] = []
        for ancestor in (origin.derived_from, *origin.seed_ids):
            if (item := self._by_id.get(ancestor)) is not None:
                detail = f"made from {item.id} of {item.source}"
                leaks.append(Leak("contaminated-lineage", item, 1.0, detail))
        if (sibling := self._by_source.get(origin.derived_from)) is not None:
            detail = f"made from {origin.derived_from}, as {sibling.id} of {sibling.source} was"
            leaks.append(Leak("contaminated-lineage", sibling, 1.0, detail))
        return leaks


def _describe(found: "Overlap", length: int, item: ProtectedItem) -> Leak:
    shared = found.shared if len(found.shared) <= _EXCERPT else f"{found.shared[:_EXCERPT]}…"
    quoted = " ".join(shared.split())
    if found.exact:
        detail = f"the {found.where} holds {item.id} of {item.source}: {quoted}"
        return Leak("contaminated-exact", item, 1.0, detail)
    detail = (
        f"the {found.where} shares {found.share:.0%} of the {length} words of {item.id} of "
        f"{item.source}: {quoted}"
    )
    return Leak("contaminated-overlap", item, found.share, detail)


def _reject(record: InstructionRecord, leaks: Sequence[Leak]) -> Rejection:
    first = leaks[0]
    reasons: list[Reason] = [leak.reason for leak in leaks if leak.reason != first.reason]
    return Rejection(
        draft=to_draft(record),
        stage="contamination",
        reason=first.reason,
        detail=first.detail,
        score=first.share,
        collides_with=first.item.id,
        also=tuple(dict.fromkeys(reasons)),
    )
