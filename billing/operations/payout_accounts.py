"""Where creators are paid: sealed when it is written down."""

import re
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from billing import providers
from billing.models import PayoutAccount
from billing.money import EXPONENTS
from billing.providers import vault
from creators.models import Creator
from kpplatform.errors import Forbidden, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

LEAST_DIGITS = 4
Rail = PayoutAccount.Rail
# How a provider names whom it pays; elsewhere it is a number at a bank.
NUMBERS: Mapping[str, re.Pattern[str]] = {
    Rail.STRIPE: re.compile(r"acct_[0-9A-Za-z]{8,32}"),
    Rail.WECHATPAY: re.compile(r"[0-9A-Za-z_-]{20,32}"),  # an openid, of the tenant's own application
    Rail.ALIPAY: re.compile(r"2088\d{12}|1\d{10}|[0-9A-Za-z.+_-]{1,60}@[0-9A-Za-z.-]{1,60}"),
}
ONLY_YUAN = {Rail.WECHATPAY, Rail.ALIPAY}


class NotYourMoney(Forbidden):
    code = "not_your_money"


class BadAccount(Invalid):
    code = "bad_account"


@transaction.atomic
def set_payout_account(
    *, creator: Creator, by: Member, currency: str, rail: str, to: providers.Destination, at: datetime
) -> PayoutAccount:
    """Pay the creator there from now on; payouts that were drafted go where they were going.

    Raises NotYourMoney, BadAccount, and NotConnected for a way that the tenant has not.
    """
    if creator.member_id != by.pk and not by.runs_the_tenant:
        raise NotYourMoney("Only the creator and the tenant's staff say where a creator is paid.")
    _must_be_good(rail, currency, to)
    if rail != Rail.BANK_FILE:
        providers.rail_of(current_tenant(), rail)
    Creator.objects.select_for_update(no_key=True).get(pk=creator.pk)
    PayoutAccount.objects.filter(creator=creator, currency=currency, withdrawn_at=None).update(withdrawn_at=at)
    return PayoutAccount.objects.create(
        creator=creator,
        currency=currency,
        rail=rail,
        details=vault.seal(vars(to), tenant_id=current_tenant_id()),
        hint=to.number[-LEAST_DIGITS:],
        made_by=by,
        made_at=at,
    )


def _must_be_good(rail: str, currency: str, to: providers.Destination) -> None:
    named = NUMBERS.get(rail)
    words = (to.holder, to.number) if named else (to.holder, to.number, to.bank)
    if currency not in EXPONENTS or len(to.number) < LEAST_DIGITS or not all(map(_is_plain, words)):
        raise BadAccount("An account has a holder, a number and a bank, in plain words and figures.")
    if named and (not named.fullmatch(to.number) or to.bank):
        raise BadAccount("The number is nobody's name there, or a bank was told that is not needed.")
    if rail in ONLY_YUAN and currency != "CNY":
        raise BadAccount(f"Nobody is paid in {currency} that way.")


def destination_of(account: PayoutAccount) -> providers.Destination:
    """Return where the creator is paid."""
    return providers.Destination(**vault.unseal(bytes(account.details), tenant_id=current_tenant_id()))


def _is_plain(word: str) -> bool:
    """Tell whether a word can stand in a file for the bank: a spreadsheet would run what begins with a sign."""
    return bool(word.strip()) and word.isprintable() and word[0] not in "=+-@"
