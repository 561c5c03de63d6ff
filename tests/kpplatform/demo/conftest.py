"""One world for all tests of it: ten days of 2,500 viewers and 1,500 videos."""

import pytest

from tests.kpplatform.demo.played import World, play


@pytest.fixture(scope="session")
def world() -> World:
    return play()
