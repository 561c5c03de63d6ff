"""Which role does what: only the owner migrates; everything else goes through the app's role."""

from typing import Any

from django.db.models import Model

from kpplatform.tenancy import roles


class Roles:
    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Write as the app even what the operator has read: the operator's role cannot write."""
        return roles.APP

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        """Allow relations: the three roles look at one database."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == roles.OWNER
