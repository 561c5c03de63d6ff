"""What keeps a slow or broken stage from spoiling every request: after some failures it is left out for a while.

Nygard, "Release It!" (2018), chapter 5, "Circuit Breaker". A healthy stage runs in the request's own thread. Once it
has failed or overrun its deadline it runs beside the request, which waits no longer than the deadline; so a stage that
hangs holds up one request, not all of them.
"""

import logging
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)

DEADLINE_S = 0.25
FAILURES = 3  # one after the other
REST_S = 10.0


class State(StrEnum):
    """CLOSED lets everything through, OPEN nothing, HALF_OPEN one call to try whether it works again."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Guards one stage of one tenant's version."""

    def __init__(
        self, name: str, *, deadline_s: float = DEADLINE_S, failures: int = FAILURES, rest_s: float = REST_S
    ) -> None:
        self.name, self.deadline_s, self.most, self.rest_s = name, deadline_s, failures, rest_s
        self.failures = 0  # one after the other
        self.reason = ""  # of the last failure
        self._tried_at = -float("inf")  # when it opened or was last tried
        self._running: threading.Thread | None = None  # what was not waited for
        self._lock = threading.Lock()

    @property
    def state(self) -> State:
        if self.failures < self.most:
            return State.CLOSED
        return State.HALF_OPEN if time.monotonic() >= self._tried_at + self.rest_s else State.OPEN

    @property
    def is_open(self) -> bool:
        return self.state is not State.CLOSED

    def call(self, do: Callable[[], T], *, otherwise: T) -> T:
        """Return what `do` returns, or `otherwise` when it is not let through, fails or is too slow."""
        if not self.failures:  # a glance without the lock: the healthy path
            return self._measured(do, otherwise)
        return self._beside(do, otherwise) if self._admits() else otherwise

    def _admits(self) -> bool:
        with self._lock:
            if self.state is State.OPEN or (self._running and self._running.is_alive()):
                return False
            self._tried_at = time.monotonic()
            return True

    def _measured(self, do: Callable[[], T], otherwise: T) -> T:
        began = time.perf_counter()
        try:
            done = do()
        except Exception as error:  # noqa: BLE001  whatever a stage raises, the request goes on without it
            self._failed(repr(error))
            return otherwise
        if time.perf_counter() - began > self.deadline_s:
            self._failed("slow")
        return done

    def _beside(self, do: Callable[[], T], otherwise: T) -> T:
        """Run the stage in a thread of its own and wait until the deadline."""
        answers: list[T] = []
        errors: list[Exception] = []

        def run() -> None:
            try:
                answers.append(do())
            except Exception as error:  # noqa: BLE001  as above
                errors.append(error)

        thread = threading.Thread(target=run, name=f"stage {self.name}", daemon=True)
        self._running = thread
        thread.start()
        thread.join(self.deadline_s)
        if answers:
            self._recovered()
            return answers[0]
        self._failed(repr(errors[0]) if errors else "slow")
        return otherwise

    def _failed(self, reason: str) -> None:
        with self._lock:
            self.failures, self.reason, self._tried_at = self.failures + 1, reason, time.monotonic()
        say = log.error if self.failures == self.most else log.warning
        say("stage %s failed %s times: %s", self.name, self.failures, reason)

    def _recovered(self) -> None:
        with self._lock:
            was_open = self.failures >= self.most
            self.failures, self.reason = 0, ""
        if was_open:
            log.warning("stage %s works again", self.name)
