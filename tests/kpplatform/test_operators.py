"""What the installation's operators do not find out, though they read every tenant."""

import pytest
from django.urls import reverse

from tests import make
from tests.conftest import COMMITTED
from tests.kpplatform.test_console import at

pytestmark = [COMMITTED, pytest.mark.usefixtures("_fresh_cache")]


def test_a_password_is_not_found_out_by_asking_for_its_hash_letter_by_letter() -> None:
    operator = at("localhost", make.user(is_operator=True))
    users = reverse("admin:tenancy_user_changelist")

    assert operator.get(f"{users}?is_active__exact=1").status_code == 200
    assert operator.get(f"{users}?password__startswith=md5").status_code == 400
