"""What is earned on other platforms, with the least said. Call inside a scope."""

from datetime import date
from decimal import Decimal

from billing.models import Channel, OutsideStatement
from billing.operations import outside
from creators.models import Creator
from kpplatform.tenancy.models import Member
from tests.conftest import NOON

TODAY = NOON.date()
HEADER = "day,kind,title,reference,gross,fee,currency"
ADS = "2026-04-30,ads,April,A1,10000,4500,EUR"  # 100.00, of which the platform keeps 45.00
BACK = "2026-05-01,refund,,R1,-1000,-450,EUR"  # 10.00 given back, and 4.50 by the platform


def channel(creator: Creator, platform: str = "youtube", name: str = "Piano") -> Channel:
    assert creator.member is not None
    return outside.add_channel(creator=creator, by=creator.member, platform=platform, name=name, at=NOON)


def told(of: Channel, *lines: str, by: Member | None = None) -> OutsideStatement:
    """Import a statement of these lines, as its creator."""
    rows = outside.rows_of(f"{line}\n" for line in (HEADER, *lines))
    return outside.import_statement(channel=of, by=by or of.creator.member, rows=rows, at=NOON)


def rated(by: Member, rate: str, *, day: date = TODAY, base: str = "EUR", source: str = "ECB") -> None:
    """Let a currency be worth so many yuan."""
    rates = [outside.Rated(day, base, "CNY", Decimal(rate), source)]
    outside.set_rates(rates=rates, by=by, at=NOON)


def earned_elsewhere(creator: Creator, *, by: Member) -> None:
    """Leave a channel with a statement, and what its currency is worth."""
    told(channel(creator), ADS, BACK)
    rated(by, "7.8")
