"""One server process: started, watched, started again when it dies, stopped."""

import logging
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kpplatform.embedded import processes
from kpplatform.embedded.errors import CannotStart, PortTaken
from kpplatform.embedded.places import Account, Identity, Programs
from kpplatform.embedded.state import State

log = logging.getLogger("kpplatform.embedded")

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C",
    "TZ": "UTC",
}  # and no PGDATA, PGHOST, ...
STARTS_WITHIN = 300.0  # seconds; PostgreSQL may have to read its log again after a crash
PAUSE = 0.02
LONGEST_LOG = 16 * 2**20


@dataclass(frozen=True)
class Run:
    """What both servers of one run are made from."""

    home: Path
    state: State
    account: Account
    programs: Programs
    fast: bool


@dataclass
class Server:
    """A server and how to tell that it is ready."""

    name: str
    mark: str
    command: list[str]
    identity: Identity
    log: Path
    ready: Callable[[int], bool]  # given its process id
    stale: tuple[Path, ...] = ()  # what a killed one leaves behind, in the way of the next
    log_began: int = 0
    child: subprocess.Popen[bytes] | None = None
    leaving: threading.Event = field(default_factory=threading.Event)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Start the server and return when it answers. Raises CannotStart, PortTaken."""
        processes.end(self.mark)
        for path in self.stale:
            path.unlink(missing_ok=True)
        child = self._spawned()
        deadline = time.monotonic() + STARTS_WITHIN
        while child and not self.leaving.is_set() and not self.ready(child.pid):
            if child.poll() is not None:
                raise self._failure(f"ended at once ({child.returncode})")
            if time.monotonic() > deadline:
                raise self._failure(f"does not answer after {STARTS_WITHIN:.0f} seconds")
            time.sleep(PAUSE)

    def keep(self) -> None:
        """Wait for the server's end, again and again, and start it again until asked to leave."""
        while self.child and not self.leaving.is_set():
            self.child.wait()
            if self.leaving.is_set():
                return
            if not self.log.parent.exists():
                log.error("%s ended: its folder %s was deleted.", self.name, self.log.parent)
                return
            log.warning("%s ended (%s); starting it again.", self.name, self.child.returncode)
            try:
                self.start()
            except (CannotStart, OSError) as error:
                log.error("%s", error)  # noqa: TRY400 - the message is meant for a person
                time.sleep(1)

    def stop(self) -> None:
        """Stop the server in order, and whatever is left of it by force."""
        with self.turn:
            self.leaving.set()
        processes.end(self.mark)
        if self.child:
            self.child.wait()

    def _spawned(self) -> subprocess.Popen[bytes] | None:
        """Start the process, in a session of its own: Ctrl-C must reach us first."""
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.turn, self.log.open("ab") as file:
            self.log_began = file.tell()
            if not self.leaving.is_set():
                self.child = subprocess.Popen(
                    self.command,
                    cwd=self.log.parent,
                    env=ENVIRONMENT,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    start_new_session=True,
                    **self.identity,
                )
        return None if self.leaving.is_set() else self.child

    def _failure(self, what: str) -> CannotStart:
        said = self.log.read_bytes()[self.log_began :].decode(errors="replace")
        return failure(f"{self.name} {what}", said, self.log)


def failure(what: str, said: str, log: Path) -> CannotStart:
    """Return the error that tells a person what to do about what the server said."""
    last = "\n".join(said.strip().splitlines()[-5:])
    if "Address already in use" in said:
        return PortTaken(f"{what}: its port is taken.\n{last}\n")
    if "No space left on device" in said:
        return CannotStart(f"{what}: the disk is full. Make room and start again.\n{last}\n")
    return CannotStart(f"{what}. The end of {log}:\n{last}\n")
