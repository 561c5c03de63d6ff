"""Doing things at the same moment, each on a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope


def at_once(tenant: Tenant, calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make the calls in the tenant's scope, all at once; return their results, or what they raised."""
    start = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        try:
            with scope(tenant):
                start.wait(timeout=10)
                results[number] = calls[number]()
        except Exception as error:  # noqa: BLE001  the test looks at it
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results
