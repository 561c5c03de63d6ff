"""Nothing that one test has put on the shelf is there for the next, and people are made quickly."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from recommender.queries import forget_shelves


@pytest.fixture(autouse=True)
def _empty_shelves() -> Iterator[None]:
    forget_shelves()
    yield
    forget_shelves()


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
