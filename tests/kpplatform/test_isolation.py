"""Tenants are kept apart by the database, whatever the code above forgets."""

import pytest
from django.apps import apps
from django.core.checks import Tags, run_checks
from django.db import DatabaseError, IntegrityError, connection, connections, models, transaction

from kpplatform.tenancy.checks import NotIsolated, must_be_isolated, tenant_tables
from kpplatform.tenancy.models import ApiToken, Member, Tenant
from kpplatform.tenancy.owned import TenantOwned
from kpplatform.tenancy.scope import NoTenant, scope
from tests import make
from tests.conftest import COMMITTED

TENANT_MODELS = [m for m in apps.get_models() if issubclass(m, TenantOwned) and not m._meta.proxy]


def test_a_forgotten_scope_is_loud(school: Tenant) -> None:
    with pytest.raises(NoTenant):
        Member.objects.count()


def test_without_a_scope_the_database_shows_no_row(school: Tenant) -> None:
    with scope(school):
        make.member()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tenancy_member")
        assert cursor.fetchone() == (0,)


def test_each_tenant_sees_its_own_members(school: Tenant, agency: Tenant) -> None:
    with scope(school):
        make.member()
    with scope(agency):
        make.member()
        make.member()

    with scope(school):
        assert Member.objects.count() == 1
    with scope(agency):
        assert Member.objects.count() == 2


def test_an_inner_scope_hands_the_outer_one_back(school: Tenant, agency: Tenant) -> None:
    with scope(school):
        make.member()
        with scope(agency):
            assert Member.objects.count() == 0
        assert Member.objects.count() == 1


def test_after_an_error_the_outer_scope_is_back(school: Tenant, agency: Tenant) -> None:
    with scope(school):
        make.member()
        with pytest.raises(ZeroDivisionError), scope(agency):
            raise ZeroDivisionError
        assert Member.objects.count() == 1


def test_a_row_cannot_be_written_into_another_tenant(school: Tenant, agency: Tenant) -> None:
    with scope(school), pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        Member.objects.create(tenant=agency, user=make.user())


def test_a_row_cannot_point_into_another_tenant(school: Tenant, agency: Tenant) -> None:
    with scope(agency):
        stranger = make.member()

    with scope(school):
        ApiToken.objects.create(member_id=stranger.pk, name="key", digest=b"1", scopes=["read"])
        with pytest.raises(IntegrityError, match="same_tenant"), transaction.atomic():
            connection.check_constraints()
        ApiToken.objects.all().delete()


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda m: m._meta.label)
def test_every_tenant_table_is_isolated_by_the_database(model: type[models.Model], db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid)"
            " FROM pg_class c WHERE relname = %s",
            [model._meta.db_table],
        )
        assert cursor.fetchone() == (True, True, 2)


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda m: m._meta.label)
def test_every_key_into_a_tenant_table_is_a_pair_with_the_tenant(model: type[models.Model], db: None) -> None:
    pairs = {c.field for c in model._meta.constraints if hasattr(c, "field")}

    keys = {f.name for f in model._meta.fields if f.is_relation and issubclass(f.related_model or object, TenantOwned)}

    assert keys == pairs


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda m: m._meta.label)
def test_every_unique_rule_of_a_tenant_begins_with_the_tenant(model: type[models.Model]) -> None:
    unique = [c.fields for c in model._meta.constraints if isinstance(c, models.UniqueConstraint)]

    assert all(fields[0] == "tenant" for fields in unique)


@pytest.mark.django_db(databases=["default", "operator"])
def test_the_roles_are_what_they_must_be() -> None:
    for alias in ("default", "operator"):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
            assert cursor.fetchone() == (False, False), alias


@COMMITTED
def test_the_operator_reads_across_tenants_and_writes_nothing(school: Tenant, agency: Tenant) -> None:
    for tenant in (school, agency):
        with scope(tenant):
            make.member()

    assert Member.objects.db_manager("operator").count() == 2
    with pytest.raises(DatabaseError, match="permission denied"), connections["operator"].cursor() as cursor:
        cursor.execute("UPDATE tenancy_member SET name = 'x'")


def test_the_installation_starts_when_isolation_is_in_force(db: None) -> None:
    assert run_checks(tags=[Tags.database], databases=["default"]) == []


@COMMITTED
@pytest.mark.parametrize(
    ("break_it", "mend_it", "said"),
    [
        ("NO FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY", "tenancy.E003"),
        ("DISABLE ROW LEVEL SECURITY", "ENABLE ROW LEVEL SECURITY", "tenancy.E003"),
        ("RENAME TO hidden", "", "tenancy.E005"),
    ],
)
def test_nothing_is_served_while_isolation_is_not_in_force(break_it: str, mend_it: str, said: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE catalog_watch {break_it}")
    try:
        with pytest.raises(NotIsolated, match="catalog_watch"):
            must_be_isolated()
        assert [problem.id for problem in run_checks(tags=[Tags.database], databases=["default"])] == [said]
    finally:
        table = "catalog_watch" if mend_it else "hidden"
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} {mend_it or 'RENAME TO catalog_watch'}")


def test_the_list_of_tenant_tables_is_not_empty() -> None:
    assert "tenancy_member" in tenant_tables()
    assert "tenancy_tenant" not in tenant_tables()
