"""Payouts, as they are asked for and shown. Of an account's number only the end ever comes out."""

from rest_framework import serializers

from billing.models import Payout, PayoutAccount, PayoutBatch, PayoutChange, PayoutHold
from billing.money import EXPONENTS
from billing.operations.prices import MOST
from kpplatform.rest.serializers import In

CURRENCIES = sorted(EXPONENTS)
LONGEST_FILE = 2_000_000


class AccountIn(In):
    creator = serializers.SlugField(required=False, help_text="The creator that who asks runs, if not given.")
    currency = serializers.ChoiceField(CURRENCIES, required=False, help_text="The tenant's, if not given.")
    rail = serializers.ChoiceField(PayoutAccount.Rail.choices)
    holder = serializers.CharField(max_length=100)
    number = serializers.CharField(
        max_length=120, min_length=4, help_text="At the bank; or acct_… at Stripe, an openid, an Alipay account."
    )
    bank = serializers.CharField(max_length=100, required=False, help_text="For bank_file and sandbox.")


class AccountOut(serializers.ModelSerializer[PayoutAccount]):
    creator = serializers.CharField(source="creator.handle")

    class Meta:
        model = PayoutAccount
        fields = ["id", "creator", "currency", "rail", "hint", "made_at"]


class PayoutIn(In):
    creator = serializers.SlugField(required=False, help_text="The creator that who asks runs, if not given.")
    currency = serializers.ChoiceField(CURRENCIES, required=False, help_text="The tenant's, if not given.")
    amount = serializers.IntegerField(required=False, min_value=1, max_value=MOST, help_text="In minor units.")


class ReleaseIn(In):
    why = serializers.CharField(max_length=200, required=False)


class PaidIn(In):
    reference = serializers.CharField(max_length=100, help_text="The bank's.")


class ChangeOut(serializers.ModelSerializer[PayoutChange]):
    by = serializers.CharField(source="by.name", allow_null=True, default=None)

    class Meta:
        model = PayoutChange
        fields = ["before", "after", "by", "why", "changed_at"]


class PayoutOut(serializers.ModelSerializer[Payout]):
    creator = serializers.CharField(source="creator.handle")
    rail = serializers.CharField(source="account.rail")
    account = serializers.CharField(source="account.hint", help_text="How the account's number ends.")
    changes = ChangeOut(many=True)

    class Meta:
        model = Payout
        fields = [
            "id", "creator", "amount", "withheld", "withheld_back", "currency", "rail", "account", "state",
            "reference", "reason", "confirmation", "drafted_at", "submitted_at", "done_at", "changes",
        ]  # fmt: skip


class BatchIn(In):
    currency = serializers.ChoiceField(CURRENCIES, required=False, help_text="The tenant's, if not given.")


class BatchOut(serializers.ModelSerializer[PayoutBatch]):
    class Meta:
        model = PayoutBatch
        fields = ["id", "currency", "made_at"]


class ResultIn(In):
    file = serializers.CharField(max_length=LONGEST_FILE, trim_whitespace=False, help_text="The text of the file.")


class ResultOut(serializers.Serializer[dict[str, int]]):
    applied = serializers.IntegerField(help_text="How many payouts this told something new of.")


class HoldIn(In):
    creator = serializers.SlugField()
    reason = serializers.ChoiceField(PayoutHold.Reason.choices)
    expected_on = serializers.DateField(help_text="When it is expected to end.")
    required_action = serializers.CharField(max_length=500, help_text="What the creator has to do.")


class HoldOut(serializers.ModelSerializer[PayoutHold]):
    creator = serializers.CharField(source="creator.handle")

    class Meta:
        model = PayoutHold
        fields = ["id", "creator", "reason", "expected_on", "required_action", "placed_at", "released_at", "why"]
