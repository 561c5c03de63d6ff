"""manage.py demo: the whole platform on this machine, filled and trained."""

import json
import logging
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kpplatform.demo.installation import free_port, installation, is_free
from kpplatform.demo.journey import walk
from kpplatform.demo.sites import PEOPLE, SITES, SignIns
from kpplatform.embedded import CannotStart


class Command(BaseCommand):
    help = "Run the whole platform with two filled tenants; with --check in a throw-away folder, and walk through it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, help="A folder of interaction data for the first tenant.")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--check", action="store_true", help="Walk the main journey, print JSON, exit 0 or 1.")

    def handle(self, *, data: Path | None, port: int, check: bool, **_: Any) -> None:
        # Also where a shell started us in the background, with SIGINT ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        opening = ["--data", str(data.resolve())] if data else []
        try:
            if check:
                self._check(opening)
            else:
                self._serve(port, opening)
        except (CannotStart, TimeoutError) as error:
            raise CommandError(str(error)) from error
        except subprocess.CalledProcessError as error:
            raise CommandError(f"`manage.py {error.cmd[2]}` failed; what it said stands above.") from error

    def _serve(self, port: int, opening: list[str]) -> None:
        if not is_free(port):
            raise CommandError(f"Port {port} is taken. Choose another one: manage.py demo --port 8001")
        try:
            with installation(folder=settings.DATA_DIR, port=port, opening=opening):
                self.stdout.write(addresses(port, SignIns.kept_in(settings.DATA_DIR)))
                while True:
                    time.sleep(1)
        except KeyboardInterrupt:
            self.stdout.write("\nStopped. The data are kept; the next start takes seconds.")

    def _check(self, opening: list[str]) -> None:
        logging.disable(logging.INFO)
        with tempfile.TemporaryDirectory(prefix="kp-check-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            with installation(folder=folder, port=free_port(), opening=["--small", *opening]) as running:
                found = walk(port=running.port, programs=running.programs, sign_ins=SignIns.kept_in(folder))
        self.stdout.write(json.dumps(found, ensure_ascii=False))
        if not found["ok"]:
            sys.exit(1)


def addresses(port: int, sign_ins: SignIns) -> str:
    """Return where everything is and who signs in with what."""
    lines = ["", "kpplatform runs. Ctrl-C stops it.", ""]
    for site in SITES:
        base = f"http://{site.host}:{port}"
        people = "  ".join(SignIns.email(site, person) for person in PEOPLE)
        lines += [
            f"  {site.name}",
            f"    admin     {base}/admin/",
            f"    API docs  {base}/api/docs/",
            f"    feed      {base}/api/v1/feed/",
            f"    sign in   {people}",
            "",
        ]
    lines += [
        "  All tenants, for the installation's operator",
        f"    admin     http://localhost:{port}/admin/",
        f"    sign in   {sign_ins.operator}",
        "",
        f"  The password of all of them: {sign_ins.password}",
        "",
    ]
    return "\n".join(lines)
