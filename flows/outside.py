"""Read datasets that others made: files, folders, and hub datasets through the datasets library.

Nothing of theirs is run: the library loads data files only.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from flows.resources import expand
from flows.settings import Settings, enter_hub_environment
from pipeline.curation.imported_rows import Row, read_rows
from pipeline.publishing.mixture import MixtureError, MixturePart
from schemas.identity import digest
from schemas.storage import hash_file

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_TABLES = (".csv", ".parquet")
_LARGEST_FIELD = 2**27


class Outside(NamedTuple):
    """A dataset that others made."""

    source: str
    """A file's or folder's name, or a hub id."""
    revision: str
    columns: Sequence[str]
    rows: Sequence[Mapping[str, object]]
    licence: str
    """Empty where it is not known."""


LoadFromHub = Callable[[MixturePart, Settings], Outside]


def open_outside(part: MixturePart, settings: Settings, load: LoadFromHub) -> Outside:
    """Read a part that is no version of ours.

    Raises:
        MixtureError: There is no such file, folder or hub dataset, or no such split.
        ImportedFileError: A file is damaged.
    """
    path = expand(part.ref)
    if path.is_file():
        _refuse_split(part, path)
        return _read_file(path)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        names = [(file.relative_to(path).as_posix(), hash_file(file)) for file in files]
        return _load(str(path), part, settings, Outside(path.name, digest(*names), (), (), ""))
    if _HUB_ID.fullmatch(part.ref) and not part.ref.startswith(("./", "../")):
        return load(part, settings)
    raise MixtureError(
        f"--part {part.ref}: no version of ours, no file, no folder and no hub id (OWNER/NAME). "
        "`./pacaloom datasets list` shows the versions."
    )


def load_from_hub(part: MixturePart, settings: Settings) -> Outside:
    """Read a dataset of a hub at one commit, which the mixture's manifest names."""
    enter_hub_environment(settings)
    from httpx2 import HTTPError
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    token = None if settings.hf_token is None else settings.hf_token.get_secret_value()
    try:
        info = HfApi(endpoint=settings.hf_endpoint, token=token).dataset_info(
            part.ref, revision=part.revision
        )
    except (HfHubHTTPError, HFValidationError, HTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MixtureError(
            f"--part {part.ref}: no version of ours, no file, and the hub does not give it: "
            f"{reason}. Check name, revision and network."
        ) from error
    card: Mapping[str, Any] = info.card_data.to_dict() if info.card_data else {}
    licence = card.get("license")
    commit = info.sha or part.revision or ""
    found = Outside(part.ref, commit, (), (), licence if isinstance(licence, str) else "")
    return _load(part.ref, part, settings, found, commit=commit, token=token)


def _load(
    path: str,
    part: MixturePart,
    settings: Settings,
    found: Outside,
    *,
    commit: str | None = None,
    token: str | None = None,
) -> Outside:
    """Add columns and rows to what is known of a dataset."""
    enter_hub_environment(settings)
    from datasets import disable_progress_bars, load_dataset
    from datasets.exceptions import DatasetsError
    from httpx2 import HTTPError

    disable_progress_bars()
    split = part.split or "train"
    try:
        splits = load_dataset(
            path,
            name=part.subset,
            revision=commit,
            token=token,
            cache_dir=str(settings.cache / "datasets"),
        )
    except (DatasetsError, HTTPError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise MixtureError(f"--part {part.ref}: cannot be read as a dataset: {reason}") from error
    if split not in splits:
        raise MixtureError(
            f"--part {part.ref}: no split {split!r}; it has {', '.join(map(str, splits))}."
        )
    table = splits[split]
    rows: list[Mapping[str, object]] = table.to_list()
    return found._replace(columns=table.column_names, rows=rows)


def _refuse_split(part: MixturePart, path: Path) -> None:
    for name in ("split", "subset", "revision"):
        if getattr(part, name) is not None:
            raise MixtureError(f"--part {part.ref}: {path.name} is one file and has no {name}.")


def _read_file(path: Path) -> Outside:
    rows = list(_read_rows(path))
    columns: dict[str, None] = {}
    for row in rows:
        columns |= dict.fromkeys(row)
    # No table can hold the bytes of a file name that is no UTF-8.
    name = path.name.encode(errors="surrogateescape").decode(errors="replace")
    return Outside(name, hash_file(path), list(columns), rows, "")


def _read_rows(path: Path) -> Iterable[Mapping[str, object]]:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _read_csv(path)
    if suffix == ".parquet":
        return _read_parquet(path)
    return (row.fields for row in read_rows(path))


def _read_csv(path: Path) -> Iterator[Mapping[str, object]]:
    # The default of 131,072 characters is less than a long answer.
    before = csv.field_size_limit(_LARGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file, restkey="more columns", strict=True):
                yield dict(row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise MixtureError(f"{path}: wanted a CSV table in UTF-8: {error}.") from error
    finally:
        csv.field_size_limit(before)


def _read_parquet(path: Path) -> list[Mapping[str, object]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file:
            # In this thread, as in pipeline.publishing.tables: Arrow's may abort our end.
            return pq.ParquetFile(file, pre_buffer=False).read(use_threads=False).to_pylist()
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise MixtureError(f"{path}: wanted a Parquet table: {reason}") from error


def make_row(outside: Outside, number: int, columns: Mapping[str, str]) -> Row:
    """Name the columns of one row as ours are; ``number`` counts from 1."""
    fields = outside.rows[number - 1]
    ours = {name: fields.get(theirs) for name, theirs in columns.items()}
    if "language" in fields:
        ours["language"] = fields["language"]
    return Row(number, f"{outside.source}: row {number}", ours)
