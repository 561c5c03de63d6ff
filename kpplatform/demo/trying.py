"""What the demo tries out on its viewers: a feed of more varied pages, and a lower price of an e-book."""

from datetime import datetime, timedelta
from itertools import groupby

from billing.models import Product
from billing.money import Money
from billing.operations import pricing
from catalog.models import Watch
from kpplatform.tenancy.models import Member
from recommender import operations
from recommender.models import Experiment
from recommender.queries.experiments import arm_of

DAY = timedelta(days=1)
AGO, GOES_ON = 7, 30  # days: since both began, and how long the price is still tried
LESS = 0.75
HYPOTHESIS = "更多样的页面让人看得更久。 More varied pages are watched for longer."
ARMS = (operations.Arm("control", 0.5, {}), operations.Arm("varied", 0.5, {"diversity": 0.25}))


def try_feed(*, ends_at: datetime) -> None:
    """Let an experiment on the feed have run since some days before, with all who watched since then, and read it.

    Nothing is done where nobody watched.
    """
    at = ends_at - AGO * DAY
    seen = Watch.objects.filter(quarantine="", started_at__gte=at, started_at__lt=ends_at)
    if not seen.exists():
        return
    told = operations.plan_experiment(
        name="varied-pages", hypothesis=HYPOTHESIS, arms=ARMS, metric=Experiment.Metric.WATCH_MINUTES, at=at
    )
    begun = operations.begin_experiment(experiment=told, at=at)
    viewers = Member.objects.filter(role=Member.Role.VIEWER).in_bulk()
    rows = seen.order_by("viewer", "started_at").values_list("viewer", "started_at")
    for pk, watches in groupby(rows, key=lambda row: row[0]):
        if pk in viewers and (arm := arm_of(begun, viewer_id=pk)):
            operations.expose(viewer=viewers[pk], dealt=[(begun, arm)], at=next(watches)[1])
    operations.read_experiment(experiment=begun, at=ends_at)


def try_price(*, book: Product, by: Member, ends_at: datetime) -> None:
    """Begin to sell an e-book to half of those who look at it for less: to be called when its time has come."""
    at = ends_at - AGO * DAY
    prices = [book.money, Money(round(book.amount * LESS), book.currency)]
    pricing.try_prices(thing=book, by=by, name="notes-for-less", prices=prices, ends_at=ends_at + GOES_ON * DAY, at=at)
