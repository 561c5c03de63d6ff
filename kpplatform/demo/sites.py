"""What the demo consists of: two tenants, and who signs in where."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Site:
    """One tenant of the demo."""

    slug: str
    name: str
    language: str
    currency: str

    @property
    def host(self) -> str:
        return f"{self.slug}.localhost"


SITES = (
    Site("academy", "知行学院 Academy", "zh-hans", "CNY"),
    Site("studio", "Studio One", "en", "USD"),
)
PEOPLE = ("admin", "creator", "viewer")


@dataclass(frozen=True)
class SignIns:
    """The demo's sign-ins: one password for all of them, made on the first start."""

    password: str

    @property
    def operator(self) -> str:
        return "operator@kpplatform.example"

    @staticmethod
    def email(site: Site, person: str) -> str:
        """Return the address with which this person signs in at this site."""
        return f"{person}@{site.slug}.example"

    @classmethod
    def kept_in(cls, folder: Path) -> "SignIns":
        """Return the sign-ins of this folder's demo, made now if there are none yet."""
        path = folder / "demo.json"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(json.dumps(asdict(cls(password=secrets.token_urlsafe(9)))))
        return cls(**json.loads(path.read_text()))
