"""A small process that outlives the supervisor and stops its servers if it dies without doing so.

It waits at the other end of a pipe. A word on it means the supervisor has stopped the servers itself;
the end of it without a word means the supervisor is gone (kill -9, out of memory, a closed terminal).
"""

import shutil
import subprocess
import sys
from pathlib import Path

from kpplatform.embedded import processes

PROJECT = Path(__file__).resolve().parents[2]


def posted(mark: str, *, rubbish: list[Path]) -> subprocess.Popen[bytes]:
    """Start a guard for the servers with this mark; if it has to act, it deletes the rubbish too."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, mark[::-1], *map(str, rubbish)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def relieved(guard: subprocess.Popen[bytes]) -> None:
    """Send the guard home: there is nothing left to guard."""
    guard.communicate(b"stopped")


def watch(mark: str, rubbish: list[str]) -> None:
    if sys.stdin.buffer.read():
        return
    processes.end(mark)
    for folder in rubbish:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    # The mark comes reversed, or the guard would be taken for one of the servers.
    watch(sys.argv[1][::-1], sys.argv[2:])
