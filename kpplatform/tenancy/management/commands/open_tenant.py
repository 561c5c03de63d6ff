"""manage.py open_tenant: a new tenant with its host names and its first admin."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from kpplatform.tenancy.models import Member, User
from kpplatform.tenancy.operations import TenantExists, create_tenant, join
from kpplatform.tenancy.scope import scope


class Command(BaseCommand):
    help = "Open a tenant. Its admin signs in with an existing account, or sets a password by mail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", help="The slug by default.")
        parser.add_argument("--host", action="append", required=True, help="A host name; may be given several times.")
        parser.add_argument("--language", default="zh-hans")
        parser.add_argument("--currency", default="CNY")
        parser.add_argument("--admin", help="The e-mail address of its first admin.")

    @transaction.atomic
    def handle(self, *, slug: str, name: str | None, host: list[str], admin: str | None, **about: Any) -> None:
        named = {key: about[key] for key in ("language", "currency")}
        try:
            tenant = create_tenant(slug=slug, name=name or slug, hosts=host, **named)
        except TenantExists as refused:
            raise CommandError(str(refused)) from refused
        if admin:
            known = User.objects.filter(email=admin.lower()).first()
            with scope(tenant):
                join(user=known or User.objects.create_user(admin), role=Member.Role.ADMIN)
        self.stdout.write(f"{tenant.name} is open under {', '.join(host)}.")
