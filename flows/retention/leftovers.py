"""What killed processes left behind: half-written or half-removed folders, temporary files.

A publisher's folder is a leftover when nobody holds the name; of other hidden names it is one after
a day without a write, which no writer of ours takes.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from flows.retention.disk import is_real_folder, last_written_s, list_readable, measure
from flows.retention.things import VERSION, Candidate, find_key
from schemas.locking import is_leftover, is_name_held

_ABANDONED_S = 86_400
_TEMPORARY = re.compile(r"\.(.+\.(gguf|html|jsonl?|parquet)|[0-9a-f]{16})\.[a-z0-9_]{8}")
"""As ``schemas.storage`` names files and evaluations that it writes, by Python's ``tempfile``: a
hidden file of somebody else's is left alone."""
_DISCARDED = ".discarded-"
_MERGE = ".merge.json"
_WRITTEN_TO = ("", "drafts", "explorations", "journals")


def propose_leftovers(outputs: Path, served: Path, now_s: float) -> Iterator[Candidate]:
    """Propose what nobody will ever take up again."""
    for path in _find(outputs, served, now_s):
        key = find_key(outputs, path)
        why = "a killed process left it behind"
        if path.name.endswith(_MERGE):
            why = "it is about a version that is gone"
        yield Candidate("leftover", key, why, measure(path))


def _find(outputs: Path, served: Path, now_s: float) -> Iterator[Path]:
    for kind in ("datasets", "models"):
        for name in list_readable(outputs / kind):
            yield from _find_under_name(name, now_s)
    for subject in list_readable(outputs / "evaluations"):
        for path in list_readable(subject):
            if _is_discarded(path) or _is_temporary(path, now_s):
                yield path
    yield from filter(_is_discarded, list_readable(outputs / "indexes"))
    written_to = [outputs / place for place in _WRITTEN_TO]
    written_to += list_readable(outputs / "evaluations" / ".cells")
    for place in (*written_to, served):
        yield from (
            path for path in list_readable(place) if path.is_file() and _is_temporary(path, now_s)
        )


def _find_under_name(name: Path, now_s: float) -> Iterator[Path]:
    is_held = is_name_held(name.parent, name.name)
    for path in list_readable(name):
        if is_real_folder(path) and is_leftover(path.name):
            if not is_held:
                yield path
        elif (
            path.name.startswith(_DISCARDED)
            or _is_about_nothing(path)
            or _is_temporary(path, now_s)
        ):
            yield path


def _is_discarded(path: Path) -> bool:
    """Tell whether a folder was being removed; nobody takes it up again, whoever removes it."""
    return path.name.startswith(_DISCARDED) and is_real_folder(path)


def _is_about_nothing(path: Path) -> bool:
    """Tell whether a file beside the versions is about one that is gone."""
    version = path.name.removesuffix(_MERGE)
    return (
        version != path.name
        and VERSION.fullmatch(version) is not None
        and not path.with_name(version).exists()
    )


def _is_temporary(path: Path, now_s: float) -> bool:
    return (
        _TEMPORARY.fullmatch(path.name) is not None
        and not path.is_symlink()
        and now_s - last_written_s(path) >= _ABANDONED_S
    )
