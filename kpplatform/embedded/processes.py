"""Processes, found by the mark in their command line.

A process id from a file may by now belong to somebody else, or to a zombie that nobody reaps; the mark is
random, new for every run, and a zombie has no command line.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from kpplatform.embedded.errors import CannotStart

PROC = Path("/proc/self/cmdline")


def marked(mark: str) -> dict[int, str]:
    """Return the living processes whose command line has the mark: id to command line."""
    return {pid: command for pid, command in _commands().items() if mark in command and pid != os.getpid()}


def end(mark: str) -> None:
    """Stop every process with the mark: in order if there is a leader to ask, else by force.

    PostgreSQL's children must not be asked one by one (SIGINT makes the checkpointer close the log under
    the others); when their leader is gone they leave by themselves, unless they are in mid-computation.
    Raises CannotStart when even SIGKILL does not help.
    """
    leaders = [pid for pid, command in marked(mark).items() if not command.startswith("postgres: ")]
    _send(leaders, signal.SIGINT)
    if _gone(mark, within=60.0 if leaders else 0.5):
        return
    for force in (signal.SIGQUIT, signal.SIGKILL):
        _send(list(marked(mark)), force)
        if _gone(mark, within=5.0):
            return
    raise CannotStart(f"Processes of an earlier run do not end: {sorted(marked(mark))}. End them and try again.")


def _send(pids: list[int], sign: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, sign)


def _gone(mark: str, *, within: float) -> bool:
    deadline = time.monotonic() + within
    seen: set[int] = set()
    while (present := set(marked(mark))) or any(map(_is_ending, seen)):
        seen |= present
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _is_ending(pid: int) -> bool:
    """Return whether a process without a command line may still hold its port: that is closed later."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def _commands() -> dict[int, str]:
    if not PROC.exists():
        return _commands_by_ps()
    commands = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                raw = (folder / "cmdline").read_bytes()
                commands[int(folder.name)] = raw.replace(b"\0", b" ").decode(errors="replace")
    return commands


def _commands_by_ps() -> dict[int, str]:
    """Do the same where there is no /proc (macOS)."""
    lines = subprocess.run(
        ["/bin/ps", "-axww", "-o", "pid=,command="], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    pairs = (line.split(maxsplit=1) for line in lines)
    return {int(pair[0]): pair[1] for pair in pairs if len(pair) == 2}
