"""One sign-in for the whole installation; in each tenant, a member."""

import re
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from rest_framework.test import APIClient

from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests.conftest import COMMITTED

pytestmark = pytest.mark.usefixtures("_fresh_cache")

EMAIL, PASSWORD = "lin@example.com", "a cup of oolong"


class App:
    """A phone app at one tenant's host: it keeps the session's token and sends it along."""

    def __init__(self, tenant: Tenant, token: str = "") -> None:
        self.client = APIClient(headers={"host": f"{tenant.slug}.localhost"})
        self.token = token

    def ask(self, method: str, path: str, **body: Any) -> Any:
        headers = {"X-Session-Token": self.token} if self.token else {}
        answer = getattr(self.client, method)(path, body or None, headers=headers)
        self.token = answer.json().get("meta", {}).get("session_token") or self.token
        return answer

    def auth(self, method: str, path: str, **body: Any) -> Any:
        return self.ask(method, f"/_allauth/app/v1/{path}", **body)

    def sign_up(self, email: str = EMAIL, password: str = PASSWORD) -> Any:
        return self.auth("post", "auth/signup", email=email, password=password)

    def sign_in(self, password: str = PASSWORD) -> Any:
        return self.auth("post", "auth/login", email=EMAIL, password=password)

    def me(self) -> Any:
        return self.ask("get", "/api/v1/me/")


def codes(answer: Any) -> list[str]:
    return [error["code"] for error in answer.json()["errors"]]


def totp(secret: str) -> str:
    _, now, _ = yield_hotp_counters_from_time()
    return str(format_hotp_value(hotp_value(secret, now)))


def test_a_person_signs_up_at_one_tenant_and_is_a_viewer_at_the_next(school: Tenant, agency: Tenant) -> None:
    app = App(school)
    assert app.sign_up().status_code == 200

    me = app.me().json()
    assert (me["email"], me["role"], me["tenant"]["slug"]) == (EMAIL, "viewer", "school")

    there = App(agency, app.token).me().json()
    assert (there["email"], there["role"], there["tenant"]["slug"]) == (EMAIL, "viewer", "agency")
    assert there["id"] != me["id"]
    with scope(school):
        assert Member.objects.count() == 1


def test_a_member_changes_how_they_are_called_here_only(school: Tenant, agency: Tenant) -> None:
    app = App(school)
    app.sign_up()

    changed = app.ask("patch", "/api/v1/me/", name="林", language="en").json()

    assert (changed["name"], changed["language"]) == ("林", "en")
    assert App(agency, app.token).me().json()["name"] == ""
    refused = app.ask("patch", "/api/v1/me/", language="xx")
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_language")


def test_nobody_is_401_with_a_code(school: Tenant) -> None:
    answer = App(school).me()

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["Content-Type"] == "application/problem+json"
    assert App(school, "forged").me().status_code == 401


def test_what_is_wrong_with_a_sign_up_is_said(school: Tenant) -> None:
    assert App(school).sign_up().status_code == 200

    again = App(school).sign_up()
    assert (again.status_code, codes(again)) == (400, ["email_taken"])
    weak = App(school).sign_up(email="other@example.com", password="123456")
    assert weak.status_code == 400
    assert "password_too_short" in codes(weak)
    assert codes(App(school).sign_up(email="no address")) == ["invalid"]
    assert codes(App(school).sign_in("wrong")) == ["email_password_mismatch"]


def test_malformed_json_is_refused(school: Tenant) -> None:
    answer = App(school).client.post("/_allauth/app/v1/auth/login", "{", content_type="application/json")

    assert answer.status_code == 400


def test_signing_out_at_one_tenant_is_signing_out_everywhere(school: Tenant, agency: Tenant) -> None:
    here = App(school)
    here.sign_up()
    there = App(agency, here.token)
    assert there.me().status_code == 200

    assert here.auth("delete", "auth/session").status_code == 401

    assert there.me().status_code == 401


def test_guessing_is_stopped_also_when_the_guesser_changes_hosts(school: Tenant, agency: Tenant) -> None:
    App(school).sign_up()
    for tenant in (school, agency, school, agency, school):
        assert codes(App(tenant).sign_in("guess")) == ["email_password_mismatch"]

    assert codes(App(agency).sign_in("guess")) == ["too_many_login_attempts"]


def confirm_email(app: App) -> None:
    """Follow the link in the letter that was sent last."""
    found = re.search(r"/account/verify-email/(\S+)", str(mail.outbox[-1].body))
    assert found
    assert app.auth("post", "auth/email/verify", key=unquote(found[1])).status_code == 200


def enrolled(app: App) -> tuple[str, list[str]]:
    """Enrol the person in two-factor sign-in; return the secret and the recovery codes."""
    app.sign_up()
    assert app.auth("get", "account/authenticators/totp").status_code == 409, "First the address is confirmed."
    confirm_email(app)
    secret = app.auth("get", "account/authenticators/totp").json()["meta"]["secret"]
    assert app.auth("post", "account/authenticators/totp", code="000000").status_code == 400
    assert app.auth("post", "account/authenticators/totp", code=totp(secret)).status_code == 401, "The password again."
    assert app.auth("post", "auth/reauthenticate", password=PASSWORD).status_code == 200
    assert app.auth("post", "account/authenticators/totp", code=totp(secret)).status_code == 200
    codes = app.auth("get", "account/authenticators/recovery-codes").json()["data"]["unused_codes"]
    return secret, codes


def test_with_two_factors_the_password_alone_opens_nothing(school: Tenant, agency: Tenant, settings: Any) -> None:
    settings.MFA_TOTP_TOLERANCE = 1  # so that the half minute may turn in the middle of this test
    secret, recovery = enrolled(App(school))
    app = App(agency)

    first = app.sign_in()
    assert first.status_code == 401
    assert [flow["id"] for flow in first.json()["data"]["flows"] if flow.get("is_pending")] == ["mfa_authenticate"]
    assert app.me().status_code == 401
    assert app.auth("post", "auth/2fa/authenticate", code="000000").status_code == 400

    code = totp(secret)
    assert app.auth("post", "auth/2fa/authenticate", code=code).status_code == 200
    assert app.me().json()["tenant"]["slug"] == "agency"

    replayed = App(school)
    replayed.sign_in()
    assert replayed.auth("post", "auth/2fa/authenticate", code=code).status_code == 400, "A code works once."
    assert replayed.auth("post", "auth/2fa/authenticate", code=recovery[0]).status_code == 200
    assert replayed.me().status_code == 200


@COMMITTED
def test_the_same_over_real_http(live_server: Any, school: Tenant, agency: Tenant) -> None:
    at = {tenant: {"Host": f"{tenant.slug}.localhost"} for tenant in (school, agency)}
    asked = {"email": EMAIL, "password": PASSWORD}
    signed = requests.post(f"{live_server}/_allauth/app/v1/auth/signup", json=asked, headers=at[school], timeout=30)
    token = {"X-Session-Token": signed.json()["meta"]["session_token"]}

    def me(**headers: str) -> requests.Response:
        return requests.get(f"{live_server}/api/v1/me/", headers=token | headers, timeout=30)

    assert [me(**at[tenant]).json()["tenant"]["slug"] for tenant in (school, agency)] == ["school", "agency"]
    nowhere = me(Host="nowhere.example")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "unknown_host")
