"""Money of the demo: what viewers bought of whom they watched, day by day, and gave back; and what was reported.

Everything goes through billing's own operations, at the moment at which it is said to have happened, so that the ledger
verifies. No provider knows of it: what is still compared with a provider's reports gets the report that it would have
made.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count

from billing import operations as billing
from billing.models import Consultation, Order, OrderLine, Payment
from billing.operations import Said, Wanted, pricing
from catalog.models import Watch
from creators.models import Creator
from kpplatform.demo.offering import Counter, Shop, open_counter, open_shop, priced
from kpplatform.demo.reporting import report_days
from kpplatform.demo.trying import AGO, try_price
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SHOPS, MOST_ORDERS, VIEWERS_AN_ORDER, LEAST_VIEWERS = 12, 450, 4, 20
FAMOUS = 0.35  # of all orders: of the creator whom most follow
EARLIER, EARLIER_DAYS = 0.1, 21  # so many orders more, in the month before
LOOKERS = 600
SLACK = 3 * MINUTE  # what follows at once is before the end, too
UNPAID, GIVEN_BACK = 0.16, 0.12  # of all orders; of courses and e-books
OFTEN = {"course": 34, "book": 20, "tip": 20, "year": 12, "answer": 7, "gift": 7}
TIPS = (500, 1_000, 1_000, 2_000, 5_000, 8_800)
QUESTION = "我该怎么开始？ Where do I begin?"
REPLY = "从最小的一步开始。 Begin with the smallest step."
THANKS = ("谢谢！ Thank you!", "讲得真好 So clear", "加油 Keep going")

Moment = tuple[datetime, int, Shop]  # when who buys of whom


@dataclass
class Trade:
    """What is still to happen, in the order of time, and with what."""

    staff: Member
    counter: Counter
    rng: random.Random
    until: datetime
    waiting: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def plan(self, at: datetime, what: Callable[[datetime], None]) -> None:
        heappush(self.waiting, (at, next(self.numbers), what))

    def happen(self) -> None:
        """Let everything happen that is planned until the end."""
        while self.waiting:
            at, _, what = heappop(self.waiting)
            if at < self.until - SLACK:
                what(at)

    def buy(self, viewer: Member, shop: Shop, at: datetime) -> None:
        """Let somebody order something, and most of them pay."""
        [kind] = self.rng.choices(list(OFTEN), list(OFTEN.values()))
        wanted = self._wanted(kind, shop)
        try:
            order = billing.order_all(viewer=viewer, wanted=[wanted], key=f"demo {next(self.numbers)}", at=at)
        except Refused:  # they have it, or it is not there yet
            return
        if self.rng.random() < UNPAID:
            return
        paid_at = at + MINUTE
        billing.capture(payment=Payment.objects.get(order=order), reference=f"demo-{order.pk}", at=paid_at)
        if kind == "gift":
            self.plan(paid_at + MINUTE, lambda at: self._give(viewer, shop, at))
        elif kind == "answer":
            answered_at = min(paid_at + self.rng.randint(2, 40) * HOUR, self.until - 2 * SLACK)
            self.plan(max(answered_at, paid_at), lambda at: self._answer(order, at))
        elif kind in {"course", "book"} and self.rng.random() < GIVEN_BACK:
            self.plan(paid_at + self.rng.randint(3, 90) * HOUR, lambda at: self._give_back(order, viewer, at))

    def look(self, viewer: Member, shop: Shop, at: datetime) -> None:
        """Let somebody look at what the e-book costs."""
        pricing.show_prices(viewer=viewer, products=[shop.book.pk], at=at)

    def _wanted(self, kind: str, shop: Shop) -> Wanted:
        if kind == "course" and shop.courses:
            return Wanted(item=self.rng.choice(shop.courses))
        if kind == "tip":
            amount, said = priced(self.rng.choice(TIPS)), Said(message=self.rng.choice(THANKS))
            return Wanted(creator=shop.creator, amount=amount, said=said)
        if kind == "answer":
            return Wanted(product=shop.answer.product, said=Said(intake={"question": QUESTION}))
        products = {"year": shop.year.product, "gift": self.counter.coins}
        return Wanted(product=products.get(kind, shop.book))

    def _give(self, viewer: Member, shop: Shop, at: datetime) -> None:
        billing.give_gift(viewer=viewer, gift=self.counter.gift, creator=shop.creator, key=f"demo {at}", at=at)

    def _answer(self, order: Order, at: datetime) -> None:
        asked = Consultation.objects.get(line__order=order)
        billing.answer(consultation=asked, by=self.staff, body=REPLY, at=at)
        billing.rate_consultation(consultation=asked, by=order.viewer, rating=self.rng.choice((4, 5, 5)))

    def _give_back(self, order: Order, viewer: Member, at: datetime) -> None:
        line = OrderLine.objects.get(order=order)
        try:
            given = billing.refund(line=line, by=viewer, amount=None, key="demo", at=at)
        except Refused:  # an e-book that was downloaded, say
            return
        billing.settle_refund(refund=given, reference=f"demo-back-{given.pk}", at=at + MINUTE)

    def close_day(self, at: datetime) -> None:
        """Do what the clock does for creators' money, at the end of a day."""
        for step in (billing.mature, billing.mature_gifts):
            while step(at=at):
                pass


def sell(*, ends_at: datetime, seed: int = 1) -> None:
    """Let viewers of the scope's tenant buy of whom they watched, until a midnight, and settle what months are over.

    Nothing is done where nobody is there to buy or to sell.
    """
    rng = random.Random(seed)
    viewers = Member.objects.filter(role=Member.Role.VIEWER).in_bulk()
    sellers = list(Creator.objects.filter(member__isnull=False).order_by("-followers", "pk")[:SHOPS])
    first = Watch.objects.filter(quarantine="").order_by("started_at").values_list("started_at", flat=True).first()
    if len(viewers) < LEAST_VIEWERS or not sellers or first is None:
        return
    month = ends_at.replace(day=1)
    opens_at = min(first.replace(hour=0, minute=0, second=0, microsecond=0), month - EARLIER_DAYS * DAY)
    staff = Member.objects.filter(role=Member.Role.ADMIN).order_by("pk")[0]
    shops = [open_shop(creator=creator, by=staff, at=opens_at) for creator in sellers]
    trade = Trade(staff, open_counter(by=staff, at=opens_at), rng, ends_at)
    orders = min(MOST_ORDERS, len(viewers) // VIEWERS_AN_ORDER)
    moments = _after_watching(shops, orders, rng)
    if month < first:
        moments += _earlier(shops, list(viewers), int(EARLIER * orders), opens_at, rng)
    for at, pk, shop in moments:
        if viewer := viewers.get(pk):
            trade.plan(at, partial(trade.buy, viewer, shop))
    for day in range((ends_at - opens_at).days):
        trade.plan(ends_at - day * DAY - 2 * SLACK, trade.close_day)
    _try_price(trade, shops[0], viewers)
    trade.happen()
    while billing.paying.settle_all(at=ends_at):
        pass
    report_days(since=opens_at, until=ends_at)


def _after_watching(shops: Sequence[Shop], orders: int, rng: random.Random) -> list[Moment]:
    """Return when who buys of whom: some minutes after they watched something of theirs."""
    found = []
    for place, shop in enumerate(shops):
        share = FAMOUS if place == 0 else (1 - FAMOUS) / max(len(shops) - 1, 1)
        found += [(at, viewer, shop) for viewer, at in _watched(shop, round(share * orders), rng)]
    return found


def _watched(shop: Shop, many: int, rng: random.Random) -> list[tuple[int, datetime]]:
    """Return so many of those who watched something of the creator's, and a time some minutes after."""
    watches = Watch.objects.filter(quarantine="", item__creator=shop.creator).exclude(viewer=shop.creator.member)
    seen = list(watches.order_by("pk").values_list("viewer", "started_at"))
    return [(viewer, at + rng.randint(2, 9) * MINUTE) for viewer, at in rng.sample(seen, min(many, len(seen)))]


def _earlier(
    shops: Sequence[Shop], viewers: Sequence[int], orders: int, opens_at: datetime, rng: random.Random
) -> list[Moment]:
    """Return when the first supporters bought, in the month before: so that a month is over and settled."""
    whose = (shops[0 if n % 2 else n % len(shops)] for n in range(orders))
    return [(opens_at + rng.randint(1, 240) * HOUR, rng.choice(viewers), shop) for shop in whose]


def _try_price(trade: Trade, shop: Shop, viewers: Mapping[int, Member]) -> None:
    """Plan that the shop's e-book is sold for less to some, of those who look at it from then on."""
    begins = trade.until - AGO * DAY
    trade.plan(begins, lambda _: try_price(book=shop.book, by=trade.staff, ends_at=trade.until))
    for pk, at in _watched(shop, LOOKERS, trade.rng):
        if at > begins and (viewer := viewers.get(pk)):
            trade.plan(at, partial(trade.look, viewer, shop))
