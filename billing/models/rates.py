"""What a currency is worth in another, by days: for reports only."""

from django.db import models
from django.db.models import F, Q

from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned

PLACES = 12


class ExchangeRate(TenantOwned):
    """What one unit of a currency was worth in another on a day, and who says so. Of a day, the last one set holds."""

    day = models.DateField()
    base = models.CharField(max_length=3, help_text="One unit of this currency …")
    quote = models.CharField(max_length=3, help_text="… is so much of this one.")
    rate = models.DecimalField(max_digits=2 * PLACES, decimal_places=PLACES)
    source = models.CharField(max_length=50, help_text="Where it was taken from.")
    set_by = TenantForeignKey(Member)
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(rate__gt=0), name="a_currency_is_worth_something"),
            models.CheckConstraint(condition=~Q(base=F("quote")), name="a_rate_is_of_two_currencies"),
            AppendOnly(name="a_rate_that_held_is_kept"),
        ]
        indexes = [models.Index(fields=["tenant", "quote", "base", "-day", "-id"], name="exchange_rate_of_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.base}/{self.quote}"
