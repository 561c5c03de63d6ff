"""The web admin: who gets in, what they see, what they can do."""

import re
from gettext import GNUTranslations
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.apps import apps
from django.contrib import admin
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing import operations as billing
from catalog import operations as catalog
from catalog.models import Item, Reaction, Watch
from creators import operations as creators
from kpplatform.jobs.models import Job
from kpplatform.tenancy import operations
from kpplatform.tenancy.admin_base import TenantAdmin
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.owned import TenantOwned
from kpplatform.tenancy.queries import forget_hosts
from kpplatform.tenancy.scope import scope
from recommender.models import Impression
from tests import make
from tests.billing import shop
from tests.catalog import things
from tests.conftest import COMMITTED, NOON
from tests.everything import Everything, furnish

pytestmark = pytest.mark.usefixtures("_fresh_cache")

PAGES = {model: page for model, page in admin.site._registry.items() if isinstance(page, TenantAdmin)}
SIGNED_IN = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def found(school: Tenant) -> Everything:
    """A school with one of everything."""
    with scope(school):
        return furnish()


def at(host: str, user: Any = None) -> Client:
    client = Client(headers={"host": host, "accept-language": "en"})
    if user:
        client.force_login(user, backend=SIGNED_IN)
    return client


def of(member: Member) -> Client:
    return at(f"{member.tenant.slug}.localhost", member.user)


def page_of(model: Any) -> str:
    meta = model._meta.concrete_model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")


def detail(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def listed(client: Client, model: Any, query: str = "") -> list[Any]:
    """Return the rows on the model's page."""
    answer = client.get(page_of(model) + query)
    assert answer.status_code == 200, (model, answer.status_code)
    return list(answer.context["cl"].result_list)


def do(client: Client, action: str, *rows: Any) -> str:
    """Do the action to the rows, and return what is said about it."""
    asked = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(page_of(rows[0]), asked, follow=True).content.decode()


def test_every_table_of_a_tenant_has_its_page() -> None:
    assert {m for m in apps.get_models() if issubclass(m, TenantOwned) and not m._meta.proxy} == set(PAGES)


def test_staff_see_all_of_their_tenant_and_nothing_of_another(found: Everything, agency: Tenant) -> None:
    with scope(agency):
        stranger = of(furnish().staff)
    staff = of(found.staff)

    assert staff.get("/admin/").status_code == 200
    for model in PAGES:
        rows = listed(staff, model)
        assert {row.tenant_id for row in rows} == {found.staff.tenant_id}, model
        assert staff.get(detail(rows[0])).status_code == 200, model
        assert stranger.get(detail(rows[0])).status_code == 302, "What is not there leads back to the first page."


def test_a_creator_sees_their_own_and_nothing_of_another(found: Everything, school: Tenant) -> None:
    with scope(school):
        newcomer = things.creator(make.member(Member.Role.CREATOR)).member
    creator, other = of(found.publisher), of(newcomer)

    assert creator.get("/admin/").status_code == other.get("/admin/").status_code == 200
    for model, page in PAGES.items():
        if page.own is None:
            assert creator.get(page_of(model)).status_code == 403, model
            continue
        (row, *_) = listed(creator, model)
        assert creator.get(detail(row)).status_code == 200, model
        assert row not in listed(other, model)
        assert other.get(detail(row)).status_code == 302, model


def test_viewers_strangers_and_the_suspended_are_kept_out(found: Everything, agency: Tenant) -> None:
    with scope(agency):
        stranger = make.member(Member.Role.ADMIN)
    with scope(found.staff.tenant):
        suspended = make.member(Member.Role.STAFF, suspended_at=timezone.now())
    kept_out = [found.viewer.user, stranger.user, suspended.user, None, make.user(is_operator=True)]

    for user in kept_out:
        client = at("school.localhost", user)
        for path in ["/admin/", *map(page_of, PAGES), page_of(Tenant)]:
            assert client.get(path).status_code == 302, (user, path)


@COMMITTED
def test_operators_read_every_tenant_and_write_nothing(found: Everything, agency: Tenant) -> None:
    with scope(agency):
        furnish()
    operator = at("localhost", make.user(is_operator=True))

    assert operator.get("/admin/").status_code == 200
    assert len(listed(operator, Tenant)) == 2
    for model in PAGES:
        rows = listed(operator, model)
        for tenant in (found.staff.tenant_id, agency.pk):
            assert {row.tenant_id for row in listed(operator, model, f"?tenant={tenant}")} == {tenant}, model
        assert operator.get(detail(rows[0])).status_code == 200, model
        assert operator.post(detail(rows[0]), {}).status_code == 403, model
    assert at("localhost", found.staff.user).get("/admin/").status_code == 302


def test_pages_answer_to_any_search_and_filter(found: Everything) -> None:
    staff = of(found.staff)

    for model, page in PAGES.items():
        for search in ("1", "999999999999999999999", "%", "' OR 1=1", "no such thing", "a\0b", "钢琴"):
            listed(staff, model, f"?q={search}")
        for field in (named if isinstance(named, (str, type)) else named[0] for named in page.list_filter):
            asked = getattr(field, "parameter_name", f"{field}__exact")
            assert staff.get(f"{page_of(model)}?{asked}=x").status_code in {200, 302}, (model, asked)
        assert staff.get(f"{page_of(model)}?p=99&o=1&e=1").status_code in {200, 302}


def test_a_row_is_found_by_its_number(found: Everything) -> None:
    assert listed(of(found.staff), Item, f"?q={found.course.pk}") == [found.course]
    assert listed(of(found.staff), Item, "?q=piano in a week") == [found.course]


def test_a_page_asks_no_question_per_row(found: Everything, school: Tenant) -> None:
    staff = of(found.staff)

    def asked() -> dict[str, int]:
        counted = {}
        for model in PAGES:
            forget_hosts()  # they are remembered for so long only, and a slow round takes longer
            with CaptureQueriesContext(connections["default"]) as questions:
                staff.get(page_of(model))
            counted[model._meta.label] = len(questions)
        return counted

    asked()  # the first round also asks what is remembered afterwards
    before = asked()
    with scope(school):
        for number in range(2):
            again(found, number)

    assert asked() == before


def again(found: Everything, number: int) -> None:
    """Add more rows to the pages that show others beside each row."""
    viewer, video = make.member(), things.video(things.creator(), topic=found.topic)
    course = things.course(video.creator)
    billing.set_price(item=course, by=course.creator.member, amount=shop.yuan(500), at=NOON)
    shop.give_back(shop.bought(viewer, course), 100)
    creators.follow(viewer=viewer, creator=video.creator, at=NOON)
    catalog.react(viewer=viewer, item=video, kind=Reaction.Kind.LIKE, at=NOON)
    catalog.comment(viewer=viewer, item=video, body=f"{number}", parent_id=None, at=NOON)
    operations.issue_token(member=viewer, name="robot", scopes=["read"], at=NOON)
    for model in (Watch, Impression):
        (row,) = model.objects.filter(viewer=found.viewer)[:1]
        row.pk, row.viewer, row.item = None, viewer, video
        if isinstance(row, Watch):
            row.event_id = uuid4()
        row.save()


def test_a_creator_publishes_and_withdraws_their_own(found: Everything) -> None:
    creator = of(found.publisher)

    assert "1 row was changed." in do(creator, "withdraw", found.video)
    with scope(found.publisher.tenant):
        found.video.refresh_from_db()
    assert found.video.state == Item.State.WITHDRAWN

    assert "cannot become withdrawn" in do(creator, "withdraw", found.video)
    assert "1 row was changed." in do(creator, "publish", found.video)


def test_a_creator_does_nothing_to_anothers(found: Everything, school: Tenant) -> None:
    with scope(school):
        newcomer = things.creator(make.member(Member.Role.CREATOR)).member

    do(of(newcomer), "withdraw", found.video)

    with scope(school):
        found.video.refresh_from_db()
    assert found.video.state == Item.State.PUBLISHED


def test_staff_replay_a_dead_job(found: Everything) -> None:
    with scope(found.staff.tenant):
        Job.objects.update(state=Job.State.DEAD, error="Traceback\nValueError: no")
        job = Job.objects.order_by("pk")[0]
    staff = of(found.staff)
    assert b"ValueError: no" in staff.get(page_of(Job)).content

    assert "1 row was changed." in do(staff, "replay", job)

    with scope(found.staff.tenant):
        assert Job.objects.filter(pk=job.pk, state=Job.State.WAITING).exists()


def test_an_admin_appoints_and_suspends_others_only(found: Everything, school: Tenant) -> None:
    boss = of(found.staff)

    assert "1 row was changed." in do(boss, "make_staff", found.viewer)
    assert "Only an admin gives roles, and to others." in do(boss, "make_viewer", found.staff)
    clerk = of(found.viewer)
    assert "Only somebody above them may do this." in do(clerk, "suspend", found.staff)
    assert "1 row was changed." in do(clerk, "suspend", found.publisher)
    assert of(found.publisher).get("/admin/").status_code == 302
    assert "1 row was changed." in do(clerk, "readmit", found.publisher)


def sign_in(client: Client, **sent: str) -> Any:
    return client.post("/admin/login/?next=/admin/", sent)


def test_signing_in_takes_e_mail_and_password_and_counts_guesses(found: Everything) -> None:
    user = found.staff.user
    assert user is not None
    user.set_password("a cup of oolong")
    user.save()
    right = {"username": user.email, "password": "a cup of oolong"}

    assert at("school.localhost").get("/admin/login/").status_code == 200
    assert sign_in(at("school.localhost"), **right)["Location"] == "/admin/"
    assert b"no business" in sign_in(at("localhost"), **right).content
    for _ in range(5):
        assert sign_in(at("school.localhost"), username=user.email, password="guess").status_code == 200
    assert b"Too many failed login attempts" in sign_in(at("school.localhost"), **right).content


def test_signing_in_takes_the_second_factor_of_those_who_have_one(found: Everything) -> None:
    user = found.staff.user
    assert user is not None
    user.set_password("a cup of oolong")
    user.save()
    TOTP.activate(user, "GEZDGNBVGY3TQOJQ")
    assert Authenticator.objects.filter(user=user).exists()

    first = sign_in(at("school.localhost"), username=user.email, password="a cup of oolong")
    wrong = sign_in(at("school.localhost"), username=user.email, password="a cup of oolong", code="000000")

    assert b"one-time code is missing or wrong" in first.content
    assert b"one-time code is missing or wrong" in wrong.content


def test_the_console_speaks_chinese(found: Everything) -> None:
    client = of(found.staff)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"

    page = client.get(page_of(Item)).content.decode()

    for said in ("作品", "发布时间", "已发布", "账务与销售"):
        assert said in page


def test_the_compiled_words_are_those_that_are_written() -> None:
    folder = Path(__file__).resolve().parents[2] / "kpplatform" / "locale" / "zh_Hans" / "LC_MESSAGES"
    written = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', (folder / "django.po").read_text(), re.MULTILINE)
    compiled = GNUTranslations((folder / "django.mo").open("rb"))
    assert len(written) > 100
    assert [said for said, meant in written if compiled.gettext(said) != meant] == []
