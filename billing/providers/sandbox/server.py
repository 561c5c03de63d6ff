"""The sandbox over HTTP, with nothing but the standard library.

POST /v1/checkouts                 {order, amount, currency, webhook_url, return_url?, capture?, saves?, mode?}
GET  /v1/checkouts?key=…           what was made under an Idempotency-Key
POST /v1/checkouts/{id}/capture    of one that was made with capture=manual
POST /v1/charges                   {method, order, amount, currency, webhook_url}
GET  /v1/charges?key=…
POST /v1/forgotten                 {method}: it is charged no more
POST /v1/refunds                   {checkout, order, amount, currency}
GET  /v1/refunds?key=…
POST /v1/payouts                   {destination, amount, currency}
GET  /v1/payouts?key=…
POST /v1/splits                    {checkout, currency, receivers: [{account, amount}]}
GET  /v1/splits?key=…
POST /v1/returns                   {split: its key, account, amount, currency, is_person}
GET  /v1/returns?key=…
GET  /v1/disputes/{id}             how a dispute stands
POST /v1/disputes/{id}/evidence    {words, receipt, access_log, file, file_type}
POST /v1/disputes/{id}/accept      {accept}
GET, POST /pay/{id}                the buyer's page; press=pay or press=decline, as a form or as JSON; of what is paid
                                   inquire, dispute (amount?), win, lose, close
GET  /v1/report?since=…&until=…    what was captured and given back, with fees
POST /v1/faults                    {on: a path or "webhook", kind, times?, seconds?}
"""

import hmac
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from billing.providers.sandbox import disputes, pages, report
from billing.providers.sandbox.bank import Bank
from billing.providers.sandbox.book import Row
from billing.providers.sandbox.courier import Courier
from billing.providers.sandbox.faults import Fault, Faults, Kind
from billing.providers.sandbox.words import No, public, refusal

log = logging.getLogger(__name__)

LONGEST_BODY = 1_000_000
DECLINES = {Kind.DECLINE_SOFT: "soft", Kind.DECLINE_HARD: "hard"}


class Server(ThreadingHTTPServer):
    """The sandbox, listening."""

    daemon_threads = True

    def __init__(self, *, port: int, path: Path, key: str, host: str = "127.0.0.1") -> None:
        super().__init__((host, port), Door)
        self.key, self.bank, self.faults = key, Bank(path), Faults()
        self.courier = Courier(self.bank, self.faults, key=key)

    @property
    def address(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


@contextmanager
def listening(*, port: int, path: Path, key: str, host: str = "127.0.0.1") -> Iterator[Server]:
    """Deliver messages while the caller serves; then stop."""
    server = Server(port=port, path=path, key=key, host=host)
    server.courier.start()
    try:
        yield server
    finally:
        server.courier.stop()
        server.server_close()


def _minor(sent: Row) -> int | None:
    """Return the amount that was sent, if one was. Raises No."""
    minor = sent.get("amount")
    if minor is not None and type(minor) is not int:
        raise No(HTTPStatus.BAD_REQUEST, "bad_amount")
    return minor


class Door(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "kpplatform-sandbox"

    def do_GET(self) -> None:
        to = urlsplit(self.path)
        if to.path == "/health/":
            self._say(200, {"ok": True})
        elif to.path.startswith("/pay/"):
            self._show(to.path)
        elif not self._is_known():
            self._say(*refusal(HTTPStatus.UNAUTHORIZED, "bad_key"))
        elif to.path in {"/v1/checkouts", "/v1/charges", "/v1/refunds", "/v1/payouts", "/v1/splits", "/v1/returns"}:
            key = parse_qs(to.query).get("key", [""])[0]
            rows = self.server.bank.find(account=self._account(), table=to.path.rpartition("/")[2], key=key)
            self._say(200, {"data": [self._addressed(row) for row in rows]})
        elif to.path.startswith("/v1/disputes/"):
            dispute = self.server.bank.dispute(to.path.rpartition("/")[2], self._account())
            self._say(*((200, dispute) if dispute else refusal(HTTPStatus.NOT_FOUND, "no_such_dispute")))
        elif to.path == "/v1/report":
            self._report(dict(parse_qsl(to.query)))
        else:
            self._say(*refusal(HTTPStatus.NOT_FOUND, "no_such_path"))

    def _report(self, asked: Row) -> None:
        span = {"since": asked.get("since", ""), "until": asked.get("until", "")}
        try:
            told = report.rows(self.server.bank.events(), account=self._account(), **span)
        except (TypeError, ValueError):
            self._say(*refusal(HTTPStatus.BAD_REQUEST, "no_such_span"))
            return
        # What is planted waits for a report that tells of something.
        fault = self.server.faults.next("/v1/report") if told else None
        self._say(200, {"data": report.spoilt(told, fault.kind) if fault else told})

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        try:
            sent = self._sent()
        except ValueError:
            self.close_connection = True
            self._say(*refusal(HTTPStatus.BAD_REQUEST, "malformed"))
            return
        if path.startswith("/pay/"):
            self._press(path, sent)
        elif not self._is_known():
            self._say(*refusal(HTTPStatus.UNAUTHORIZED, "bad_key"))
        elif path == "/v1/faults":
            self._plan(sent)
        else:
            self._write(path, sent)

    def _write(self, path: str, sent: Row) -> None:
        fault = self.server.faults.next(path)
        kind = fault.kind if fault else None
        if kind is Kind.TOO_MANY:
            return self._say(*refusal(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests"))
        if kind is Kind.REFUSE:
            return self._say(*refusal(HTTPStatus.PAYMENT_REQUIRED, "refused"))
        status, body = self.server.bank.write(
            account=self._account(),
            path=path,
            asked=sent,
            key=self.headers.get("Idempotency-Key", ""),
            fails_after=kind is Kind.FAIL_AFTER_COMMIT,
            declines=DECLINES.get(kind, "") if kind else "",
        )
        if fault and kind is Kind.TIME_OUT_AFTER_COMMIT:
            time.sleep(fault.seconds)
        return self._say(status, self._addressed(body))

    def _press(self, path: str, sent: Row) -> None:
        press, reference = sent.get("press"), path.removeprefix("/pay/")
        try:
            if press in disputes.PRESSES:
                pressed = self.server.bank.press_dispute(reference, press, _minor(sent))
            else:
                pressed = public(self.server.bank.press(reference, pays=press == "pay"))
        except No as no:
            self._say(*refusal(no.status, no.code))
            return
        if "json" in self.headers.get("Content-Type", ""):
            self._say(200, pressed)
        else:
            self._show(path)

    def _plan(self, sent: Row) -> None:
        try:
            fault = Fault(**sent | {"kind": Kind(sent["kind"])})
        except (KeyError, TypeError, ValueError):
            self._say(*refusal(HTTPStatus.BAD_REQUEST, "no_such_fault"))
            return
        self.server.faults.plan(fault)
        self._say(200, {"ok": True})

    def _show(self, path: str) -> None:
        checkout = self.server.bank.get(path.removeprefix("/pay/"))
        disputed = self.server.bank.disputes_of(checkout["id"]) if checkout else []
        page = pages.pay_page(checkout, disputed) if checkout else pages.sorry_page()
        self._answer(200 if checkout else 404, page.encode(), "text/html; charset=utf-8")

    def _is_known(self) -> bool:
        sent = self.headers.get("Authorization", "").encode(errors="replace")
        return hmac.compare_digest(sent, f"Bearer {self.server.key}".encode())

    def _account(self) -> str:
        return self.headers.get("Account", "")

    def _sent(self) -> Row:
        """Return what was sent, as a form or as JSON. Raises ValueError."""
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= LONGEST_BODY:
            raise ValueError
        body = self.rfile.read(length)
        if "form" in self.headers.get("Content-Type", ""):
            return {name: values[0] for name, values in parse_qs(body.decode()).items()}
        sent = json.loads(body or b"{}")
        if not isinstance(sent, dict):
            raise ValueError  # noqa: TRY004  one error for all that cannot be read
        return sent

    def _addressed(self, row: Row) -> Row:
        """Return a row with its path made an address, as the caller reached us."""
        return row | {"url": f"http://{self.headers['Host']}{row['url']}"} if "url" in row else row

    def _say(self, status: int, body: Any) -> None:
        self._answer(status, json.dumps(body).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            log.info("the caller did not wait for the answer")

    def log_message(self, form: str, *args: Any) -> None:  # the library's signature
        log.info(form, *args)
