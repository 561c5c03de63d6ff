"""Pages about money show something in the demo: each kind is sold, some given back, a month settled."""

from datetime import timedelta
from uuid import uuid4

import pytest

from billing.models import (
    Consultation,
    Giving,
    Maturity,
    Order,
    OrderLine,
    Payment,
    ReconciliationException,
    ReconciliationRun,
    Refund,
    Settlement,
)
from billing.operations import reconcile_days, set_price, verify_ledger
from catalog.models import Watch
from creators.models import Creator
from kpplatform.demo import selling
from kpplatform.demo.selling import sell
from kpplatform.demo.visiting import visit
from kpplatform.metrics.models import Visit
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.shop import yuan
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
MIDNIGHT = NOON.replace(day=9, hour=0)
DAYS = 6


@pytest.fixture
def creator(monkeypatch: pytest.MonkeyPatch) -> Creator:
    """A creator with a course whom sixty viewers watched in the last days."""
    monkeypatch.setattr(selling, "VIEWERS_AN_ORDER", 1)
    monkeypatch.setattr(selling, "FAMOUS", 1)
    monkeypatch.setattr(selling, "GIVEN_BACK", 0.5)
    creator = things.creator(make.member(Member.Role.CREATOR))
    make.member(Member.Role.ADMIN)
    begins = MIDNIGHT - DAYS * timedelta(days=1)
    set_price(item=things.course(creator, published_at=begins), by=creator.member, amount=yuan(9_900), at=begins)
    video = things.video(creator, published_at=begins)
    for n in range(60):
        at = begins + n * timedelta(hours=2)
        watch = {"event_id": uuid4(), "viewer": make.member(), "item": video, "started_at": at, "received_at": at}
        Watch.objects.create(**watch, watch_ms=9_000, duration_ms=60_000)
    return creator


def test_of_each_kind_something_is_sold_and_the_ledger_verifies(creator: Creator) -> None:
    sell(ends_at=MIDNIGHT)

    kinds = set(OrderLine.objects.filter(order__state="paid").values_list("kind", flat=True))
    assert kinds == {"item", "ebook", "tip", "membership", "consultation", "coins"}
    assert Order.objects.filter(paid_at=None).exists()
    assert Order.objects.filter(placed_at__gte=MIDNIGHT).count() == 0
    assert Consultation.objects.filter(state="answered").exists()
    assert Giving.objects.filter(gift__isnull=False, creator=creator).exists()
    assert Refund.objects.filter(state=Refund.State.SENT).exists()
    assert not Refund.objects.exclude(state=Refund.State.SENT).exists()
    assert Maturity.objects.filter(creator=creator).exists()
    verify_ledger()


def test_the_month_before_is_settled(creator: Creator) -> None:
    sell(ends_at=MIDNIGHT)

    [statement] = Settlement.objects.filter(creator=creator)
    assert statement.opening == 0
    assert statement.closing == statement.movements > 0


def test_no_report_misses_what_no_provider_saw(creator: Creator) -> None:
    sell(ends_at=MIDNIGHT)

    assert reconcile_days(at=MIDNIGHT + timedelta(hours=1)) == []  # each day was compared
    assert not ReconciliationException.objects.exists()
    rows = sum(ReconciliationRun.objects.values_list("rows", flat=True))
    assert rows == Payment.objects.filter(state="captured").count() + Refund.objects.count()


def test_who_buys_has_looked_at_it(creator: Creator) -> None:
    sell(ends_at=MIDNIGHT)
    visit()

    for line in OrderLine.objects.exclude(item=None, product=None).select_related("order"):
        looked = Visit.objects.filter(viewer=line.order.viewer_id, item=line.item_id, product=line.product_id)
        assert looked.filter(visited_at__lt=line.order.placed_at).exists()


def test_where_nobody_is_nothing_is_sold() -> None:
    sell(ends_at=MIDNIGHT)

    assert not Order.objects.exists()
