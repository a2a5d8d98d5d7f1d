"""The most memory a run has held, as the operating system counted it."""

import resource
import sys
from pathlib import Path
from typing import Literal

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def reset_peak(device: Literal["cuda", "cpu"]) -> None:
    """Start counting anew; where the system cannot, the count covers the process's whole life."""
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()
    elif _CLEAR.exists():
        try:
            # "5" sets the high-water mark (VmHWM) back to what is resident now: proc(5).
            _CLEAR.write_text("5", encoding="ascii")
        except OSError:
            return  # A container may forbid it; the figure is then an upper bound.


def read_resident_mb() -> float:
    """Read what is resident now, in MB of 10^6 bytes; the peak where the system tells no more."""
    return _read_status("VmRSS:") or read_peak_mb("cpu")


def read_peak_mb(device: Literal["cuda", "cpu"]) -> float:
    """Read the high-water mark in MB of 10^6 bytes: resident memory, on CUDA allocated memory."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated() / 1e6
    if peak := _read_status("VmHWM:"):
        return peak
    # macOS counts in bytes, other systems in KiB.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _read_status(field: str) -> float | None:
    if _STATUS.exists():
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024 / 1e6
    return None
