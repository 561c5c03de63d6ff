"""Consent is asked for in words of a version, given, withdrawn, and kept as it was said."""

from itertools import product
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from catalog import operations, queries
from catalog.models import Consent, ConsentTerms, Purpose, Watch
from kpplatform.tenancy.models import Member, Tenant, User
from kpplatform.tenancy.operations import NotYourRank, appoint, issue_token, join, stand_in
from kpplatform.tenancy.queries import people
from kpplatform.tenancy.scope import current_tenant_id, scope
from tests import make
from tests.catalog import things
from tests.catalog.test_watches import send, told
from tests.conftest import NOON

CONSENTS, TERMS = "/api/v1/consents/", "/api/v1/consent-terms/"
PERSONAL = Purpose.PERSONAL_EVENTS
ASKED = {"purpose": PERSONAL.value}


def withdrawn(viewer: Member) -> Member:
    operations.withdraw_consent(viewer=viewer, purpose=PERSONAL, at=timezone.now())
    return viewer


def published(*, is_asked_first: bool, asks_anew: bool = False) -> ConsentTerms:
    return operations.publish_terms(
        purpose=PERSONAL,
        text_zh="请同意。",
        text_en="Please agree.",
        is_asked_first=is_asked_first,
        asks_anew=asks_anew,
        by=make.member(Member.Role.STAFF),
        at=timezone.now(),
    )


def mine(client: APIClient) -> dict[str, Any]:
    [purpose] = [of for of in client.get(CONSENTS).json()["purposes"] if of["purpose"] == PERSONAL]
    return dict(purpose)


def test_it_is_assumed_until_it_is_withdrawn_unless_the_tenant_asks_first(client: APIClient, viewer: Member) -> None:
    assert (mine(client)["holds"], mine(client)["version"], mine(client)["said"]) == (True, 0, None)
    assert mine(client)["text_zh"] != mine(client)["text_en"]

    answer = client.post(f"{CONSENTS}withdraw/", ASKED, "json")

    assert (answer.status_code, answer.json()["holds"]) == (201, False)
    assert answer.json()["to_forget"] == ["/api/v1/taste/", "/api/v1/personalisation/", "/api/v1/portrait/"]
    assert {client.delete(door).status_code for door in answer.json()["to_forget"]} == {204}
    assert mine(client)["said"]["is_given"] is False
    assert client.post(CONSENTS, ASKED | {"version": 0}, "json").json()["holds"] is True


def test_who_asks_first_has_nothing_before_it_is_given(client: APIClient, in_school: Tenant, viewer: Member) -> None:
    video = things.video()
    published(is_asked_first=True)

    assert mine(client)["holds"] is False
    send(client, told(video))
    assert not Watch.objects.filter(viewer=viewer).exists()
    stale = client.post(CONSENTS, ASKED | {"version": 0}, "json")
    assert (stale.status_code, stale.json()["code"]) == (409, "other_terms")
    assert client.post(CONSENTS, ASKED | {"version": 1}, "json").status_code == 201
    send(client, told(video))
    assert Watch.objects.filter(viewer=viewer).count() == 1

    published(is_asked_first=True)
    assert mine(client)["holds"] is True, "Other words alone take nothing back."
    published(is_asked_first=True, asks_anew=True)
    assert (mine(client)["holds"], mine(client)["version"]) == (False, 3)


def test_what_is_said_is_a_journal_and_twice_is_once(in_school: Tenant, viewer: Member) -> None:
    for _ in range(2):
        operations.give_consent(viewer=viewer, purpose=PERSONAL, version=0, at=NOON)
    for _ in range(2):
        operations.withdraw_consent(viewer=viewer, purpose=PERSONAL, at=NOON)
    operations.give_consent(viewer=viewer, purpose=PERSONAL, version=0, at=NOON)

    assert list(Consent.objects.order_by("pk").values_list("is_given", flat=True)) == [True, False, True]


def test_the_statement_the_state_and_the_list_of_viewers_agree(in_school: Tenant) -> None:
    by = make.member(Member.Role.STAFF)
    for number, (is_asked_first, counts_from) in enumerate(product((False, True), (0, 2)), start=2):
        said = {"purpose": PERSONAL, "text_zh": "x", "text_en": "x", "published_at": NOON, "by": by}
        ConsentTerms.objects.create(version=number, is_asked_first=is_asked_first, counts_from=counts_from, **said)
        for version, is_given in product((0, 2), (True, False, None)):
            viewer = make.member()
            if is_given is not None:
                for given in (not is_given, is_given):
                    Consent.objects.create(
                        viewer=viewer, purpose=PERSONAL, version=version, is_given=given, said_at=NOON
                    )
            expected = is_given is not False and (not is_asked_first or (bool(is_given) and version >= counts_from))

            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {queries.CONSENTS}", {"tenant": current_tenant_id(), "viewer": viewer.pk})
                assert cursor.fetchone() == (expected,)
            assert queries.consent_of(viewer, PERSONAL).holds is expected
            assert (viewer.pk not in set(queries.not_consenting())) is expected


def test_the_anonymous_member_is_nobody(client: APIClient, viewer: Member) -> None:
    admin, nobody = make.member(Member.Role.ADMIN), Member.objects.get(pk=stand_in())

    assert nobody not in people()
    assert stand_in() == nobody.pk
    page = make.client(admin).get("/admin/tenancy/member/")
    assert {row.pk for row in page.context["cl"].result_list} == {viewer.pk, admin.pk}
    for member, role in ((nobody, Member.Role.STAFF), (viewer, Member.Role.ANONYMOUS)):
        with pytest.raises(NotYourRank):
            appoint(member=member, role=role, by=admin)
    for wrong in ({"user": None}, {"user": make.user()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Member.objects.create(role=Member.Role.ANONYMOUS, **wrong)


def test_what_is_said_in_one_tenant_is_not_said_in_another(client: APIClient, viewer: Member, agency: Tenant) -> None:
    assert isinstance(viewer.user, User)
    published(is_asked_first=True)
    with scope(agency):
        elsewhere = make.client(join(user=viewer.user))

    assert mine(client)["holds"] is False
    assert (mine(elsewhere)["holds"], mine(elsewhere)["version"]) == (True, 0)
    assert elsewhere.get(TERMS).json()["results"] == []


def test_staff_publish_the_words_in_both_languages(client: APIClient, viewer: Member) -> None:
    words = {"text_zh": "请同意。", "text_en": "Please agree."}
    staff = make.client(make.member(Member.Role.STAFF))
    asked = ASKED | words | {"is_asked_first": True}

    refused = client.post(TERMS, asked, "json")
    answers = [staff.post(TERMS, asked | more, "json") for more in ({}, {"asks_anew": True})]

    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_terms")
    assert [answer.json()["counts_from"] for answer in answers] == [0, 2]
    assert staff.post(TERMS, asked | {"text_zh": ""}, "json").json()["code"] == "invalid"
    assert [row["version"] for row in client.get(TERMS).json()["results"]] == [2, 1]
    assert {name: mine(client)[name] for name in words} == words


def test_staff_ask_first_in_the_console(in_school: Tenant) -> None:
    staff = make.client(make.member(Member.Role.STAFF))
    form = staff.get("/admin/catalog/consentterms/add/")
    assert form.context["adminform"].form.initial["text_en"].startswith("We keep what you watch")

    said = ASKED | {"text_zh": "请同意。", "text_en": "Please agree.", "is_asked_first": "on"}
    answer = staff.post("/admin/catalog/consentterms/add/", said, "multipart")

    assert answer.status_code == 302
    assert (ConsentTerms.objects.get().version, ConsentTerms.objects.get().is_asked_first) == (1, True)


def test_a_program_agrees_to_nothing(client: APIClient, viewer: Member) -> None:
    _, key = issue_token(member=viewer, name="robot", scopes=["read", "write"], at=NOON)
    robot = APIClient(headers={"host": "school.localhost", "authorization": f"Bearer {key}"})

    answer = robot.post(CONSENTS, ASKED | {"version": 0}, "json")

    assert (answer.status_code, answer.json()["code"]) == (403, "people_only")


def test_the_lists_ask_no_question_per_row(client: APIClient, viewer: Member) -> None:
    def asked(door: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(door).status_code == 200
        return len(captured)

    published(is_asked_first=False)
    asked(CONSENTS)  # the first request also asks what is remembered afterwards
    before = [asked(CONSENTS), asked(TERMS)]
    for _ in range(3):
        published(is_asked_first=False)
        withdrawn(viewer)
        operations.give_consent(
            viewer=viewer, purpose=PERSONAL, version=queries.standing_terms(PERSONAL).version, at=NOON
        )

    assert [asked(CONSENTS), asked(TERMS)] == before
