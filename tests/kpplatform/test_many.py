"""Many rows are changed at once, each to values of its own, and nobody else's."""

import pytest
from django.db import DataError, transaction

from kpplatform.tenancy.many import update_all
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.conftest import NOON


def test_each_row_gets_its_own_values_and_no_other_column_is_written(in_school: Tenant, agency: Tenant) -> None:
    first, second, third = (make.member() for _ in range(3))
    first.name, first.role, first.suspended_at = "Ann", Member.Role.STAFF, NOON
    second.name, second.language = "Bob", "zh"
    with scope(agency):
        stranger = make.member()
        stranger.name = "Eve"

    assert update_all([first, second, stranger], ["name", "role", "suspended_at"]) == 2

    kept = Member.objects.in_bulk([first.pk, second.pk, third.pk])
    assert (kept[first.pk].name, kept[first.pk].role, kept[first.pk].suspended_at) == ("Ann", "staff", NOON)
    assert (kept[second.pk].name, kept[second.pk].language, kept[second.pk].suspended_at) == ("Bob", "", None)
    assert kept[third.pk].name == third.name
    with scope(agency):
        assert Member.objects.get(pk=stranger.pk).name != "Eve"
    assert update_all([], ["name"]) == 0


def test_what_is_too_long_is_refused_and_not_cut_off(in_school: Tenant) -> None:
    member = make.member()
    member.name = "x" * 101

    with pytest.raises(DataError), transaction.atomic():
        update_all([member], ["name"])
