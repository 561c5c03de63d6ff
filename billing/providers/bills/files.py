"""A report as a file, whoever's it is: what is inside tells."""

from collections.abc import Iterator
from itertools import chain
from typing import IO

from billing.models import ProviderAccount
from billing.providers.bills import alipay, stripe, wechatpay
from billing.providers.bills.spooling import texts_in
from billing.providers.reports import COLUMNS, BadReport, Reported, rows_of

Name = ProviderAccount.Provider
# How a file begins, whose it is (none: anybody's), and what reads it.
FORMATS = (
    (",".join(COLUMNS), "", rows_of),
    (wechatpay.TRADES, Name.WECHATPAY, wechatpay.rows_of),
    (wechatpay.FLOWS, Name.WECHATPAY, wechatpay.rows_of),
    (alipay.TRADES, Name.ALIPAY, alipay.rows_of),
    (alipay.FLOWS, Name.ALIPAY, alipay.rows_of),
    *((title, Name.ALIPAY, alipay.rows_of) for title in alipay.SUMS),
    (stripe.HEADER, Name.STRIPE, stripe.rows_of),
)


def read_file(file: IO[bytes], *, provider: str) -> Iterator[Reported]:
    """Yield the rows of a report: ours, or as the provider writes it, by itself, packed, or in an archive.

    Raises BadReport with the first bad line, for what nobody writes, and for what another provider has written.
    """
    for lines in texts_in(file):
        first = next(lines, "")
        found = [(whose, read) for begins, whose, read in FORMATS if first.lstrip('"').startswith(begins)]
        if not found or found[0][0] not in {"", provider}:
            raise BadReport(f"This is no report of {provider}.")
        yield from found[0][1](chain([first], lines))
