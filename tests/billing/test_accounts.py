"""Each tenant is paid through its own accounts, whose secrets nobody sees again."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from billing import operations, providers
from billing.models import Payment, ProviderAccount, ProviderChange
from billing.providers import vault
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing.shop import ordered, payment_of
from tests.conftest import NOON

ACCOUNTS = "/api/v1/provider-accounts/"
SECRETS = {"api_key": "sk_test_very_secret", "webhook_secret": "whsec_very_secret"}


@pytest.fixture
def admin(in_school: Tenant) -> Member:
    return make.member(Member.Role.ADMIN)


def connected(by: Member, **secrets: str) -> ProviderAccount:
    return operations.connect_provider(by=by, provider="stripe", public={}, secrets=SECRETS | secrets, at=NOON)


def test_secrets_are_sealed_and_open_for_the_driver(admin: Member) -> None:
    account = connected(admin)

    assert b"very_secret" not in bytes(ProviderAccount.objects.get().secrets)
    driver = providers.provider_for(admin.tenant, "stripe")
    assert driver.api_key == "sk_test_very_secret"  # type: ignore[attr-defined]
    assert "very_secret" not in repr(driver)
    assert "very_secret" not in repr(vars(account))


def test_secrets_come_out_nowhere(admin: Member) -> None:
    client = make.client(admin)

    made = client.post(ACCOUNTS, {"provider": "stripe", "secrets": SECRETS, "is_checkout": True})

    assert made.status_code == 201
    assert made.json()["webhook_url"].endswith("/api/v1/webhooks/stripe/")
    shown = [made.content, client.get(ACCOUNTS).content]
    for page in ("provideraccount", "providerchange"):
        row = (ProviderAccount if page == "provideraccount" else ProviderChange).objects.latest("pk")
        shown += [client.get(f"/admin/billing/{page}/").content, client.get(f"/admin/billing/{page}/{row.pk}/").content]
    assert [said for said in shown if b"very_secret" in said or b"gAAAAA" in said] == []
    assert b"api_key, webhook_secret" in shown[4]


def test_what_was_changed_by_whom_is_kept(admin: Member) -> None:
    connected(admin)
    other = make.member(Member.Role.ADMIN)

    operations.connect_provider(by=other, provider="stripe", public={}, secrets={"api_key": "sk_test_new"}, at=NOON)

    changes = ProviderChange.objects.order_by("pk").values_list("by", "fields")
    assert list(changes) == [(admin.pk, ["api_key", "webhook_secret"]), (other.pk, ["api_key"])]
    assert vault.unseal(bytes(ProviderAccount.objects.get().secrets), tenant_id=admin.tenant.pk) == {
        "api_key": "sk_test_new",
        "webhook_secret": "whsec_very_secret",
    }


@pytest.mark.parametrize(
    ("secrets", "code"),
    [
        ({"api_key": "sk_1"}, "missing_credential"),
        (SECRETS | {"password": "x"}, "unknown_credential"),
        (SECRETS | {"api_key": "pk_public"}, "bad_credential"),
    ],
)
def test_what_a_provider_cannot_work_with_is_refused(admin: Member, secrets: dict[str, str], code: str) -> None:
    answer = make.client(admin).post(ACCOUNTS, {"provider": "stripe", "secrets": secrets})

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert ProviderAccount.objects.count() == 0


@pytest.mark.parametrize("role", [Member.Role.VIEWER, Member.Role.CREATOR, Member.Role.STAFF])
def test_only_admins_say_through_whom_the_tenant_is_paid(in_school: Tenant, role: Member.Role) -> None:
    client = make.client(make.member(role))

    answer = client.post(ACCOUNTS, {"provider": "stripe", "secrets": SECRETS})

    assert (answer.status_code, answer.json()["code"]) == (403, "admins_only")
    assert client.get(ACCOUNTS).status_code == (200 if role == Member.Role.STAFF else 403)


def test_sealed_with_another_key_it_stays_shut_until_the_key_is_back(admin: Member, settings: Settings) -> None:
    connected(admin)
    before = settings.CREDENTIAL_KEYS

    settings.CREDENTIAL_KEYS = ["another"]
    with pytest.raises(providers.Sealed):
        providers.provider_for(admin.tenant, "stripe")

    settings.CREDENTIAL_KEYS = ["another", *before]
    call_command("reseal_credentials")
    settings.CREDENTIAL_KEYS = ["another"]
    assert providers.provider_for(admin.tenant, "stripe").api_key == "sk_test_very_secret"  # type: ignore[attr-defined]


def test_another_tenants_credentials_do_not_open(admin: Member, agency: Tenant) -> None:
    sealed = bytes(connected(admin).secrets)

    with scope(agency):
        stranger = make.member(Member.Role.ADMIN)
        ProviderAccount.objects.create(provider="stripe", secrets=sealed, changed_by=stranger, changed_at=NOON)
        with pytest.raises(providers.Sealed, match="another tenant"):
            providers.provider_for(agency, "stripe")


def test_a_tenant_without_an_account_is_not_paid_through_anothers(admin: Member, agency: Tenant) -> None:
    connected(admin)

    with scope(agency), pytest.raises(providers.NotConnected):
        providers.provider_for(agency, "stripe")


def test_a_payment_keeps_its_provider_for_life(admin: Member, viewer: Member, course: Item) -> None:
    before = payment_of(ordered(viewer, course, key="before"))
    connected(admin)
    operations.choose_checkout(by=admin, provider="stripe", at=NOON)

    after = payment_of(ordered(viewer, course, key="after"))

    assert [payment.provider for payment in Payment.objects.order_by("pk")] == ["sandbox", "stripe"]
    assert (before.provider, after.provider) == ("sandbox", "stripe")


def test_a_tenant_has_one_checkout_provider_and_may_go_back(admin: Member) -> None:
    connected(admin)

    for provider in ("stripe", "sandbox", "stripe"):
        operations.choose_checkout(by=admin, provider=provider, at=NOON)
        assert providers.checkout_provider() == provider
    assert ProviderAccount.objects.filter(is_checkout=True).count() == 1
    with pytest.raises(providers.NotConnected):
        operations.choose_checkout(by=admin, provider="alipay", at=NOON)


def test_the_list_asks_as_often_for_many_as_for_one(admin: Member) -> None:
    connected(admin)
    client, counts = make.client(admin), []

    for rows in (1, 2):
        client.get(ACCOUNTS)
        with CaptureQueriesContext(connection) as asked:
            assert len(client.get(ACCOUNTS).json()["results"]) == rows
        counts.append(len(asked))
        operations.choose_checkout(by=admin, provider="sandbox", at=NOON)

    assert counts[0] == counts[1]
