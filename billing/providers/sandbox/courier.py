"""Delivers the sandbox's messages: signed, in order, again and again until they are received."""

import json
import logging
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from billing.providers.sandbox import signing
from billing.providers.sandbox.bank import Bank
from billing.providers.sandbox.book import Row
from billing.providers.sandbox.faults import WEBHOOK, Faults, Kind

log = logging.getLogger(__name__)

FIRST_RETRY_S, LATEST_RETRY_S = 0.2, 60.0
TIMEOUT_S = 10.0


@dataclass
class Round:
    """How far the delivery of one message is."""

    due: float = 0.0
    pause: float = FIRST_RETRY_S
    copies: int = 1
    waits_for_another: bool = False


class Courier(threading.Thread):
    """One thread that delivers what is in the bank's book. What was not delivered at the end is delivered next time."""

    def __init__(self, bank: Bank, faults: Faults, *, key: str) -> None:
        super().__init__(daemon=True, name="courier")
        self.bank, self.faults, self.key = bank, faults, key
        self.rounds: dict[str, Round] = {}
        self.leaving = threading.Event()

    def run(self) -> None:
        while not self.leaving.is_set():
            self.bank.told.clear()
            waits = [self._attend(row) for row in self.bank.undelivered()]
            self.bank.told.wait(timeout=max(min(waits, default=60.0), 0.01))

    def stop(self) -> None:
        self.leaving.set()
        self.bank.told.set()
        self.join()

    def _attend(self, row: Row) -> float:
        """Deliver the message if it is due; return the seconds until it is to be looked at again."""
        if row["id"] not in self.rounds:
            self.rounds[row["id"]] = self._first_round(row)
        planned, now = self.rounds[row["id"]], time.monotonic()
        if planned.waits_for_another:
            return LATEST_RETRY_S
        if now < planned.due:
            return planned.due - now
        if all(self._send(row) for _ in range(planned.copies)):
            self.bank.delivered(row)
            del self.rounds[row["id"]]
            return self._release()
        planned.due, planned.pause = now + planned.pause, min(planned.pause * 2, LATEST_RETRY_S)
        return planned.due - now

    def _first_round(self, row: Row) -> Round:
        fault = self.faults.next(WEBHOOK)
        if fault is None:
            return Round()
        if fault.kind is Kind.DROP:
            return Round(copies=0)  # as good as delivered
        if fault.kind is Kind.DELAY:
            return Round(due=time.monotonic() + fault.seconds)
        return Round(copies=2) if fault.kind is Kind.DUPLICATE else Round(waits_for_another=True)

    def _release(self) -> float:
        """Let go of what waited to be overtaken; return the seconds until the next look."""
        held = [planned for planned in self.rounds.values() if planned.waits_for_another]
        for planned in held:
            planned.waits_for_another = False
        return 0.0 if held else LATEST_RETRY_S

    def _send(self, row: Row) -> bool:
        to = urlsplit(row["url"])
        body = json.dumps({name: row[name] for name in ("id", "type", "account", "created", "data")}).encode()
        secret = signing.secret_of(row["account"], key=self.key)
        stamp = signing.signature(body, secret=secret, at=datetime.now(UTC))
        headers = {"Host": to.netloc, "Content-Type": "application/json", signing.HEADER: stamp}
        # Names under .localhost are this machine, whether or not its resolver knows.
        host = "127.0.0.1" if (to.hostname or "").endswith(".localhost") else (to.hostname or "")
        connect = HTTPSConnection if to.scheme == "https" else HTTPConnection
        try:
            with closing(connect(host, to.port, timeout=TIMEOUT_S)) as connection:
                connection.request("POST", to.path, body, headers)
                status = connection.getresponse().status
        except (OSError, HTTPException) as error:
            log.info("%s was not received: %s", row["id"], error)
            return False
        log.info("%s %s: %s", row["type"], row["id"], status)
        return 200 <= status < 300
