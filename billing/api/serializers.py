"""Money, as it is sent and shown: amounts in minor units, beside their currency."""

from typing import Any

from rest_framework import serializers

from billing.api.tried import TriedOut
from billing.models import Account, Journal, Order, OrderLine, Payment, Price, Refund, Revocation, TriedLine
from billing.models.instalments import FEWEST
from billing.models.instalments import MOST as MOST_PARTS
from billing.money import EXPONENTS
from billing.operations.prices import MOST
from billing.providers import Way
from kpplatform.rest.serializers import In


class PriceIn(In):
    item = serializers.IntegerField()
    amount = serializers.IntegerField(min_value=1, max_value=MOST, help_text="In minor units, tax included.")
    currency = serializers.ChoiceField(sorted(EXPONENTS))


class PricesIn(serializers.Serializer[Any]):
    item = serializers.IntegerField(required=False, help_text="Only of this item.")


class PriceOut(TriedOut):
    item = serializers.IntegerField(source="item_id")

    class Meta:
        model = Price
        fields = ["id", "item", "amount", "list_amount", "is_tried", "currency", "starts_at", "ends_at"]


class WantedIn(In):
    item = serializers.IntegerField(required=False)
    product = serializers.IntegerField(required=False)
    creator = serializers.SlugField(required=False, help_text="To whom money is given for nothing, by handle.")
    amount = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST, help_text="Of a gift, or where the price is open; minor units."
    )

    message = serializers.CharField(required=False, max_length=200, help_text="With money that is given.")
    intake = serializers.DictField(required=False, help_text="What a consultation's form asks for, by name.")
    anonymous = serializers.BooleanField(required=False, help_text="Money is given, but not in one's own name.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one thing at a time."""
        if len(attrs.keys() & {"item", "product", "creator"}) != 1:
            raise serializers.ValidationError("Say an item, a product or a creator.", code="one_thing")
        return attrs


class QuoteIn(In):
    item = serializers.IntegerField(required=False, help_text="For an order of one item.")
    lines = serializers.ListField(child=WantedIn(), required=False, allow_empty=False, max_length=50)
    coupon = serializers.CharField(required=False, max_length=40, help_text="A coupon's code.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take an item, or lines."""
        if ("item" in attrs) == ("lines" in attrs):
            raise serializers.ValidationError("Say an item, or lines.", code="item_or_lines")
        return attrs


class OrderIn(QuoteIn):
    instalments = serializers.IntegerField(
        required=False, min_value=FEWEST, max_value=MOST_PARTS, help_text="In how many monthly parts one thing is paid."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one thing in parts, and no coupon with it."""
        attrs = super().validate(attrs)
        if "instalments" in attrs and ("coupon" in attrs or len(attrs.get("lines", [attrs])) > 1):
            raise serializers.ValidationError("One thing is paid in parts, without a coupon.", code="one_in_parts")
        return attrs


class PayIn(In):
    return_url = serializers.URLField(required=False, max_length=500, help_text="Where the buyer goes afterwards.")
    way = serializers.ChoiceField(
        [way.value for way in Way], required=False, help_text="Where the provider has several; else its usual one."
    )
    openid = serializers.RegexField(r"^[0-9A-Za-z_-]{1,64}$", required=False, help_text="Who pays, for the way `app`.")


class RefundIn(In):
    line = serializers.IntegerField(required=False, help_text="Not needed for an order of one item.")
    amount = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST, help_text="All that is left, if not given."
    )


class RevokeIn(In):
    line = serializers.IntegerField(required=False, help_text="Not needed for an order of one thing.")
    why = serializers.CharField(max_length=200)


class RevocationOut(serializers.ModelSerializer[Revocation]):
    line = serializers.IntegerField(source="line_id")

    class Meta:
        model = Revocation
        fields = ["id", "line", "why", "revoked_at"]


class RefundOut(serializers.ModelSerializer[Refund]):
    line = serializers.IntegerField(source="line_id")

    class Meta:
        model = Refund
        fields = ["id", "line", "amount", "currency", "state", "reason", "asked_at", "done_at"]


class TriedLineOut(serializers.ModelSerializer[TriedLine]):
    experiment = serializers.IntegerField(source="arm.experiment_id")
    arm = serializers.CharField(source="arm.name")

    class Meta:
        model = TriedLine
        fields = ["experiment", "arm", "amount"]


class LineOut(serializers.ModelSerializer[OrderLine]):
    item = serializers.IntegerField(source="item_id", allow_null=True)
    product = serializers.IntegerField(source="product_id", allow_null=True)
    creator = serializers.CharField(source="creator.handle", default=None, allow_null=True)
    title = serializers.CharField()
    refunds = RefundOut(many=True)
    tried = TriedLineOut(many=True, help_text="At which price that was tried it was sold; empty: at none.")

    class Meta:
        model = OrderLine
        fields = [
            *("id", "kind", "item", "product", "creator", "title", "amount", "discount", "tax", "refunded", "refunds"),
            "tried",
        ]


class QuotedOut(serializers.Serializer[Any]):
    kind = serializers.CharField(source="wanted.kind")
    item = serializers.IntegerField(source="wanted.item.pk", default=None, allow_null=True)
    product = serializers.IntegerField(source="wanted.product.pk", default=None, allow_null=True)
    creator = serializers.CharField(source="wanted.owner.handle", default=None, allow_null=True)
    title = serializers.CharField(source="wanted.title")
    price = serializers.IntegerField(source="price.minor")
    discount = serializers.IntegerField(source="discount.minor")
    tax = serializers.IntegerField(source="parts.tax.minor", help_text="Contained in the amount.")
    amount = serializers.IntegerField(source="amount.minor", help_text="What is to be paid.")
    list_price = serializers.IntegerField(source="listed.minor", help_text="The highest that anybody pays.")
    is_tried = serializers.SerializerMethodField(help_text="Different prices are being tried, dealt by chance alone.")

    def get_is_tried(self, of: Any) -> bool:
        return of.arm is not None


class QuoteOut(serializers.Serializer[Any]):
    lines = QuotedOut(many=True)
    price = serializers.IntegerField(help_text="In minor units, like all of these.")
    discount = serializers.IntegerField()
    tax = serializers.IntegerField()
    amount = serializers.IntegerField()
    currency = serializers.CharField()


class PaymentOut(serializers.ModelSerializer[Payment]):
    class Meta:
        model = Payment
        fields = ["id", "provider", "state", "amount", "currency", "checkout_url", "way", "handed", "captured_at"]


class OrderOut(serializers.ModelSerializer[Order]):
    viewer = serializers.IntegerField(source="viewer_id")
    lines = LineOut(many=True)
    payments = PaymentOut(many=True)

    class Meta:
        model = Order
        fields = [
            "id", "viewer", "state", "amount", "currency", "placed_at", "paid_at", "lapsed_at", "lines", "payments",
        ]  # fmt: skip


class BalanceOut(serializers.ModelSerializer[Account]):
    amount = serializers.IntegerField(source="balance.minor", help_text="In minor units.")

    class Meta:
        model = Account
        fields = ["id", "name", "kind", "currency", "amount"]


class TransferOut(serializers.Serializer[Any]):
    debit = serializers.CharField(source="debit.name", help_text="From this account …")
    credit = serializers.CharField(source="credit.name", help_text="… to this one.")
    amount = serializers.IntegerField()
    currency = serializers.CharField()


class JournalOut(serializers.ModelSerializer[Journal]):
    link = serializers.SerializerMethodField(help_text="SHA-256 over the link before and this journal.")
    transfers = TransferOut(many=True)

    class Meta:
        model = Journal
        fields = ["id", "seq", "kind", "key", "at", "link", "transfers"]

    def get_link(self, journal: Journal) -> str:
        return bytes(journal.link).hex()


class ReceivedOut(serializers.Serializer[Any]):
    received = serializers.BooleanField(default=True)
