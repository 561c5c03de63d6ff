"""The site of `tests.chaos`: what it sells, which processes it is made of, and what must be true of it in the end."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import DatabaseError, InterfaceError, connections
from django.db.models import F, Sum

from billing import ledger, operations, queries
from billing.models import Charge, Order, OrderLine, Payment, Payout, PayoutAccount, Refund, WebhookEvent
from billing.money import Money
from billing.operations import paying
from billing.providers.sandbox.bank import Bank
from catalog.models import Item
from catalog.queries import watchable_by
from creators.models import Creator
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.operations import create_tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import members
from tests.billing.paying import BANK
from tests.catalog import things
from tests.chaos.customers import later
from tests.processes import ROOT

COURSES = 40
PAYING = ("send_payout", "resolve_payout")


def fill(slugs: tuple[str, ...], *, viewers: int) -> None:
    """Make tenants that sell courses."""
    for slug in slugs:
        tenant = create_tenant(slug=slug, name=slug, hosts=[f"{slug}.localhost"])
        Tenant.objects.filter(pk=tenant.pk).update(settings={"payout_thresholds": {"CNY": 1}})
        with scope(tenant):
            for number in range(COURSES):
                course = things.course()
                price = Money(100 + 37 * number, "CNY")
                operations.set_price(item=course, by=course.creator.member, amount=price, at=datetime.now(UTC))
            for _ in range(viewers):
                make.member()
            _found_a_club()
            staff, now = make.member(Member.Role.STAFF), datetime.now(UTC)
            for creator in Creator.objects.order_by("pk"):
                account: dict[str, Any] = {"currency": "CNY", "rail": PayoutAccount.Rail.SANDBOX, "to": BANK}
                paying.set_payout_account(creator=creator, by=staff, at=now, **account)
    connections.close_all()


def _found_a_club() -> None:
    """Offer a membership of a creator who sells no course; its only video is CLUB's."""
    creator = things.creator(make.member(Member.Role.CREATOR))
    members.plan(creator, 3_000, items=(things.video(creator, is_free=False),), opens_all=False)


class Parts:
    """The processes beside PostgreSQL and Valkey: a web server, a worker with its beat, customers."""

    def __init__(self, *, folder: Path, port: int, customers: int, seed: int) -> None:
        self.folder, self.port, self.seed = folder, port, seed
        self.customers: list[subprocess.Popen[bytes] | None] = [None] * customers
        self.lives = 0
        self.worker: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run all of them until the caller is done."""
        options = ["--no-ws", "--workers", "1", "--blocking-threads", "2", "--log-level", "critical"]
        options += ["--interface", "wsgi", "--port", str(self.port)]
        web = self._start("granian", *options, "kpplatform.wsgi:application")
        self._start_worker()
        for number in range(len(self.customers)):
            self._start_customer(number)
        try:
            yield
        finally:
            self.end_customers()
            for process in (self.worker, web):
                _kill_group(process)

    def kill(self, who: str, rng: random.Random) -> None:
        """Kill a part and bring it back; PostgreSQL is brought back by its supervisor."""
        if who == "worker":
            _kill_group(self.worker)
            self._start_worker()
        elif who == "customer":
            number = rng.randrange(len(self.customers))
            _kill_group(self.customers[number])
            self._start_customer(number)
        else:
            [postmaster] = Path(os.environ["DATA_DIR"]).rglob("postmaster.pid")
            with suppress(OSError, ValueError):
                os.kill(int(postmaster.read_text().split()[0]), signal.SIGKILL)

    def end_customers(self) -> None:
        """Let no customer begin anything more."""
        for number, customer in enumerate(self.customers):
            _kill_group(customer)
            self.customers[number] = None

    def _start_worker(self) -> None:
        schedule = self.folder / "beat"
        options = ["--concurrency=2", "--queues=default", "--without-gossip", "--without-mingle", "--beat"]
        self.worker = self._start("celery", "-A", "kpplatform.celery", "worker", *options, f"--schedule={schedule}")

    def _start_customer(self, number: int) -> None:
        self.lives += 1
        self.customers[number] = self._start("tests.chaos.customers", str(number), f"{self.seed}.{self.lives}")

    def _start(self, *module: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", *module]
            return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)


def _kill_group(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _tenants() -> Iterator[Tenant]:
    for tenant in Tenant.objects.order_by("pk"):
        with scope(tenant):
            yield tenant


def has_sold() -> bool:
    """Tell whether a payment has gone all the way."""
    return any(Payment.objects.filter(state=Payment.State.CAPTURED).exists() for _ in _tenants())


def is_settled(bank: Bank) -> bool:
    """Tell whether nothing is on its way any longer, between us and the provider and in our jobs."""
    try:
        for tenant in Tenant.objects.order_by("pk"):
            _collect(tenant)
        return not bank.undelivered() and not any(_waits(bank) for _ in _tenants())
    except (DatabaseError, InterfaceError):
        connections.close_all()
        return False


def _collect(tenant: Tenant) -> None:
    """Ask about the charges that customers left behind: their clock is ahead of the worker's."""
    late = later(tenant, datetime.now(UTC)) + timedelta(days=1)
    is_more = True
    while is_more:
        with scope(tenant):
            is_more = bool(operations.collect_next(at=late))


def _waits(bank: Bank) -> bool:
    soon = Job.objects.filter(state__in=[Job.State.WAITING, Job.State.RUNNING])
    soon = soon.filter(name__in=[f"billing.tasks.{name}" for name in ("apply_event", "send_refund", *PAYING)])
    paid = {row["key"] for row in bank.book.tables["checkouts"].values() if row["status"] == "captured"}
    lost = Payment.objects.filter(key__in=paid).exclude(state=Payment.State.CAPTURED)
    charging = Charge.objects.filter(state=Charge.State.NEW)
    unheard = WebhookEvent.objects.filter(state=WebhookEvent.State.RECEIVED)
    return any(rows.exists() for rows in (soon, lost, charging, unheard))


def counted() -> dict[str, Any]:
    """Return how much was done."""
    counts = {"orders": 0, "captured": 0, "refunds": 0, "sent": 0, "renewals": 0, "payouts": 0, "journals": 0}
    for _ in _tenants():
        counts["orders"] += Order.objects.count()
        counts["captured"] += Payment.objects.filter(state=Payment.State.CAPTURED).count()
        counts["refunds"] += Refund.objects.count()
        counts["sent"] += Refund.objects.filter(state=Refund.State.SENT).count()
        counts["renewals"] += Charge.objects.filter(state=Charge.State.PAID).count()
        counts["payouts"] += Payout.objects.filter(state=Payout.State.PAID).count()
        counts["journals"] += queries.ledger_report().journals
    return counts


def faults(bank: Bank) -> list[str]:
    """Return what should be true and is not."""
    found = []
    for tenant in _tenants():
        said = [*_books(), *_provider(bank, tenant), *_access(), *_jobs()]
        found += [f"{tenant.slug}: {what}" for what in said]
    return found


def _books() -> Iterator[str]:
    for fault in queries.ledger_report().faults:
        yield f"{fault.promise} {fault.table} {fault.row} {fault.what}"
    captured = Payment.objects.filter(state=Payment.State.CAPTURED).aggregate(sum=Sum("amount", default=0))["sum"]
    sent = Refund.objects.filter(state=Refund.State.SENT).aggregate(sum=Sum("amount", default=0))["sum"]
    asked = Refund.objects.filter(state=Refund.State.ASKED).aggregate(sum=Sum("amount", default=0))["sum"]
    paid = Payout.objects.filter(state=Payout.State.PAID).aggregate(sum=Sum("amount", default=0))["sum"]
    if (holds := ledger.clearing("CNY").balance.minor) != sent + paid - captured:
        yield f"clearing holds {holds}, captured were {captured}, sent {sent}, paid out {paid}"
    if ledger.refund_clearing("CNY").balance.minor != asked:
        yield "refund clearing is not what was asked for"
    if asked:
        yield f"refunds of {asked} were never sent"


def _provider(bank: Bank, tenant: Tenant) -> Iterator[str]:
    """Compare key by key what the provider did with what we know of it."""
    captured = Payment.objects.filter(state=Payment.State.CAPTURED)

    def theirs(table: str, state: str) -> dict[str, int]:
        rows = [row for row in bank.book.tables[table].values() if row["account"] == tenant.slug]
        return {row["id"]: row["amount"] for row in rows if row["status"] == state}

    for what, done, ours in (
        ("payments", theirs("checkouts", "captured") | theirs("charges", "captured"), captured),
        ("refunds", theirs("refunds", "succeeded"), Refund.objects.filter(state=Refund.State.SENT)),
        ("payouts", theirs("payouts", "paid"), Payout.objects.filter(state=Payout.State.PAID)),
    ):
        here = dict(ours.values_list("reference", "amount"))
        if done != here:
            differing = sorted(done.items() ^ here.items())
            yield f"{len(done)} {what} at the provider, {len(here)} here: {differing[:5]}"


def _access() -> Iterator[str]:
    now = datetime.now(UTC)
    for viewer in Member.objects.filter(role=Member.Role.VIEWER):
        lines = OrderLine.objects.filter(order__viewer=viewer, order__paid_at__isnull=False, item__isnull=False)
        kept = set(lines.filter(refunded__lt=F("amount")).values_list("item_id", flat=True))
        courses = watchable_by(viewer, at=now).filter(is_free=False, kind=Item.Kind.COURSE)
        may = set(courses.values_list("pk", flat=True))
        if kept != may:
            yield f"member {viewer.pk} paid for {sorted(kept)} and may watch {sorted(may)}"


def _jobs() -> Iterator[str]:
    for job in Job.objects.filter(state=Job.State.DEAD):
        yield f"job {job.pk} {job.name} is dead: {job.error[-200:]}"
