"""How often: per member, so that one cannot crowd out the rest; per tenant, so that no tenant crowds out another."""

import logging
import time
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from kpplatform.tenancy.scope import current_tenant_id, tenant_or_none

log = logging.getLogger(__name__)

WINDOW_S = 60


@cache
def counters() -> redis.Redis:
    """Return this process's connection pool to the server that counts."""
    at_once = Retry(NoBackoff(), retries=0)  # a request does not wait for a server that is away
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, retry=at_once)


class Throttle(BaseThrottle):
    """Count requests in windows of one minute, both counts in one round trip. Keys begin with the tenant.

    When the counting server is away, requests are let through: being reachable matters more.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        if tenant_or_none() is None:
            return True
        window = int(time.time()) // WINDOW_S
        whole = f"kp:{current_tenant_id()}:throttle:{window}"
        try:
            with counters().pipeline(transaction=False) as pipe:
                for key in (f"{whole}:{self.who(request)}", whole):
                    pipe.incr(key)
                    pipe.expire(key, WINDOW_S)
                by_member, _, by_tenant, _ = pipe.execute()
            if by_member > settings.THROTTLE_MEMBER:
                counters().decr(whole)  # what one member is refused takes nothing from the others
        except redis.RedisError:
            log.warning("throttles are off: the counting server does not answer")
            return True
        return bool(by_member <= settings.THROTTLE_MEMBER and by_tenant <= settings.THROTTLE_TENANT)

    def who(self, request: Request) -> str:
        """Return whom a request is counted for: the user, or the address of those who have not signed in."""
        if request.user.is_authenticated:
            return f"user-{request.user.pk}"
        return self.get_ident(request) or "nobody"

    def wait(self) -> float:
        """Return the seconds until the next window."""
        return WINDOW_S - time.time() % WINDOW_S
