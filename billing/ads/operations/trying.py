"""Trials of loads: planned, ended by staff or the clock, read again and again; and the load that holds for all."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from billing.ads.market.load import MOST_APART
from billing.ads.models import LoadChange, LoadTrial
from billing.ads.operations.ruling import change_ad_rules, held_tenant
from billing.ads.queries.load_results import WEEK, read_arms
from billing.ads.queries.rules import ad_rules
from billing.money import WHOLE_BPS
from billing.operations.staff import must_run_the_tenant
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member

FEWEST_LOADS, MOST_LOADS = 2, 6
LEAST_APART = 2  # items between two ads
SHORTEST, LONGEST = WEEK + timedelta(days=1), timedelta(days=180)
READ_AGAIN = timedelta(hours=1)


class BadLoads(Invalid):
    code = "bad_loads"


class BadTrialSpan(Invalid):
    code = "bad_span"


class BadFloor(Invalid):
    code = "bad_floor"


class LoadsAreTried(Conflict):
    code = "loads_are_tried"


class NotTried(Conflict):
    code = "not_tried"


@transaction.atomic
def try_loads(
    *,
    by: Member,
    name: str,
    loads: Sequence[int],
    shares: Sequence[int],
    floor_bps: int,
    starts_at: datetime,
    ends_at: datetime,
    at: datetime,
) -> LoadTrial:
    """Let viewers have different loads of ads from then until then; who is in no share has the usual one.

    A load is how many items stand between two ads, 0 being no ads. Raises StaffOnly, BadLoads, BadTrialSpan, BadFloor,
    and LoadsAreTried while another trial runs or is planned.
    """
    must_run_the_tenant(by)
    _check(loads, shares)
    starts_at = max(starts_at, at)
    if not SHORTEST <= ends_at - starts_at <= LONGEST:
        raise BadTrialSpan(f"It takes {SHORTEST.days} days at least and {LONGEST.days} at most: a viewer counts once"
                           " their first week is over.")  # fmt: skip
    if not 0 < floor_bps < WHOLE_BPS:
        raise BadFloor("Viewers may be there less by more than nothing, and not by all of it.")
    end_load_trials(at=at)
    told = {"name": name, "loads": list(loads), "shares_bps": list(shares), "floor_bps": floor_bps, "made_by": by}
    try:
        with transaction.atomic():
            return LoadTrial.objects.create(**told, made_at=at, starts_at=starts_at, ends_at=ends_at)
    except IntegrityError as error:
        raise LoadsAreTried("Loads are being tried already, or are going to be.") from error


def _check(loads: Sequence[int], shares: Sequence[int]) -> None:
    if not FEWEST_LOADS <= len(loads) <= MOST_LOADS or len(set(loads)) < len(loads):
        raise BadLoads(f"{FEWEST_LOADS} to {MOST_LOADS} different loads are tried.")
    if any(load != 0 and not LEAST_APART <= load <= MOST_APART for load in loads):
        raise BadLoads(f"{LEAST_APART} to {MOST_APART} items stand between two ads, or there are none (0).")
    if len(shares) != len(loads) or min(shares) <= 0 or sum(shares) > WHOLE_BPS:
        raise BadLoads(f"Each load has a share of viewers, and all together {WHOLE_BPS} at most.")


@transaction.atomic
def end_load_trial(*, trial: LoadTrial, by: Member, why: str, at: datetime) -> LoadTrial:
    """Let everybody have the usual load again from now on. Twice is once. Raises StaffOnly."""
    must_run_the_tenant(by)
    held = _held(trial)
    if held.ended_at is None:
        _end(held, by=by, why=why, at=at)
    return held


@transaction.atomic
def end_load_trials(*, at: datetime) -> int:
    """End the trial whose time is over; say whether there was one."""
    over = LoadTrial.objects.select_for_update(no_key=True).filter(ended_at=None, ends_at__lte=at).first()
    if over is None:
        return 0
    _end(over, by=None, why="", at=over.ends_at)
    return 1


@transaction.atomic
def read_load_trials(*, at: datetime) -> int:
    """Write down what the trial shows by now, once an hour; say whether there was something to read."""
    free = LoadTrial.objects.select_for_update(no_key=True, skip_locked=True).filter(ended_at=None, starts_at__lte=at)
    trial = free.exclude(read_at__gt=at - READ_AGAIN).first()
    if trial is None:
        return 0
    _read(trial, at=at)
    trial.save(update_fields=["figures", "read_at"])
    return 1


@transaction.atomic
def adopt_load(*, trial: LoadTrial, every: int, by: Member, why: str, at: datetime) -> LoadTrial:
    """Let so many items stand between two ads for everybody, from now on, and end the trial. Twice is once.

    It becomes the tenant's rule. It is one of the trial's loads, or lies between them. Raises StaffOnly, NotTried, and
    LoadsAreTried while another trial runs.
    """
    must_run_the_tenant(by)
    held = _held(trial)
    if at < held.starts_at or not _is_between(every, held.loads):
        raise NotTried(f"{every} is neither a load that was tried nor between two that were.")
    if LoadTrial.objects.filter(ended_at=None, starts_at__lte=at).exclude(pk=held.pk).exists():
        raise LoadsAreTried("Other loads are being tried now.")
    if held.ended_at is None:
        _end(held, by=by, why=why, at=at)
    before = ad_rules(held_tenant()).every
    if every != before:
        change_ad_rules(changes={"every": every}, by=by, why=why, at=at)
        LoadChange.objects.create(trial=held, load=every, before=before, by=by, why=why, changed_at=at)
    return held


def _is_between(every: int, loads: Sequence[int]) -> bool:
    """Tell whether it is neither lighter nor heavier than what was tried: 0 is the lightest, then many items apart."""
    some = [load for load in loads if load]
    lightest = MOST_APART if 0 in loads else max(some)
    return every in loads or min(some) <= every <= lightest


def _held(trial: LoadTrial) -> LoadTrial:
    """Return the trial as it is now; nobody else changes it before the transaction ends."""
    held: LoadTrial = LoadTrial.objects.select_for_update(no_key=True).get(pk=trial.pk)
    return held


def _end(trial: LoadTrial, *, by: Member | None, why: str, at: datetime) -> None:
    trial.ended_at, trial.ended_by, trial.why = at, by, why[:200]
    _read(trial, at=at)
    trial.save(update_fields=["ended_at", "ended_by", "why", "figures", "read_at"])


def _read(trial: LoadTrial, *, at: datetime) -> None:
    trial.figures, trial.read_at = read_arms(trial, at=at), at
