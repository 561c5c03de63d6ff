"""Somebody who walks through the demo over real HTTP, and what the steps found."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

from kpplatform.demo.programs import Programs
from kpplatform.demo.sites import Site

SECONDS_TO_WAIT = 30.0


class WentWrong(AssertionError):
    """A step of the journey did not end as it must."""


@dataclass
class Person:
    """Somebody with a client: what they ask, they ask at one site."""

    port: int
    site: Site
    token: str = ""

    def ask(self, method: str, path: str, body: Any = None, *, expect: int | tuple[int, ...] = 200) -> Any:
        """Ask the API and return what it answered. Raises WentWrong when the status is another one."""
        said = self._asked(method, path, body, expect)
        return json.loads(said) if said else None

    def take(self, path: str) -> bytes:
        """Ask for a file. Raises WentWrong."""
        return self._asked("GET", path, None, 200)

    def _asked(self, method: str, path: str, body: Any, expect: int | tuple[int, ...]) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Host": f"{self.site.host}:{self.port}", "Content-Type": "application/json"}
        headers |= {"X-Session-Token": self.token} if self.token else {}
        headers |= {"Idempotency-Key": str(uuid.uuid4())} if method != "GET" else {}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        expected = (expect,) if isinstance(expect, int) else expect
        if answer.status not in expected:
            raise WentWrong(f"{method} {path}: {answer.status} instead of {expect}: {said[:500]!r}")
        return said

    def sign_up(self) -> None:
        """Make an account of one's own."""
        who = {"email": f"walker-{uuid.uuid4().hex[:12]}@example.com", "password": uuid.uuid4().hex}
        self.token = self.ask("POST", "/_allauth/app/v1/auth/signup", who)["meta"]["session_token"]

    def sign_in(self, email: str, password: str) -> None:
        who = {"email": email, "password": password}
        self.token = self.ask("POST", "/_allauth/app/v1/auth/login", who)["meta"]["session_token"]

    def feed(self) -> list[dict[str, Any]]:
        """Return a fresh page of the feed."""
        return list(self.ask("GET", "/api/v1/feed/")["results"])


@dataclass
class Journey:
    """The steps that were walked, and what each of them found."""

    port: int
    programs: Programs
    steps: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """Walk one step; note how long it took and what it found."""
        found: dict[str, Any] = {}
        began = time.monotonic()
        try:
            yield found
        except Exception as error:
            self.steps.append({"step": name, "ok": False, "error": f"{type(error).__name__}: {error}"} | found)
            raise
        self.steps.append({"step": name, "ok": True, "ms": round(1000 * (time.monotonic() - began))} | found)


def pay_at_the_provider(checkout_url: str) -> None:
    """Press "Pay" on the provider's page."""
    host, _, path = checkout_url.removeprefix("http://").partition("/")
    connection = HTTPConnection(host, timeout=30)
    try:
        connection.request("POST", f"/{path}", "press=pay", {"Content-Type": "application/x-www-form-urlencoded"})
        status = connection.getresponse().status
    finally:
        connection.close()
    must(status < 400, f"the provider answered {status}")


def until(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not holds():
        must(time.monotonic() < deadline, otherwise)
        time.sleep(0.2)


def must(holds: bool, otherwise: str) -> None:  # noqa: FBT001  reads as a sentence
    if not holds:
        raise WentWrong(otherwise)
