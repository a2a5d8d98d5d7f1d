"""Virtual environments that hold a peer and what it pins, and take the rest from ours.

A trainer's package asks for gigabytes of GPU libraries that its loaders never touch. Here it is
installed without its dependencies, with those named in its ``.txt``; torch, pandas and the like
come from our own environment, through a ``.pth`` file that puts it last on the path.
"""

import subprocess
import sysconfig
import venv
from pathlib import Path

from benchmarks.peers.environments import PeerError

_HERE = Path(__file__).parent


def find_overlay(environment: str, folder: Path) -> Path:
    """Return the interpreter of a peer, after installing it when it is not there.

    Args:
        environment: Stem of a requirements file beside this module.
        folder: Where environments are kept.

    Raises:
        PeerError: It cannot be installed.
    """
    root = folder / environment
    python = root / "bin" / "python"
    mark = root / ".installed"
    requirements = _HERE / f"{environment}.txt"
    if mark.is_file() and mark.read_text() == requirements.read_text():
        return python
    print(f"Installing {environment} into {root} (a minute) ...", flush=True)
    venv.create(root, with_pip=True, clear=True)
    (site_packages,) = root.glob("lib/python*/site-packages")
    (site_packages / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed"]
    installed = subprocess.run(
        [*command, "--requirement", str(requirements)], capture_output=True, text=True, check=False
    )
    if installed.returncode:
        raise PeerError(f"not installed: {installed.stderr.strip()[-200:]}")
    mark.write_text(requirements.read_text())
    return python
