"""Price experiments: begun by who sells, ended by them or the clock, and the price that is taken for good."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from billing import queries
from billing.models import PriceArm, PriceExperiment, Product, StateChange
from billing.money import WHOLE_BPS, Money
from billing.operations.prices import set_price
from billing.operations.products import must_be_a_price, must_sell, revise_product
from catalog.models import Item
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

State = PriceExperiment.State
NAMES = "ABCD"
FEWEST_PRICES, MOST_PRICES = 2, len(NAMES)
LONGEST = timedelta(days=90)
BATCH = 200
# What is paid once, at the price that is told. A membership is renewed at its plan's price, coins are worth theirs.
TRIED = {Product.Kind.BUNDLE.value, Product.Kind.RENTAL.value, Product.Kind.EBOOK.value}


class PriceExperimentsClosed(Forbidden):
    code = "price_experiments_closed"


class CannotBeTried(Conflict):
    code = "cannot_be_tried"


class BadPrices(Invalid):
    code = "bad_prices"


class BadSpan(Invalid):
    code = "bad_span"


class TriedAlready(Conflict):
    code = "tried_already"


class NameTaken(Conflict):
    code = "name_taken"


class AdoptedAlready(Conflict):
    code = "adopted_already"


@transaction.atomic
def try_prices(
    *,
    thing: Item | Product,
    by: Member,
    name: str,
    prices: Sequence[Money],
    shares: Sequence[int] = (),
    ends_at: datetime,
    at: datetime,
) -> PriceExperiment:
    """Show some viewers lower prices of a thing until then, by shares in hundredths of a percent, or evenly.

    The highest is what it costs now, so the beginning makes it dearer for nobody. Raises PriceExperimentsClosed,
    NotYours, NoSuchPrice, WrongCurrency, BadPrices, BadSpan, NameTaken, CannotBeTried for what is not sold once at a
    price of its own, and TriedAlready while what was shown before is still promised.
    """
    if not queries.may_try_prices():
        raise PriceExperimentsClosed("No prices are tried here.")
    must_sell(thing.creator, by)
    thing = _held_thing(thing)
    arms = _arms(prices, shares or _evenly(len(prices)), _price_now(thing, at))
    if not at < ends_at <= at + LONGEST:
        raise BadSpan(f"It ends later than now, and within {LONGEST.days} days.")
    over = queries.running_of(thing).filter(ends_at__lte=at).select_for_update(no_key=True)
    _end(list(over), why="time", at=at)
    if queries.running_of(thing).exists() or queries.promised_of(thing, at=at).exists():
        raise TriedAlready(f"Prices of {thing} are being tried, or were, and who saw them has a day to buy at them.")
    experiment = _begun(thing, by=by, name=name, ends_at=ends_at, at=at)
    PriceArm.objects.bulk_create(
        PriceArm(experiment=experiment, name=name, amount=price.minor, share=share)
        for name, (price, share) in zip(NAMES, arms, strict=False)
    )
    _noted(experiment, "", at=at, by=by)
    return experiment


def _begun(thing: Item | Product, *, by: Member, name: str, ends_at: datetime, at: datetime) -> PriceExperiment:
    named = {"item": thing} if isinstance(thing, Item) else {"product": thing}
    said = {"name": name, "creator": thing.creator, "currency": current_tenant().currency, "made_by": by}
    if PriceExperiment.objects.filter(name=name).exists():
        raise NameTaken(f"There is an experiment {name} already.")
    try:
        with transaction.atomic():
            return PriceExperiment.objects.create(**named, **said, began_at=at, ends_at=ends_at)
    except IntegrityError as error:
        raise NameTaken(f"There is an experiment {name} already.") from error


def _price_now(thing: Item | Product, at: datetime) -> Money:
    """Return what the thing costs everybody now. Raises CannotBeTried."""
    if isinstance(thing, Item):
        price = queries.price_of(thing, at=at)
        if price is None or thing.is_free:
            raise CannotBeTried(f"{thing} has no price.")
        if price.ends_at is not None:
            raise CannotBeTried(f"The price of {thing} has just been changed.")
        return price.money
    if thing.kind not in TRIED or thing.is_open or thing.withdrawn_at is not None:
        raise CannotBeTried(f"Prices of {thing} cannot be tried: it is not sold once at a price of its own.")
    return thing.money


def _evenly(count: int) -> list[int]:
    each, left = divmod(WHOLE_BPS, max(count, 1))
    return [each + (place < left) for place in range(count)]


def _arms(prices: Sequence[Money], shares: Sequence[int], now: Money) -> list[tuple[Money, int]]:
    """Return the prices with their shares, the highest first."""
    for price in prices:
        must_be_a_price(price)
    if not FEWEST_PRICES <= len(prices) <= MOST_PRICES or len(set(prices)) < len(prices):
        raise BadPrices(f"{FEWEST_PRICES} to {MOST_PRICES} different prices are tried.")
    if len(shares) != len(prices) or min(shares) <= 0 or sum(shares) != WHOLE_BPS:
        raise BadPrices(f"Each price has a share of viewers, and all together {WHOLE_BPS}.")
    arms = sorted(zip(prices, shares, strict=True), key=lambda arm: -arm[0].minor)
    if arms[0][0] != now:
        raise BadPrices(f"The highest is what it costs now, {now}: who wants to try more first sets that price.")
    return arms


@transaction.atomic
def end_price_experiment(*, experiment: PriceExperiment, by: Member, why: str, at: datetime) -> PriceExperiment:
    """Sell at one price again from now on; who was shown a lower one still gets it for a day. Twice is once.

    Raises NotYours.
    """
    experiment = _held(experiment, by)
    if experiment.state == State.RUNNING:
        _end([experiment], why=why, at=at, by=by)
    return experiment


@transaction.atomic
def end_price_experiments(*, at: datetime, most: int = BATCH) -> int:
    """End those whose time is over, and where no prices may be tried any more all of them; say how many."""
    free = PriceExperiment.objects.select_for_update(no_key=True, skip_locked=True).filter(state=State.RUNNING)
    over = free.filter(ends_at__lte=at) if queries.may_try_prices() else free
    ended = list(over.order_by("pk")[:most])
    _end(ended, why="time" if queries.may_try_prices() else "closed", at=at)
    return len(ended)


@transaction.atomic
def adopt_price(*, arm: PriceArm, by: Member, at: datetime) -> PriceExperiment:
    """Sell at this price to everybody from now on, by an ordinary change of the price. Twice is once.

    Raises NotYours, Withdrawn, AdoptedAlready when another one of the experiment was adopted, and PriceIsTried while a
    later experiment of the thing runs. Locks: thing → experiment, as `try_prices`.
    """
    thing = _held_thing(arm.experiment.sold)
    experiment = _held(arm.experiment, by)
    if experiment.state == State.ADOPTED:
        if experiment.adopted != arm.name:
            raise AdoptedAlready(f"The price of {experiment.adopted} was adopted.")
        return experiment
    before, price = experiment.state, Money(arm.amount, experiment.currency)
    experiment.ended_at = experiment.ended_at or min(at, experiment.ends_at)
    experiment.state, experiment.adopted = State.ADOPTED, arm.name
    _save(experiment, before, at=at, by=by, why=str(price))
    if isinstance(thing, Item):
        set_price(item=thing, by=by, amount=price, at=at)
    else:
        revise_product(product=thing, by=by, at=at, amount=price)
    return experiment


def _held_thing(thing: Item | Product) -> Item | Product:
    """Return it as it is now; nobody else changes its price before the transaction ends."""
    things = type(thing).objects.select_related("creator").select_for_update(no_key=True, of=("self",))
    held: Item | Product = things.get(pk=thing.pk)
    return held


def _held(experiment: PriceExperiment, by: Member) -> PriceExperiment:
    """Return the experiment as it is now; nobody else changes it before the transaction ends. Raises NotYours."""
    rows = PriceExperiment.objects.select_for_update(no_key=True, of=("self",)).select_related("creator")
    held = rows.get(pk=experiment.pk)
    must_sell(held.creator, by)
    return held


def _end(experiments: Sequence[PriceExperiment], *, why: str, at: datetime, by: Member | None = None) -> None:
    for experiment in experiments:
        before, experiment.state = experiment.state, State.ENDED
        experiment.ended_at = min(at, experiment.ends_at)
        _save(experiment, before, at=at, by=by, why=why)


def _save(experiment: PriceExperiment, before: str, *, at: datetime, by: Member | None, why: str) -> None:
    experiment.save(update_fields=["state", "ended_at", "adopted"])
    _noted(experiment, before, at=at, by=by, why=why)


def _noted(experiment: PriceExperiment, before: str, *, at: datetime, by: Member | None, why: str = "") -> None:
    told = {"before": before, "after": experiment.state, "by": by, "why": why[:200], "changed_at": at}
    StateChange.objects.create(of=StateChange.Of.PRICE_EXPERIMENT, row=experiment.pk, **told)
