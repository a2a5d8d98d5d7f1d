"""Virtual environments for peers, each with the versions of its ``.txt`` beside this file."""

import subprocess
import sys
import venv
from pathlib import Path

_HERE = Path(__file__).parent


class PeerError(Exception):
    """A peer cannot be installed, or does not run; the message says why."""


def find_python(environment: str, folder: Path) -> Path:
    """Return the interpreter of a peer, after installing it when it is not there.

    Args:
        environment: Stem of a requirements file beside this module; empty for our own.
        folder: Where environments are kept.

    Raises:
        PeerError: It cannot be installed.
    """
    if not environment:
        return Path(sys.executable)
    root = folder / environment
    python = root / "bin" / "python"
    mark = root / ".installed"
    wanted = (_HERE / f"{environment}.txt").read_text()
    if not (mark.is_file() and mark.read_text() == wanted):
        print(f"Installing {environment} into {root} (a few minutes) ...", flush=True)
        venv.create(root, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--requirement"]
        installed = subprocess.run(
            [*command, str(_HERE / f"{environment}.txt")],
            capture_output=True,
            text=True,
            check=False,
        )
        if installed.returncode:
            raise PeerError(f"not installed: {installed.stderr.strip()[-200:]}")
        mark.write_text(wanted)
    return python
