"""The days of flights, what was odd, and make-goods: all to staff, to others their own."""

from django.db.models import QuerySet

from billing.ads.models import Anomaly, FlightDay, MakeGood
from kpplatform.tenancy.models import Member


def days_seen_by(member: Member) -> QuerySet[FlightDay]:
    """Return the days of flights, the latest first."""
    rows = FlightDay.objects.order_by("-day", "-pk")
    return rows if member.runs_the_tenant else rows.filter(flight__campaign__advertiser__member=member)


def anomalies_seen_by(member: Member) -> QuerySet[Anomaly]:
    """Return what was odd, the latest first."""
    rows = Anomaly.objects.select_related("day", "by").order_by("-pk")
    return rows if member.runs_the_tenant else rows.filter(day__flight__campaign__advertiser__member=member)


def make_goods_seen_by(member: Member) -> QuerySet[MakeGood]:
    """Return the make-goods, the latest first."""
    rows = MakeGood.objects.select_related("flight__campaign").order_by("-pk")
    return rows if member.runs_the_tenant else rows.filter(flight__campaign__advertiser__member=member)
