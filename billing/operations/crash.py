"""Where a crash would hurt most. Tests end a process there, as a power cut would, and run it again."""

import os
import signal


def crash_here(point: str) -> None:
    """Kill this process if the environment says CRASH_AT=point; otherwise do nothing."""
    if os.environ.get("CRASH_AT") == point:
        os.kill(os.getpid(), signal.SIGKILL)
