"""Staff, a creator and an operator go through the console with a real browser."""

from typing import Any

import pytest

from kpplatform.tenancy.models import Member, Tenant, User
from kpplatform.tenancy.scope import scope
from tests import make
from tests.browser import CHROMIUM, console
from tests.conftest import COMMITTED
from tests.everything import furnish

pytestmark = [
    COMMITTED,
    pytest.mark.slow,
    pytest.mark.usefixtures("_fresh_cache"),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed (apt-get install chromium)"),
]

PASSWORD = "a cup of oolong"


def who_signs_in(user: User | None) -> str:
    assert user is not None
    user.set_password(PASSWORD)
    user.save()
    return user.email


def walk(base: str, email: str) -> list[str]:
    """Sign in, open every page that is offered, and return their paths."""
    with console(base) as seen:
        seen.sign_in(email, PASSWORD)
        pages = seen.changelists()
        answers = {path: seen.open(path) for path in ["/admin/", *pages]}
        assert set(answers.values()) == {200}, answers
        assert seen.wrong == []
    return pages


@pytest.mark.parametrize("who", ["staff", "publisher", "operator"])
def test_every_page_opens(who: str, school: Tenant, live_server: Any) -> None:
    with scope(school):
        found = furnish()
    port = live_server.url.rsplit(":", 1)[1]
    if who == "operator":
        email, base = who_signs_in(make.user(is_operator=True)), f"http://localhost:{port}"
    else:
        member: Member = getattr(found, who)
        email, base = who_signs_in(member.user), f"http://school.localhost:{port}"

    pages = walk(base, email)

    assert "/admin/catalog/item/" in pages
    assert ("/admin/tenancy/tenant/" in pages) == (who == "operator")
    assert ("/admin/billing/journal/" in pages) == (who != "publisher")
