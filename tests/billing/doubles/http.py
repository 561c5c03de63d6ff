"""What the doubles of payment providers have in common: a server in a thread, and faults on demand."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Double:
    """A provider. `answer` does what is asked; a fault of the next request is planned by path."""

    requests: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[str, tuple[str, float]] = field(default_factory=dict)
    address: str = ""
    pause: float = 0.0

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        raise NotImplementedError

    def fail(self, path: str, kind: str, seconds: float = 0.0) -> None:
        """Let the next request of this path go wrong: 500_after, 500_before, or slow (after the commit)."""
        self.faults[path] = (kind, seconds)

    def fault(self, path: str) -> str:
        kind, seconds = self.faults.pop(path, ("", 0.0))
        if kind == "slow":
            self.pause = seconds  # after the commit
        return kind


@contextmanager
def serving(double: Double) -> Iterator[Double]:
    """Serve the double over HTTP."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            double.requests.append((self.command, self.path.partition("?")[0]))
            status, said, headers = double.answer(self.command, self.path, self.headers, body)
            pause, double.pause = double.pause, 0.0
            time.sleep(pause)
            try:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(said)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)
            except OSError:
                pass  # the caller did not wait

        def log_message(self, form: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    double.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
