"""The numbers on the console's first page: as they were last counted, or from small tables."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import Order
from billing.queries import tenants_time
from catalog.models import Item, Watch
from creators.models import Creator, Follow
from kpplatform.console.pages import words
from kpplatform.console.pages.shapes import Card, Shown, Table
from kpplatform.jobs.models import Job
from kpplatform.metrics.dictionary import MILLION
from kpplatform.metrics.queries import Span, by_part, compared, series, totals
from kpplatform.tenancy import roles
from kpplatform.tenancy.admin_base import database_for, is_operator, runs_the_tenant, visitor
from kpplatform.tenancy.models import Member, Tenant
from recommender.models import ModelVersion

MOST = 6
SEEN_DAYS = 3
KEPT_OUT_DAYS = 28
SHOWN = ("impressions", "explored", "new_creators", "small_creators", "topics_a_page", "exposure_gini")


def seen_by(request: HttpRequest, *, at: datetime) -> Shown:
    """Return the numbers of whoever is looking: an installation's, a tenant's, or a creator's own."""
    db = database_for(request)
    if is_operator(request):
        tenants = _card(_("Tenants"), Tenant.objects.filter(closed_at=None).count(), "tenancy_tenant")
        return Shown(cards=[tenants, *_tenant_cards(db, at)], parts=_tenant_tables(db))
    if runs_the_tenant(request):
        return Shown(cards=_tenant_cards(db, at), parts=[*_tenant_tables(db), _kept_out(at), _seen(at)])
    return Shown(cards=_creator_cards(visitor(request), at))


def _card(title: str, number: int, page: str, query: str = "", *, is_alarming: bool = False) -> Card:
    """Return how many there are, and the page where they stand."""
    href = reverse(f"admin:{page}_changelist") + query
    return Card(title, words.count(number), href=href, is_alarming=is_alarming)


def _tenant_cards(db: str, at: datetime) -> list[Card]:
    waiting, dead = (rows(Job, db).filter(state=state).count() for state in (Job.State.WAITING, Job.State.DEAD))
    return [
        _card(_("Members"), rows(Member, db).exclude(role=Member.Role.ANONYMOUS).count(), "tenancy_member"),
        _card(_("Published items"), rows(Item, db).filter(_published(at)).count(), "catalog_item"),
        _card(_("Watches today"), _plays(db, at), "catalog_watch"),
        _card(_("Jobs waiting"), waiting, "jobs_job", "?state__exact=waiting"),
        _card(_("Jobs dead"), dead, "jobs_job", "?state__exact=dead", is_alarming=dead > 0),
    ]


def _creator_cards(member: Member | None, at: datetime) -> list[Card]:
    creator = Creator.objects.filter(member=member).first()
    items = Item.objects.filter(creator=creator)
    today = tenants_time(at).date()
    watches = totals(["plays"], Span(today, today, creator))["plays"] if creator else 0
    return [
        _card(_("My published items"), items.filter(_published(at)).count(), "catalog_item"),
        _card(_("Watches today"), watches, "catalog_watch"),
        _card(_("Followers"), Follow.objects.filter(creator=creator).count(), "creators_follow"),
    ]


def _plays(db: str, at: datetime) -> int:
    """Return what was watched today, as it was last counted; to operators, at all tenants by the server's day."""
    if db != roles.OPERATOR:
        today = tenants_time(at).date()
        return totals(["plays"], Span(today, today))["plays"]
    of_tenants = compared(["plays"], [], Span(at.date(), at.date(), using=db))
    return sum(sums[("plays", "")] for sums in of_tenants.values())


def _tenant_tables(db: str) -> list[Table]:
    return [_model(db), _orders(db)]


def _model(db: str) -> Table:
    served = rows(ModelVersion, db).filter(state=ModelVersion.State.PUBLISHED).select_related("tenant").order_by("-pk")
    return Table(
        title=_("The model that is served"),
        headers=[_("tenant"), _("model"), _("trained"), _("quality (popularity)")],
        rows=[
            [version.tenant.name, version.kind, _when(version.trained_at), _quality(version)]
            for version in served[:MOST]
        ],
        when_empty=_("No model has been published yet: the feed shows what is popular and fresh."),
    )


def _quality(version: ModelVersion) -> str:
    """Return the NDCG of the version beside that of popularity, on the same later slice of time."""
    measured = version.measured()
    own, popular = measured.get(version.kind, {}), measured.get("popularity", {})
    return " · ".join(f"{name} {own[name]:.3f} ({popular.get(name, 0):.3f})" for name in own if name.startswith("ndcg"))


def _seen(at: datetime) -> Table:
    until = tenants_time(at).date()
    days: dict[date, dict[str, int]] = {}
    for name, figures in series(SHOWN, Span(until - timedelta(days=SEEN_DAYS - 1), until)).items():
        for figure in figures:
            days.setdefault(figure.day, {})[name] = figure.value
    return Table(
        title=_("Who and what is seen in the feed"),
        headers=[
            _("day"),
            _("places"),
            _("explored"),
            _("new creators"),
            _("small creators"),
            _("topics a page"),
            "Gini",
        ],
        rows=[_seen_on(day, days[day]) for day in sorted(days, reverse=True) if days[day].get("impressions")],
        when_empty=_("Nothing was shown these days."),
        is_wide=True,
    )


def _seen_on(day: date, told: dict[str, int]) -> list[Any]:
    places = told["impressions"]
    shares = [told.get(name, 0) / places for name in ("explored", "new_creators", "small_creators")]
    return [
        date_format(day, "SHORT_DATE_FORMAT"),
        places,
        *(f"{share:.1%}" for share in shares),
        f"{told.get('topics_a_page', 0) / MILLION:.1f}",
        f"{told.get('exposure_gini', 0) / MILLION:.2f}",
    ]


def _orders(db: str) -> Table:
    newest = rows(Order, db).select_related("tenant", "viewer").order_by("-pk")[:MOST]
    return Table(
        title=_("Last orders"),
        headers=[_("tenant"), _("buyer"), _("amount"), _("state"), _("placed")],
        rows=[_order(order) for order in newest],
        when_empty=_("Nothing has been ordered yet."),
    )


def _order(order: Order) -> list[str]:
    state = _(order.get_state_display())
    return [order.tenant.name, str(order.viewer), str(order.money), state, _when(order.placed_at)]


def _when(at: datetime) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


def _kept_out(at: datetime) -> Table:
    until = tenants_time(at).date()
    kept_out = by_part("kept_out", Span(until - timedelta(days=KEPT_OUT_DAYS - 1), until))
    return Table(
        title=_("Kept out of the counts in 28 days"),
        headers=[_("reason"), _("watches")],
        rows=[[_(Watch.Quarantine(reason).label), f"{count:,}"] for reason, count in kept_out.items()],
        when_empty=_("Nothing is in quarantine."),
    )


def rows(model: type[Model], db: str) -> QuerySet[Any]:
    """Return the model's rows as the role of this page sees them."""
    return model._default_manager.db_manager(db).all()


def _published(at: datetime) -> Q:
    return Q(state__in=[Item.State.SCHEDULED, Item.State.PUBLISHED], published_at__lte=at)
