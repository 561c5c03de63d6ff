"""Opening the demo: its tenants, their contents, the people who sign in, and a trained feed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction
from tqdm import tqdm

from creators.models import Creator
from kpplatform.demo.advertising import advertise
from kpplatform.demo.importing import import_folder
from kpplatform.demo.recalling import campaign
from kpplatform.demo.seeding import Size, seed_world
from kpplatform.demo.selling import sell
from kpplatform.demo.settling import settle
from kpplatform.demo.sites import PEOPLE, SITES, SignIns, Site
from kpplatform.demo.trying import try_feed
from kpplatform.demo.visiting import count, visit
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Member, Tenant, User
from kpplatform.tenancy.operations import create_tenant, join
from kpplatform.tenancy.scope import scope
from recommender.operations import ask_for_training
from recommender.operations.versions import RETRAIN

SECOND_SITE = Size(viewers=800, videos=600, courses=30, days=14, seed=2)


class TrainingFailed(RuntimeError):
    """The worker gave the training up; this is what it noted."""


def tenant_called(slug: str) -> Tenant:
    """Return the tenant of this slug, opened under <slug>.localhost if there is none."""
    known = Tenant.objects.filter(slug=slug).first()
    return known or create_tenant(slug=slug, name=slug.title(), hosts=[f"{slug}.localhost"])


def open_demo(*, data: Path | None, sizes: tuple[Size, Size], sign_ins: SignIns) -> None:
    """Fill the demo's tenants and train the feed of each; what was done before is not done again."""
    for site, size in zip(SITES, sizes, strict=True):
        folder = data if site is SITES[0] else None
        tenant = Tenant.objects.filter(slug=site.slug).first() or _filled(site, size, folder)
        # People come in last. A training is no sign: the plan of recurring work may have asked for it.
        if not User.objects.filter(email=SignIns.email(site, PEOPLE[0])).exists():
            settle(tenant=tenant, clean=folder is None)
            _open(tenant, site, sign_ins)
            with progress_bar(f"counting {site.slug}") as progress:
                count(tenant=tenant, at=datetime.now(UTC), progress=progress)
            campaign(tenant=tenant, at=datetime.now(UTC))
    if not User.objects.filter(email=sign_ins.operator).exists():
        User.objects.create_superuser(sign_ins.operator, sign_ins.password)
    for tenant in Tenant.objects.filter(slug__in=[site.slug for site in SITES]):
        _trained(tenant)


def _filled(site: Site, size: Size, folder: Path | None) -> Tenant:
    """Make one tenant with all its contents, or nothing."""
    with transaction.atomic(), progress_bar(f"{'importing' if folder else 'seeding'} {site.slug}") as progress:
        tenant = create_tenant(
            slug=site.slug, name=site.name, hosts=[site.host], language=site.language, currency=site.currency
        )
        if folder:
            import_folder(tenant=tenant, folder=folder, progress=progress)
        else:
            seed_world(tenant=tenant, size=size, ends_at=_today(), progress=progress)
    return tenant


def _open(tenant: Tenant, site: Site, sign_ins: SignIns) -> None:
    """Let the people in; show ads to those of the world, let them buy and look around; ask for a first training."""
    with scope(tenant):
        for person in PEOPLE:
            _join(site, person, sign_ins)
        advertise(ends_at=_today())
        sell(ends_at=_today())
        visit()
        try_feed(ends_at=_today())
        ask_for_training()


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _join(site: Site, person: str, sign_ins: SignIns) -> None:
    user = User.objects.create_user(SignIns.email(site, person), sign_ins.password)
    member = join(user=user, role=Member.Role(person), name=person.title())
    if person == "creator":
        # The creator whom most follow is run by the demo's creator, so that there is something to see.
        famous = Creator.objects.order_by("-followers", "pk").first()
        assert famous is not None
        Creator.objects.filter(pk=famous.pk).update(member=member)


def _trained(tenant: Tenant) -> None:
    """Wait until the tenant's newest training has ended."""
    with progress_bar(f"training {tenant.slug}") as progress:
        while True:
            with scope(tenant):
                job = Job.objects.filter(name=RETRAIN).order_by("-pk").first()
            if job is None or job.state == Job.State.DONE:
                progress(1.0)
                return
            if job.state == Job.State.DEAD:
                raise TrainingFailed(job.error)
            progress(job.progress)
            time.sleep(0.2)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[float], None]]:
    """Show a bar while something goes on; what is given is called with the share that is done."""
    look = "{desc} {bar:40} {percentage:3.0f} % {elapsed}"
    with tqdm(total=100, desc=f"{what:<22}", bar_format=look, disable=None) as bar:

        def show(share: float) -> None:
            if 100 * share > bar.n:
                bar.update(100 * share - bar.n)

        yield show
