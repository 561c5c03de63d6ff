"""Is this web process fit to serve?"""

from collections.abc import Callable, Iterable

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from redis import RedisError

from kpplatform.rest.throttles import counters

# What the floors above do without for the moment, each told by a function: worth a look, no reason to serve nothing.
_lacking: list[Callable[[], Iterable[str]]] = []


def watch(lacking: Callable[[], Iterable[str]]) -> None:
    """Tell with the health of this process what it does without: the function names it, nothing when all is well."""
    _lacking.append(lacking)


def health(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  Django's signature
    """Answer 200 when database and cache answer, 503 with what does not; in either case what is done without."""
    down = [name for name, answers in (("database", _database), ("cache", _cache)) if not answers()]
    degraded = sorted({name for lacking in _lacking for name in lacking()})
    return JsonResponse({"ok": not down, "down": down, "degraded": degraded}, status=503 if down else 200)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _cache() -> bool:
    try:
        return bool(counters().ping())
    except RedisError:
        return False
