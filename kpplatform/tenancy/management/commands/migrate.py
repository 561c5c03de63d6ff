from django.core.management.base import CommandParser
from django.core.management.commands import migrate

from kpplatform.tenancy import roles


class Command(migrate.Command):
    """Django's migrate, as the owner: no other role may change the schema."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=roles.OWNER)
