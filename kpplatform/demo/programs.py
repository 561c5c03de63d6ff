"""The programs of an installation on one machine: started, watched, started again when they die, stopped."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)

PYTHON = sys.executable
STOPS_WITHIN_S = 10.0
WATCHED_EVERY_S = 0.5
RESTED_S = 1.0


@dataclass
class Program:
    """One program: how it is called, and the process that runs it."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Programs:
    """All programs, with the folder of their logs and the environment they share."""

    logs: Path
    environment: Mapping[str, str]
    running: list[Program] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    watcher: threading.Thread | None = None

    def start(self, name: str, command: list[str]) -> None:
        """Start a program, and watch over it from now on."""
        program = Program(name, command)
        self._spawn(program)
        self.running.append(program)
        if self.watcher is None:
            self.watcher = threading.Thread(target=self._watch, name="programs", daemon=True)
            self.watcher.start()

    def stop(self) -> None:
        """Stop all programs and wait for them."""
        self.over.set()
        if self.watcher:
            self.watcher.join()
        for program in self.running:
            if program.process:
                program.process.terminate()
        for program in self.running:
            if program.process:
                end(program.name, program.process)

    def run(self, *arguments: str, quiet: bool = False) -> None:
        """Run `manage.py` with these arguments to its end. Raises CalledProcessError with what it said."""
        command = [PYTHON, "manage.py", *arguments]
        subprocess.run(command, env=dict(self.environment), check=True, stdout=subprocess.DEVNULL if quiet else None)

    def _spawn(self, program: Program) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{program.name}.log").open("ab") as out:
            # A session of its own: Ctrl-C reaches us first, and we stop the programs in their order.
            program.process = subprocess.Popen(
                program.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _watch(self) -> None:
        while not self.over.wait(WATCHED_EVERY_S):
            for program in self.running:
                if program.process and program.process.poll() is not None:
                    log.warning("%s ended (%s); starting it again.", program.name, program.process.returncode)
                    self.over.wait(RESTED_S)
                    if not self.over.is_set():
                        self._spawn(program)


def end(name: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for a program that was told to stop, and end by force what is left of it."""
    try:
        process.wait(STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        log.warning("%s does not stop; ending it by force.", name)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(answers: Callable[[], bool], *, within_s: float, what: str) -> None:
    """Wait until a callable answers truthfully. Raises TimeoutError."""
    deadline = time.monotonic() + within_s
    while not answers():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not answer within {within_s:.0f} s")
        time.sleep(0.1)
