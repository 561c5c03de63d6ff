"""Is this web process fit to serve?"""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from redis import RedisError

from kpplatform.rest.throttles import counters


def health(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  Django's signature
    """Answer 200 when database and cache answer, 503 with what does not."""
    down = [name for name, answers in (("database", _database), ("cache", _cache)) if not answers()]
    return JsonResponse({"ok": not down, "down": down}, status=503 if down else 200)


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
