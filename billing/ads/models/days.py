"""Each day of a flight, what was odd about it, and what is offered for a sponsorship that delivered too little."""

from django.db import models
from django.db.models import F, Q

from billing.ads.models.campaigns import Flight
from billing.ads.models.charges import Credit
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class FlightDay(TenantOwned):
    """What became of a day's offers of a flight that was on all day, as it was known an hour after."""

    flight = TenantForeignKey(Flight)
    day = models.DateField()
    offers = models.PositiveIntegerField()
    views = models.PositiveIntegerField()
    clicks = models.PositiveIntegerField()
    held = models.PositiveIntegerField(help_text="What looked odd.")
    billed = models.PositiveIntegerField()
    spent = models.BigIntegerField(help_text="In micros.")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "flight", "day"], name="a_day_of_a_flight_is_counted_once"),
            AppendOnly(name="a_day_of_a_flight_is_never_changed"),
        ]
        indexes = [models.Index(fields=["tenant", "-day", "-id"], name="ad_flight_day")]

    def __str__(self) -> str:
        return f"{self.flight_id} {self.day}"


class Anomaly(TenantOwned):
    """A number of a day that the days before do not make likely, and what may be the reason."""

    class Measure(models.TextChoices):
        VIEWS = "views"
        CLICKS = "clicks"
        SPEND = "spend"
        FILL = "fill", "seen of what was offered"

    class Reason(models.TextChoices):
        PAUSED = "paused", "it was paused that day"
        USED_UP = "used_up", "its budget is used up"
        CHANGED = "changed", "what it shows was changed that day"
        HELD = "held", "much of it looked odd and is held"
        TOGETHER = "together", "the flights had as unusual a day on average"
        UNKNOWN = "unknown", "no cause is known"

    day = TenantForeignKey(FlightDay)
    measure = models.CharField(max_length=6, choices=Measure.choices)
    seen = models.FloatField()
    expected = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    reason = models.CharField(max_length=12, choices=Reason.choices)
    found_at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True, help_text="What staff say of it.")
    by = TenantForeignKey(Member, null=True, blank=True)
    explained_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "day", "measure"], name="a_measure_of_a_day_is_odd_once"),
            models.CheckConstraint(
                condition=Q(explained_at=None, note="") | (Q(explained_at__isnull=False) & ~Q(note="")),
                name="an_anomaly_is_explained_in_words",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "explained_at", "-id"], name="ad_anomaly_open")]

    def __str__(self) -> str:
        return f"{self.day_id}: {self.measure}"


class MakeGood(TenantOwned):
    """What is proposed for a sponsorship that was not delivered in full: days more, or a credit; staff decide."""

    class State(models.TextChoices):
        PROPOSED = "proposed"
        EXTENDED = "extended"
        CREDITED = "credited"
        DECLINED = "declined"

    flight = TenantForeignKey(Flight)
    until = models.DateTimeField(help_text="When the flight was over.")
    promised = models.BigIntegerField(help_text="Its budget, in minor units …")
    delivered = models.BigIntegerField(help_text="… and what of it was charged.")
    days = models.PositiveSmallIntegerField(help_text="In which the rest is likely to be delivered.")
    amount = models.BigIntegerField(help_text="Of a credit instead, in minor units.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.PROPOSED)
    credit = TenantForeignKey(Credit, null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    by = TenantForeignKey(Member, null=True, blank=True)
    proposed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "flight", "until"], name="a_make_good_is_proposed_once"),
            models.CheckConstraint(
                condition=Q(delivered__lt=F("promised"), amount__gte=0), name="a_make_good_is_for_what_is_missing"
            ),
            models.CheckConstraint(
                condition=(Q(state="credited") & Q(credit__isnull=False)) | (~Q(state="credited") & Q(credit=None)),
                name="a_credited_make_good_has_its_credit",
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_at=None) | (~Q(state="proposed") & Q(decided_at__isnull=False)),
                name="a_make_good_is_decided_once",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="ad_make_good_state")]

    def __str__(self) -> str:
        return f"{self.flight_id}: {self.promised - self.delivered}"
