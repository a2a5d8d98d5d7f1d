"""What is kept to save time and can be made again: answers to evaluations, and served students.

Both go when nothing that stays refers to them and nobody has used them for long. The cache is
shared by all outputs folders, and only the time tells that another one still uses a file in it.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from flows.retention.disk import is_real_folder, last_written_s, list_readable, measure
from flows.retention.things import REFERENCE, Candidate, Thing
from schemas.errors import PacaloomError
from schemas.locking import is_in_use

_DAY_S = 86_400
_LEAST_DAYS = 1.0
"""A model may think about one cell for hours before it writes the answers down."""


def propose_answers(
    outputs: Path, kept: Iterable[Thing], stale_days: float, now_s: float
) -> Iterator[Candidate]:
    """Propose the answers of models that no evaluation that stays is about."""
    folder = outputs / "evaluations" / ".cells"
    if folder.resolve() != folder:
        return
    named = {model for thing in kept for model in thing.models}
    for path in list_readable(folder):
        used_s = last_written_s(path)
        idle_days = (now_s - used_s) / _DAY_S
        is_ours = not path.name.startswith(".") and not path.is_symlink()
        if is_ours and path.name not in named and idle_days >= max(stale_days, _LEAST_DAYS):
            why = f"no evaluation that stays is about their model, unused for {idle_days:.0f} days"
            key = path.relative_to(outputs).as_posix()
            yield Candidate("kept answers", key, why, measure(path), used_s=used_s)


def propose_served(
    served: Path, kept: Collection[str], stale_days: float, now_s: float
) -> Iterator[Candidate]:
    """Propose the GGUF files of students that do not stay; those of other models are left alone.

    Args:
        served: Their folder, over no link.
        kept: Keys of what stays.
        stale_days: Days since the file was last served, at least.
        now_s: Unix time.
    """
    hashes = {_hash_of(key) for key in kept if key.startswith("models/")}
    for path in list_readable(served):
        if path.suffix != ".gguf" or path.name.startswith(".") or path.is_symlink():
            continue
        used_s = last_written_s(path)
        idle_days = (now_s - used_s) / _DAY_S
        if idle_days < max(stale_days, _LEAST_DAYS) or is_real_folder(path) or is_in_use(path):
            continue
        student = _read_name(path)
        if REFERENCE.fullmatch(student) and _hash_of(student) not in hashes:
            why = f"{student} does not stay, not served for {idle_days:.0f} days"
            yield Candidate("served student", str(path), why, measure(path), used_s=used_s)


def _hash_of(reference: str) -> str:
    """Return the hash in a version's name: the same weights may have several names."""
    return reference[-12:]


def _read_name(path: Path) -> str:
    """Read whose file it is; empty where it does not say."""
    # The gguf package takes 0.2 s to import.
    from training.exporting.gguf_metadata import read_metadata

    try:
        entry = read_metadata(path).get("general.name")
    except PacaloomError:
        return ""
    return str(entry.value) if entry else ""
