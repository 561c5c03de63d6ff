"""What something costs who asks, and that prices are being tried, said openly."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from billing.models import Price, PriceArm, Product
from billing.operations import pricing
from billing.queries.price_experiments import Thing
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant


class TriedOut(serializers.ModelSerializer[Any]):
    """The base of what has a price: where some are tried, it tells the viewer's, the highest, and that it is so."""

    amount = serializers.SerializerMethodField(help_text="What it costs who asks, in minor units.")
    list_amount = serializers.IntegerField(source="amount", help_text="The highest that anybody pays.")
    is_tried = serializers.SerializerMethodField(help_text="Different prices are being tried, dealt by chance alone.")

    def get_amount(self, row: Price | Product) -> int:
        arm = self.arm(row)
        return arm.amount if arm else row.amount

    def get_is_tried(self, row: Price | Product) -> bool:
        return self.arm(row) is not None

    def arm(self, row: Price | Product) -> PriceArm | None:
        arm = self.context.get("tried", {}).get(_thing(row))
        return arm if pricing.holds(arm, row.money) else None


def tried_for(viewer: Member, rows: Sequence[Price | Product]) -> dict[str, Any]:
    """Return what these rows are shown with: the prices that are tried on the viewer, noted when new to them.

    Prices are tried in the tenant's currency: who sees those in another one only is shown none.
    """
    rows = [row for row in rows if row.currency == current_tenant().currency]
    items = [row.item_id for row in rows if isinstance(row, Price)]
    products = [row.pk for row in rows if isinstance(row, Product)]
    return {"tried": pricing.show_prices(viewer=viewer, items=items, products=products, at=timezone.now())}


def _thing(row: Price | Product) -> Thing:
    return ("item", row.item_id) if isinstance(row, Price) else ("product", row.pk)
