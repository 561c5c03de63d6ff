"""Staff mark a comment in the console: with the mouse, by the keyboard alone, and what is sent by hand is checked."""

import json
from typing import Any

import pytest
from django.test import Client

from catalog.models import Comment
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender.models import SpanLabel
from tests import make
from tests.browser import CHROMIUM, console
from tests.catalog import things
from tests.conftest import COMMITTED
from tests.journeys.test_console_in_browser import PASSWORD, who_signs_in
from tests.recommender.commented import said

pytestmark = pytest.mark.usefixtures("_fresh_cache")
PAGE = "/admin/recommender/spanlabel/mark/"
BODY = "So clear 👍\r\nbut too dear."
UP_TO_DEAR = "() => { const body = document.getElementById('body'); body.focus(); body.setSelectionRange(%d, %d); }"


def commented(*bodies: str) -> list[Comment]:
    return said(things.video(things.creator(make.member(Member.Role.CREATOR))), *bodies)


def client_of(member: Member) -> Client:
    client = Client(headers={"host": "school.localhost", "accept-language": "en"}, enforce_csrf_checks=True)
    assert member.user
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def send(client: Client, comment: Comment, spans: Any) -> str:
    """Send marks as the page does, with its token."""
    token = client.get(f"{PAGE}?comment={comment.pk}").context["csrf_token"]
    sent = {"comment": comment.pk, "spans": json.dumps(spans), "csrfmiddlewaretoken": str(token)}
    return client.post(PAGE, sent, follow=True).content.decode()


@pytest.mark.slow
@COMMITTED
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed (apt-get install chromium)")
def test_staff_mark_with_mouse_and_keys(school: Tenant, live_server: Any) -> None:
    with scope(school):
        staff = make.member(Member.Role.ADMIN)
        (comment,) = commented(BODY)
        email = who_signs_in(staff.user)

    with console(f"http://school.localhost:{live_server.url.rsplit(':', 1)[1]}") as seen:
        seen.sign_in(email, PASSWORD)
        assert seen.open(PAGE) == 200
        page = seen.page
        page.locator("#body").focus()
        page.keyboard.type("xyz")  # nothing that is typed stays
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Control+Shift+ArrowRight")  # "clear " with its blank
        page.keyboard.press("p")
        page.evaluate(UP_TO_DEAR % (16, 24))  # in halves of characters, and a line's end is one
        page.get_by_role("button", name="Blame").click()
        shown = [mark.inner_text() for mark in page.locator("#shown mark").all()]
        page.get_by_role("button", name="Save").click()
        page.wait_for_load_state()
        assert page.get_by_text("You have marked every comment there is.").is_visible()
        assert seen.wrong == []

    assert shown == ["+[clear]", "−[too dear]"]
    with scope(school):
        (label,) = SpanLabel.objects.filter(comment=comment, by=staff)
    assert [(BODY[start:end], of) for start, end, of in label.spans] == [
        ("clear", "Positive"),
        ("too dear", "Negative"),
    ]


def test_the_page_offers_one_comment_after_the_other_and_shows_what_one_marked(in_school: Tenant) -> None:
    first, second = commented("Good.", "Bad.")
    client = client_of(make.member(Member.Role.STAFF))

    assert client.get(PAGE).context["comment"] == second
    assert "Kept." in send(client, second, [[0, 3, "Negative"]])
    assert client.get(PAGE).context["comment"] == first
    assert "Kept." in send(client, first, [])
    assert "every comment there is" in client.get(PAGE).content.decode()

    assert client.get(f"{PAGE}?comment={second.pk}").context["marks"] == {"body": "Bad.", "spans": [[0, 3, "Negative"]]}
    again = {"action": "mark_again", "_selected_action": SpanLabel.objects.get(comment=first).pk}
    token = str(client.get(PAGE.removesuffix("mark/")).context["csrf_token"])
    answer = client.post(PAGE.removesuffix("mark/"), again | {"csrfmiddlewaretoken": token})
    assert answer["Location"] == f"{PAGE}?comment={first.pk}"


def test_what_is_sent_by_hand_is_checked(in_school: Tenant) -> None:
    (comment,) = commented("Good.")
    client = client_of(make.member(Member.Role.STAFF))

    assert client.post(PAGE, {"comment": comment.pk, "spans": "[]"}).status_code == 403  # without the page's token
    assert "is not inside a text" in send(client, comment, [[0, 6, "Positive"]])
    assert "share characters" in send(client, comment, [[0, 3, "Positive"], [2, 4, "Negative"]])
    assert "spans are a list" in send(client, comment, None)
    assert not SpanLabel.objects.exists()
    assert client.get(f"{PAGE}?comment={comment.pk + 1}").status_code == 404
    assert client_of(make.member(Member.Role.CREATOR)).get(PAGE).status_code == 403


def test_it_is_in_chinese_too(in_school: Tenant) -> None:
    commented("好。")
    client = client_of(make.member(Member.Role.STAFF))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"

    page = client.get(PAGE).content.decode()

    for word in ("标注评论", "称赞", "批评", "清除", "保存并继续"):
        assert word in page
