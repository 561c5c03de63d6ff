"""How much memory this process holds, and how much it may."""

import resource
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
FREE = Path("/proc/meminfo")
RESETS_THE_PEAK = "5"  # see proc(5), clear_refs


def peak_mb() -> float:
    """Return the most memory (MiB) that this process has held since the peak was last forgotten."""
    if STATUS.exists():
        return _kib(STATUS, "VmHWM:") / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def forget_peak() -> None:
    """Let the peak begin anew at what is held now, where the system can."""
    try:
        CLEAR.write_text(RESETS_THE_PEAK)
    except OSError:
        return  # then the peak is that of the whole process


def available_mb() -> float:
    """Return how much memory (MiB) could be had now without swapping."""
    return _kib(FREE, "MemAvailable:") / 1024


def _kib(path: Path, name: str) -> int:
    return next(int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith(name))
