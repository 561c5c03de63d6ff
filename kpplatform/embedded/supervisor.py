"""Who starts the servers, watches over them and stops them: whoever holds the folder's lock."""

import fcntl
import logging
import random
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from kpplatform.embedded import guard, places, postgresql, processes, valkey
from kpplatform.embedded.errors import CannotStart, PortTaken
from kpplatform.embedded.server import Run, Server
from kpplatform.embedded.state import HOST, Servers, State, running

log = logging.getLogger("kpplatform.embedded")

# Below the ports that the system gives to outgoing connections.
POSTGRESQL_PORTS, VALKEY_PORTS = range(20_000, 26_000), range(26_000, 32_000)
JOINS_WITHIN = 330.0  # seconds
PAUSE = 0.05
TURN_EVERY = 0.3


@contextmanager
def servers(
    folder: Path, *, postgresql_port: int | None = None, valkey_port: int | None = None, fast: bool = False
) -> Iterator[Servers]:
    """Start the folder's servers, or join those that run; watch over them, and stop them at the end.

    Whoever started them stops them on leaving; if others have joined, one of them starts them again, on the
    same ports and within a second or two. Ports not given are chosen once. `fast` is for throw-away data: it
    does not survive a loss of power. Raises CannotStart.
    """
    share = Share(folder, postgresql_port=postgresql_port, valkey_port=valkey_port, fast=fast)
    try:
        yield share.enter()
    finally:
        share.leave()


@contextmanager
def throwaway() -> Iterator[Servers]:
    """Start servers in a fresh temporary folder, without waiting for the disk; delete it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="kp-"))
    folder.chmod(places.ENTERABLE)
    share = Share(folder, fast=True, throw_away=True)
    try:
        yield share.enter()
    finally:
        share.leave()
        places.discard(folder)


@dataclass
class Share:
    """One caller's share in a folder's servers."""

    folder: Path
    postgresql_port: int | None = None
    valkey_port: int | None = None
    fast: bool = False
    throw_away: bool = False
    stack: ExitStack = field(default_factory=ExitStack)  # what to undo on leaving, last first
    leaving: threading.Event = field(default_factory=threading.Event)

    def enter(self) -> Servers:
        """Start the servers, or join them if somebody already watches over them. Raises CannotStart."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder = self.folder.resolve()  # the caller may change its working folder later
            lock = self.stack.enter_context((self.folder / "lock").open("w"))
            deadline = time.monotonic() + JOINS_WITHIN
            while time.monotonic() < deadline:
                if _locked(lock):
                    return self._start()
                if found := running(self.folder):
                    self._wait_for_our_turn(lock)
                    return found
                time.sleep(PAUSE)
        except OSError as error:
            raise CannotStart(f"The servers cannot be kept in {self.folder}: {error}.") from error
        raise CannotStart(f"Another process holds {self.folder / 'lock'}, but its servers do not answer.")

    def leave(self) -> None:
        self.leaving.set()
        self.stack.close()

    def _wait_for_our_turn(self, lock: IO[str]) -> None:
        """Start the servers again when the one that watches over them leaves before us."""

        def wait() -> None:
            while not self.leaving.wait(TURN_EVERY):
                if _locked(lock):
                    try:
                        self._start()
                    except (CannotStart, OSError) as error:
                        log.error("%s", error)  # noqa: TRY400 - the message is meant for a person
                    return
            if _locked(lock):  # it has been killed while we were leaving
                self._end_earlier()

        heir = threading.Thread(target=wait, name="kp-heir", daemon=True)
        self.stack.callback(heir.join)
        heir.start()

    def _start(self) -> Servers:
        """Start both servers, in place of whatever an earlier run has left."""
        account = places.Account.for_servers(self.folder)
        programs = places.programs(account)
        home = places.home(self.folder, account)
        state = self._next_state(home, account)
        leftovers = [] if Path(state.sockets).parent == home else [Path(state.sockets)]
        for leftover in leftovers:
            self.stack.callback(shutil.rmtree, leftover, ignore_errors=True)
        rubbish = [*leftovers, home, self.folder] if self.throw_away else leftovers
        self.stack.callback(guard.relieved, guard.posted(state.mark, rubbish=rubbish))
        run = Run(home=home, state=state, account=account, programs=programs, fast=self.fast)
        self._keep(valkey.server(run))
        self._keep(postgresql.server(run))
        return state.servers

    def _keep(self, server: Server) -> None:
        """Start the server and a thread that watches over it."""
        self.stack.callback(server.stop)
        server.start()
        threading.Thread(target=server.keep, name=f"kp-{server.name}", daemon=True).start()

    def _end_earlier(self) -> State | None:
        """End what an earlier run has left and return its state."""
        before = State.load(self.folder)
        if before:
            processes.end(before.mark)
            if Path(before.sockets).parent != (self.folder / "servers").resolve():
                shutil.rmtree(before.sockets, ignore_errors=True)
        return before

    def _next_state(self, home: Path, account: places.Account) -> State:
        """End what an earlier run has left and write down the ports and the mark of this one."""
        before = self._end_earlier()
        if not before and (home / "postgresql").exists():
            raise CannotStart(
                f"There is data in {home}, but its passwords in {self.folder / 'servers.json'} are gone. "
                f"Restore that file, or delete {self.folder} to begin afresh."
            )
        known = before or State.unused()
        state = replace(
            known,
            mark=f"kp-{secrets.token_hex(6)}",
            sockets=str(places.sockets(home, account)),
            postgresql_port=_port(self.postgresql_port, kept=known.postgresql_port, among=POSTGRESQL_PORTS),
            valkey_port=_port(self.valkey_port, kept=known.valkey_port, among=VALKEY_PORTS),
        )
        state.save(self.folder)
        return state


def _locked(file: IO[str]) -> bool:
    """Take the lock if nobody has it; the system gives it back when its holder dies."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _port(asked: int | None, *, kept: int, among: range) -> int:
    """Return the port asked for, else the one kept if it is still free, else a free one. Raises PortTaken."""
    if asked:
        if not _is_free(asked):
            raise PortTaken(f"Port {asked} is taken by another program. Stop it, or choose another port.")
        return asked
    if kept and _is_free(kept):
        return kept
    return next(port for port in random.sample(among, len(among)) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            return False
    return True
