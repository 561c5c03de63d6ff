"""manage.py seed_world: fill a tenant with a generated world."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kpplatform.demo.opening import progress_bar, tenant_called
from kpplatform.demo.seeding import Size, seed_world
from kpplatform.demo.settling import settle
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import scope


class Command(BaseCommand):
    help = "Fill a tenant with a generated world: creators, videos, courses, and viewers who watch them."

    def add_arguments(self, parser: CommandParser) -> None:
        usual = Size()
        parser.add_argument("--tenant", default="academy", help="Its slug; the tenant is opened if there is none.")
        parser.add_argument("--viewers", type=int, default=usual.viewers)
        parser.add_argument("--videos", type=int, default=usual.videos)
        parser.add_argument("--courses", type=int, default=usual.courses)
        parser.add_argument("--days", type=int, default=usual.days)
        parser.add_argument("--seed", type=int, default=usual.seed)
        parser.add_argument("--ends-on", type=datetime.fromisoformat, help="The world's last day; today by default.")

    def handle(self, *, tenant: str, ends_on: datetime | None, **options: Any) -> None:
        size = Size(**{name: options[name] for name in ("viewers", "videos", "courses", "days", "seed")})
        if min(size.viewers, size.videos, size.days) < 1 or size.courses < 0:
            raise CommandError("A world needs at least one viewer, one video and one day.")
        place = tenant_called(tenant)
        with scope(place):
            if Member.objects.exists():
                raise CommandError(f"The tenant {tenant} is not empty.")
        ends_at = (ends_on or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
        with progress_bar(f"seeding {tenant}") as progress:
            watches = seed_world(tenant=place, size=size, ends_at=ends_at, progress=progress)
            settle(tenant=place, clean=True)
        self.stdout.write(f"{tenant}: {size.viewers} viewers, {size.videos} videos, {watches} watches.")
