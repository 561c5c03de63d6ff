"""The numbers on the console's first page, each counted where it is kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import Order
from catalog.models import Item, Watch
from creators.models import Creator, Follow
from kpplatform.jobs.models import Job
from kpplatform.tenancy.admin_base import database_for, is_operator, runs_the_tenant, visitor
from kpplatform.tenancy.models import Member, Tenant
from recommender.models import ModelVersion
from recommender.queries import exposure, feed_settings

MOST = 6
SEEN_DAYS = 3


@dataclass(frozen=True)
class Card:
    """One number, and the page where its rows are."""

    title: str
    number: int
    page: str
    query: str = ""
    is_alarming: bool = False

    @property
    def href(self) -> str:
        return reverse(f"admin:{self.page}_changelist") + self.query


@dataclass(frozen=True)
class Table:
    """A few rows, or what is said when there are none."""

    title: str
    headers: list[str]
    rows: list[list[Any]]
    when_empty: str

    @property
    def table(self) -> dict[str, Any]:
        return {"headers": self.headers, "rows": self.rows}


@dataclass(frozen=True)
class Dashboard:
    cards: list[Card]
    tables: list[Table]


def seen_by(request: HttpRequest, *, at: datetime) -> Dashboard:
    """Return the numbers of whoever is looking: an installation's, a tenant's, or a creator's own."""
    db = database_for(request)
    if is_operator(request):
        tenants = Card(_("Tenants"), Tenant.objects.filter(closed_at=None).count(), "tenancy_tenant")
        return Dashboard(cards=[tenants, *_tenant_cards(db, at)], tables=_tenant_tables(db))
    if runs_the_tenant(request):
        return Dashboard(cards=_tenant_cards(db, at), tables=[*_tenant_tables(db), _seen(at)])
    return Dashboard(cards=_creator_cards(visitor(request), at), tables=[])


def _tenant_cards(db: str, at: datetime) -> list[Card]:
    jobs = rows(Job, db).aggregate(
        waiting=Count("pk", filter=Q(state=Job.State.WAITING)), dead=Count("pk", filter=Q(state=Job.State.DEAD))
    )
    return [
        Card(_("Members"), rows(Member, db).exclude(role=Member.Role.ANONYMOUS).count(), "tenancy_member"),
        Card(_("Published items"), rows(Item, db).filter(_published(at)).count(), "catalog_item"),
        Card(_("Watches today"), rows(Watch, db).filter(_today(at)).count(), "catalog_watch"),
        Card(_("Jobs waiting"), jobs["waiting"], "jobs_job", "?state__exact=waiting"),
        Card(_("Jobs dead"), jobs["dead"], "jobs_job", "?state__exact=dead", is_alarming=jobs["dead"] > 0),
    ]


def _creator_cards(member: Member | None, at: datetime) -> list[Card]:
    creator = Creator.objects.filter(member=member).first()
    items = Item.objects.filter(creator=creator)
    watches = Watch.objects.filter(_today(at), item__creator=creator, quarantine=Watch.Quarantine.CLEAN)
    return [
        Card(_("My published items"), items.filter(_published(at)).count(), "catalog_item"),
        Card(_("Watches today"), watches.count(), "catalog_watch"),
        Card(_("Followers"), Follow.objects.filter(creator=creator).count(), "creators_follow"),
    ]


def _tenant_tables(db: str) -> list[Table]:
    return [_model(db), _orders(db), _quarantine(db)]


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
    small = feed_settings().small_followers
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
        rows=[
            [
                date_format(told.day, "SHORT_DATE_FORMAT"),
                told.places,
                *(f"{share:.1%}" for share in (told.explored, told.new_creators, told.small_creators)),
                f"{told.topics_a_page:.1f}",
                f"{told.gini:.2f}",
            ]
            for told in exposure(days=SEEN_DAYS, at=at, small_followers=small)
        ],
        when_empty=_("Nothing was shown these days."),
    )


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


def _quarantine(db: str) -> Table:
    kept_out = rows(Watch, db).exclude(quarantine=Watch.Quarantine.CLEAN)
    counted = kept_out.values_list("quarantine").annotate(Count("pk")).order_by("-pk__count")
    return Table(
        title=_("Kept out of the counts"),
        headers=[_("reason"), _("watches")],
        rows=[[_(Watch.Quarantine(reason).label), f"{count:,}"] for reason, count in counted],
        when_empty=_("Nothing is in quarantine."),
    )


def rows(model: type[Model], db: str) -> QuerySet[Any]:
    """Return the model's rows as the role of this page sees them."""
    return model._default_manager.db_manager(db).all()


def _published(at: datetime) -> Q:
    return Q(state__in=[Item.State.SCHEDULED, Item.State.PUBLISHED], published_at__lte=at)


def _today(at: datetime) -> Q:
    """Since midnight where the server's clock is (UTC)."""
    return Q(started_at__gte=at.replace(hour=0, minute=0, second=0, microsecond=0), started_at__lte=at)
