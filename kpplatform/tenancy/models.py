"""Who and where: tenants, their host names, the people of the installation and what they are in each tenant."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Tenant(models.Model):
    """A brand, school or agency with its own site. Closed, never deleted."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=10, default="zh-hans")
    currency = models.CharField(max_length=3, default="CNY")
    time_zone = models.CharField(max_length=64, default="Asia/Shanghai")
    settings = models.JSONField(default=dict, blank=True, help_text="What this tenant has changed.")
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Domain(models.Model):
    """A host name under which a tenant is reached."""

    host = models.CharField(max_length=253, unique=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="domains")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(host=Lower("host")), name="a_host_is_lower_case")]

    def __str__(self) -> str:
        return self.host


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a person of the installation; without a password they cannot sign in by one."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make an operator of the installation."""
        return self.create_user(email, password, is_operator=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person with one sign-in for the whole installation."""

    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False, help_text="May read every tenant of this installation.")
    joined_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    @property
    def is_staff(self) -> bool:
        """Tell Django's admin who may knock; what they see there is decided by their member row."""
        return self.is_operator


class Member(TenantOwned):
    """A person inside one tenant. Imported and generated members have no sign-in of their own.

    The anonymous one is nobody: what is done without consent to be remembered is written as done by it.
    """

    class Role(models.TextChoices):
        VIEWER = "viewer"
        CREATOR = "creator"
        STAFF = "staff"
        ADMIN = "admin"
        ANONYMOUS = "anonymous"

    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    name = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=10, blank=True)
    external_id = models.BigIntegerField(null=True, blank=True, help_text="The viewer's number where they came from.")
    joined_at = models.DateTimeField(db_default=Now())
    suspended_at = models.DateTimeField(null=True, blank=True)
    is_minor = models.BooleanField(default=False, db_default=False, help_text="Under age, as they or the staff said.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="a_user_is_one_member_of_a_tenant"),
            models.UniqueConstraint(fields=["tenant", "external_id"], name="an_imported_viewer_is_one_member"),
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(role="anonymous"), name="a_tenant_has_one_anonymous_member"
            ),
            models.CheckConstraint(condition=~Q(role="anonymous") | Q(user=None), name="nobody_signs_in_as_anonymous"),
        ]
        # The way in: which member is this user here, and (for the operator) in which tenants is this user.
        indexes = [models.Index(fields=["user"], name="member_user")]

    def __str__(self) -> str:
        return self.name or f"{self.role} {self.pk}"

    @property
    def runs_the_tenant(self) -> bool:
        """Whether this member is staff or admin of the tenant."""
        return self.role in {self.Role.STAFF, self.Role.ADMIN}


class ApiToken(TenantOwned):
    """A key with which a program acts as a member, within its scopes. Only its hash is kept."""

    class Scope(models.TextChoices):
        READ = "read"
        WRITE = "write"
        MONEY = "money"

    member = TenantForeignKey(Member, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices))
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="a_token_is_known_by_its_hash")]

    def __str__(self) -> str:
        return self.name
