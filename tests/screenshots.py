"""`make screenshots`: pictures of the console of a small demo, every page of figures among them. Needs chromium."""

import logging
import tempfile
from pathlib import Path
from typing import Any

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
# Each page of figures; every third in Chinese at night, every third on a phone.
LOOKS: list[tuple[str, dict[str, Any]]] = [
    ("", {"language": "en"}),
    ("-zh-dark", {"language": "zh-CN", "is_dark": True}),
    ("-phone", {"language": "en", "width": 390}),
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
                take(running.port, sign_ins, who, path, PICTURES / f"{picture}.png", language=language)
            pages = [
                (who, path) for who in ("admin", "creator", "operator") for path in figures(running.port, sign_ins, who)
            ]
            for number, (who, path) in enumerate(pages):
                suffix, look = LOOKS[number % len(LOOKS)]
                kept = PICTURES / f"figures-{path.split('/')[-2]}{suffix}.png"
                take(running.port, sign_ins, who, path, kept, is_whole=True, **look)


def figures(port: int, sign_ins: SignIns, who: str) -> list[str]:
    """Return the paths of the pages of figures that somebody is offered."""
    with console(address(port, who)) as seen:
        seen.sign_in(*signed_in(sign_ins, who))
        links = seen.page.locator("#nav-sidebar-apps a").evaluate_all("all => all.map(a => new URL(a.href).pathname)")
    return [path for path in links if path.startswith("/admin/figures/")]


def address(port: int, who: str) -> str:
    return f"http://{'localhost' if who == 'operator' else ACADEMY.host}:{port}"


def signed_in(sign_ins: SignIns, who: str) -> tuple[str, str]:
    """Return the e-mail and the password of somebody."""
    return sign_ins.operator if who == "operator" else sign_ins.email(ACADEMY, who), sign_ins.password


def take(
    port: int, sign_ins: SignIns, who: str, path: str, picture: Path, *, is_whole: bool = False, **look: Any
) -> None:
    with console(address(port, who), **look) as seen:
        seen.sign_in(*signed_in(sign_ins, who))
        assert seen.open(path) == 200, path
        seen.keep(picture, whole=is_whole)


if __name__ == "__main__":
    main()
