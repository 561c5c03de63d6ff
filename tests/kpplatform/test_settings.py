"""What an installation makes for itself on its first start, and whom it believes."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from kpplatform.settings import kept_secret

PROCESSES, STARTS = 8, 20


def test_processes_that_start_at_once_have_the_same_secret_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(PROCESSES) as pool:
        for start in range(STARTS):
            together, path = Barrier(PROCESSES), tmp_path / str(start) / "secret_key"

            def read(_: int, together: Barrier = together, path: Path = path) -> str:
                together.wait()
                return kept_secret(path)

            (key,) = set(pool.map(read, range(PROCESSES)))

            assert len(key) > 50
            assert path.read_text() == key
            assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_was_not_written_to_the_end_of_a_first_start_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    path.touch(mode=0o600)

    assert kept_secret(path) == kept_secret(path) != ""


WHO = """
import django
django.setup()
from allauth.core.internal.httpkit import get_client_ip
from django.test import RequestFactory
from kpplatform.rest.throttles import Throttle
asked = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"x-forwarded-for": "6.6.6.6, 203.0.113.7"})
print(get_client_ip(asked), Throttle().get_ident(asked))
"""


@pytest.mark.parametrize(("secure", "header"), [("1", "CF-IPCountry"), ("0", "")])
def test_without_a_proxy_nobody_tells_the_country(secure: str, header: str, tmp_path: Path) -> None:
    """A client would tell its own."""
    told = os.environ | {"SECURE": secure, "COUNTRY_HEADER": "CF-IPCountry", "DATA_DIR": str(tmp_path)}

    said = subprocess.run(
        [sys.executable, "-c", "from kpplatform import settings; print(settings.COUNTRY_HEADER)"],
        env=told, check=True, capture_output=True, text=True,
    )  # fmt: skip

    assert said.stdout.strip() == header


@pytest.mark.parametrize(("secure", "address"), [("1", "203.0.113.7"), ("0", "10.0.0.1")])
def test_guesses_are_counted_for_the_address_that_our_own_proxy_saw(secure: str, address: str, tmp_path: Path) -> None:
    """Counted for the proxy's address, ten wrong passwords a minute would lock out everybody."""
    told = os.environ | {"SECURE": secure, "DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "kpplatform.settings"}

    said = subprocess.run([sys.executable, "-c", WHO], env=told, check=True, capture_output=True, text=True)

    assert said.stdout.split() == [address, address]
