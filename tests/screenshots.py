"""`make screenshots`: pictures of the console of a small demo, for the README. Needs chromium."""

import logging
import tempfile
from pathlib import Path

from kpplatform.demo.installation import free_port, installation
from kpplatform.demo.sites import SITES, SignIns
from tests.browser import CHROMIUM, console
from tests.processes import ROOT

PICTURES = ROOT / "docs" / "screenshots"
ACADEMY = SITES[0]
# Whose, in which language, which page, and what the picture is called.
SHOTS = [
    ("admin", "en", "/admin/", "dashboard"),
    ("admin", "zh-CN", "/admin/", "dashboard-zh"),
    ("admin", "zh-CN", "/admin/catalog/item/", "items-zh"),
    ("admin", "en", "/admin/catalog/watch/?quarantine__exact=too_fast", "quarantine"),
    ("admin", "en", "/admin/recommender/modelversion/", "models"),
    ("creator", "en", "/admin/", "creator"),
    ("operator", "en", "/admin/jobs/job/", "jobs-of-all-tenants"),
]


def main() -> None:
    assert CHROMIUM, "no chromium is installed (apt-get install chromium)"
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="kp-shots-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with installation(folder=folder, port=free_port(), opening=["--small"]) as running:
            sign_ins = SignIns.kept_in(folder)
            for who, language, path, picture in SHOTS:
                take(running.port, sign_ins, who, language, path, PICTURES / f"{picture}.png")


def take(port: int, sign_ins: SignIns, who: str, language: str, path: str, picture: Path) -> None:
    is_operator = who == "operator"
    host = "localhost" if is_operator else ACADEMY.host
    email = sign_ins.operator if is_operator else sign_ins.email(ACADEMY, who)
    with console(f"http://{host}:{port}", language=language) as seen:
        seen.sign_in(email, sign_ins.password)
        seen.open(path)
        seen.keep(picture)


if __name__ == "__main__":
    main()
