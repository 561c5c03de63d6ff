"""A real browser, headless, that signs in to the console and looks at its pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Page, Response, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AS_ROOT = ["--no-sandbox"] if os.geteuid() == 0 else []


@dataclass(frozen=True)
class Console:
    """The console of one host, as one person sees it. Whatever goes wrong on a page is written down."""

    page: Page
    base: str
    wrong: list[str]

    def open(self, path: str) -> int:
        """Open a page and return its status."""
        answer = self.page.goto(urljoin(self.base, path))
        assert answer is not None
        return answer.status

    def sign_in(self, email: str, password: str) -> None:
        self.open("/admin/")
        self.page.fill("#id_username", email)
        self.page.fill("#id_password", password)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(urljoin(self.base, "/admin/"))

    def changelists(self) -> list[str]:
        """Return the paths of the pages that are offered on the first one."""
        self.open("/admin/")
        links = self.page.locator("#nav-sidebar-apps a, .module th a").evaluate_all(
            "links => links.map(link => new URL(link.href).pathname)"
        )
        return sorted({path for path in links if path.count("/") == 4})

    def keep(self, path: Path, *, whole: bool = False) -> None:
        """Keep what is seen as a picture, or the whole page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path, full_page=whole)


@contextmanager
def console(base: str, *, language: str = "en", width: int = 1440, is_dark: bool = False) -> Iterator[Console]:
    """Open a browser of its own at the host. While it is open, the test itself must not ask the database."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=AS_ROOT)
        page = browser.new_page(
            locale=language, viewport={"width": width, "height": 900}, color_scheme="dark" if is_dark else "light"
        )
        found = Console(page=page, base=base, wrong=[])

        def look(answer: Response) -> None:
            if answer.status >= 400:
                found.wrong.append(f"{answer.status} {answer.url}")

        page.on("response", look)
        page.on("pageerror", lambda error: found.wrong.append(str(error)))
        try:
            yield found
        finally:
            browser.close()
