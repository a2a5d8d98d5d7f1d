"""An index of kept records in a Redis, so that machines that curate at once see each other's.

It is datasketch's own: a ``MinHashLSH`` for each language and threshold, which anyone can open with
datasketch under the same basename; beside it a hash of whole texts by key, with which candidates
are decided exactly. Keys and texts are plain bytes, and nothing is pickled.

One process at a time looks up and adds, under a lock with a term that is renewed at each step;
otherwise two could each keep a copy of the other's. A holder that dies frees it after the term, and
one that was cut off for longer notices before it writes and fails.

A record is stored under its id and a hash of where it comes from. So a pass that is repeated meets
its own records again, which stay, while the same record of another run is a duplicate. Texts are
written last: what a broken pass left in the bands has no text and is passed over.

Cost: 23 round trips a block of a thousand records, and at most some 10 kB of Redis a kept record,
for datasketch writes each band as a set of its own; 5,000 records a second are looked up and 2,000
added, most of which is datasketch's and the Redis's time.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypedDict, cast

from pydantic import SecretStr

from pipeline.curation.near_duplicates.address import parse_address
from pipeline.curation.near_duplicates.bands import choose_bands
from pipeline.curation.near_duplicates.signatures import PERMUTATIONS, sign
from pipeline.curation.near_duplicates.texts import UInt32s
from schemas.errors import UserError
from schemas.identity import short_id
from schemas.records import LANGUAGES, InstructionRecord, Language

if TYPE_CHECKING:
    from datasketch import MinHashLSH
    from redis import Redis
    from redis.lock import Lock
    from redis.retry import Retry

_PREFIX = "pacaloom:near-duplicates:1"
_TERM_S, _CONNECT_TIMEOUT_S = 120, 10
_RETRIES = 3
_BLOCK = 1000


class SharedIndexError(UserError):
    """The shared index of the config cannot be used."""


class Found(NamedTuple):
    """What the shared index knows of some records."""

    ids: list[str]
    """Of the records of others that may be near copies of these, in the order of their keys."""
    texts: list[str]
    own: frozenset[int]
    """Places of the records that an earlier pass over the same ones has added."""


class _Connection(TypedDict):
    """Where the Redis is in the words of its client, which datasketch passes on to it."""

    host: str
    port: int
    db: int
    ssl: bool
    password: str | None
    socket_connect_timeout: float
    retry: "Retry"


class _Shelf(NamedTuple):
    """What is stored for one language and threshold."""

    table: "MinHashLSH"
    texts: bytes
    """Name of the hash of whole texts by key."""


class SharedIndex:
    """The kept records of all machines, while this one holds the lock."""

    def __init__(self, redis: "Redis", lock: "Lock", shelves: dict[Language, _Shelf]) -> None:
        """Use tables that are open already."""
        self._redis = redis
        self._lock = lock
        self._shelves = shelves

    def find(
        self, language: Language, records: Sequence[InstructionRecord], texts: Sequence[str]
    ) -> Found:
        """Look up records, and whatever shares a band with one of them."""
        shelf = self._shelves[language]
        keys = [_get_key(record) for record in records]
        near: set[bytes] = set()
        own: set[int] = set()
        for block in _cut(len(records)):
            self._lock.reacquire()
            near |= _propose(shelf.table, sign(texts[block], language))
            stored = self._get_texts(shelf, keys[block])
            own |= {block.start + row for row, text in enumerate(stored) if text is not None}
        others = sorted(near.difference(keys))
        found = [
            text for block in _cut(len(others)) for text in self._get_texts(shelf, others[block])
        ]
        known = [(key, text) for key, text in zip(others, found, strict=True) if text is not None]
        return Found(
            [key.decode().split(":")[0] for key, _ in known],
            [text.decode("utf-8", "surrogatepass") for _, text in known],
            frozenset(own),
        )

    def add(
        self, language: Language, records: Sequence[InstructionRecord], texts: Sequence[str]
    ) -> None:
        """Let the others know of records that are kept."""
        from datasketch import MinHash

        shelf = self._shelves[language]
        for block in _cut(len(records)):
            self._lock.reacquire()
            keys = [_get_key(record) for record in records[block]]
            with shelf.table.insertion_session() as session:
                for key, signature in zip(keys, sign(texts[block], language), strict=True):
                    sketch = MinHash(hashvalues=signature, scheme="affine32")
                    session.insert(key, sketch, check_duplication=False)
            encoded = [text.encode("utf-8", "surrogatepass") for text in texts[block]]
            self._redis.hset(shelf.texts, mapping=dict(zip(keys, encoded, strict=True)))

    def _get_texts(self, shelf: _Shelf, keys: Sequence[bytes]) -> list[bytes | None]:
        return cast("list[bytes | None]", self._redis.hmget(shelf.texts, list(keys)))


@contextmanager
def hold_shared_index(
    url: str, threshold: float, password: SecretStr | None
) -> Generator[SharedIndex]:
    """Wait for the lock and lend the index.

    Raises:
        SharedIndexError: Nobody answers there, the password is wrong, or the lock was lost.
    """
    try:
        import redis
        from redis.backoff import ExponentialBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise SharedIndexError(
            "near_duplicates.storage needs the package redis, which is not installed. Install the "
            "extra 'distributed' (pip install 'redis>=7'), or leave the storage unset."
        ) from error
    address = parse_address(url)
    connection = _Connection(
        host=address.host,
        port=address.port,
        db=address.database,
        ssl=address.encrypted,
        password=None if password is None else password.get_secret_value(),
        socket_connect_timeout=_CONNECT_TIMEOUT_S,
        # By itself the client tries for ten seconds to reach what is not there.
        retry=Retry(ExponentialBackoff(), _RETRIES),
    )
    try:
        with redis.Redis(**connection) as client:
            lock = client.lock(f"{_PREFIX}:lock", timeout=_TERM_S)
            with lock:
                shelves: dict[Language, _Shelf] = {}
                for one in LANGUAGES:
                    shelves[one] = _open_shelf(connection, one, threshold)
                yield SharedIndex(client, lock, shelves)
    except redis.RedisError as error:
        found = str(error).rstrip(".")
        raise SharedIndexError(
            f"near_duplicates.storage wants a Redis at {address.host}:{address.port}, database "
            f"{address.database}: {found}. Start it or mend the address, give its password as "
            "PACALOOM_REDIS_PASSWORD, or leave the storage unset."
        ) from error


def _open_shelf(connection: _Connection, language: Language, threshold: float) -> _Shelf:
    from datasketch import MinHashLSH

    name = f"{_PREFIX}:{language}:{threshold}".encode()
    table = MinHashLSH(
        num_perm=PERMUTATIONS,
        params=choose_bands(threshold),
        storage_config={"type": "redis", "basename": name, "redis": connection},
        prepickle=False,
    )
    return _Shelf(table, name + b"_texts")


def _propose(table: "MinHashLSH", signatures: UInt32s) -> set[bytes]:
    """Ask datasketch's tables for a whole block: a round trip a band, and not one a record."""
    swapped = signatures.byteswap()  # as datasketch writes them
    return {
        key
        for (start, end), buckets in zip(table.hashranges, table.hashtables, strict=True)
        for bucket in buckets.getmany(*[row.tobytes() for row in swapped[:, start:end]])
        for key in cast("set[bytes]", bucket)
    }


def _get_key(record: InstructionRecord) -> bytes:
    origin = record.provenance
    place = short_id(origin.strategy, origin.teacher, origin.completion_id, origin.position)
    return f"{record.id}:{place}".encode()


def _cut(count: int) -> Iterator[slice]:
    return (slice(start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK))
