"""The payment provider that ships with the product, as a server of its own."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from billing.providers.sandbox.server import listening


class Command(BaseCommand):
    help = "Serve the sandbox payment provider until Ctrl-C. It needs no database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=urlsplit(settings.SANDBOX_URL).port or 80)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--file", type=Path, default=settings.DATA_DIR / "sandbox.jsonl", help="What it remembers.")

    def handle(self, *, port: int, host: str, file: Path, **_: Any) -> None:
        with listening(port=port, host=host, path=file, key=settings.SANDBOX_KEY) as server:
            self.stdout.write(f"Sandbox payment provider at {server.address}")
            self.stdout.flush()
            try:
                server.serve_forever(poll_interval=0.2)
            except KeyboardInterrupt:
                self.stdout.write("")
