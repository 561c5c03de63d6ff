"""A demo that was cut short is opened to its end by the next start."""

import pytest

from creators.models import Creator
from kpplatform.demo import opening
from kpplatform.demo.seeding import Size
from kpplatform.demo.sites import PEOPLE, SITES, SignIns
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.operations import create_tenant
from kpplatform.tenancy.scope import scope
from recommender.operations import ask_for_training


@pytest.mark.django_db(databases=["default", "owner"])
def test_people_come_in_though_a_training_was_asked_for_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_trained", lambda _: None)  # there is no worker here
    tenants = [create_tenant(slug=site.slug, name=site.name, hosts=[site.host]) for site in SITES]
    for tenant in tenants:
        with scope(tenant):
            Creator.objects.create(handle="known", name="Known")
            ask_for_training()

    for _ in range(2):
        opening.open_demo(data=None, sizes=(Size(), Size()), sign_ins=SignIns(password="correct horse battery"))

    for tenant in tenants:
        with scope(tenant):
            assert sorted(Member.objects.values_list("role", flat=True)) == sorted(PEOPLE)
