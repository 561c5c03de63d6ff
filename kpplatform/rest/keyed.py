"""Idempotency-Key: a write sent again is not done again, it is answered again."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kpplatform.errors import Conflict, Invalid
from kpplatform.rest.models import KeyedRequest
from kpplatform.rest.permissions import signed_in

LONGEST_KEY = 200
KEPT = timedelta(days=2)


class KeyReused(Conflict):
    code = "idempotency_key_reused"


class BadKey(Invalid):
    code = "bad_idempotency_key"


class AnsweredBefore(Exception):
    """The same request was done before; this is what was answered then."""

    def __init__(self, keyed: KeyedRequest) -> None:
        self.keyed = keyed


class Keyed(APIView):
    """A view whose writes are done as a whole or not at all, and may carry an Idempotency-Key.

    The key is written in the transaction of the write itself: both are there, or neither. A second request with
    the same key waits for the first. A refused write leaves nothing behind, so that it may be tried again.
    """

    is_keyed = True  # a view that knows what was sent before by other means need not keep who sent what
    keyed: KeyedRequest | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method in SAFE_METHODS:
            return super().dispatch(request, *args, **kwargs)
        with transaction.atomic():
            response = super().dispatch(request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
            return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get("Idempotency-Key")
        if self.is_keyed and key is not None and request.method not in SAFE_METHODS:
            self.keyed = begin(request, key)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, AnsweredBefore):
            return Response(exc.keyed.body, status=exc.keyed.status, headers={"Idempotent-Replayed": "true"})
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if self.keyed and response.status_code < 400:
            remember(self.keyed, status=response.status_code, body=self.remembered(response))
        return super().finalize_response(request, response, *args, **kwargs)

    def remembered(self, response: Response) -> Any:
        """Return what a repeated request is answered. A view that gives out a secret leaves it out here."""
        return response.data


def remember(keyed: KeyedRequest, *, status: int, body: Any) -> None:
    """Keep the answer beside the key."""
    keyed.status, keyed.body = status, orjson.loads(orjson.dumps(body, default=str))
    keyed.save(update_fields=["status", "body"])


@transaction.atomic
def purge(*, at: datetime) -> int:
    """Forget the scope's keys that are older than anybody's patience, and say how many."""
    return KeyedRequest.objects.filter(asked_at__lt=at - KEPT).delete()[0]


def begin(request: Request, key: str) -> KeyedRequest:
    """Write the key down. Raises AnsweredBefore, KeyReused for another request's key, and BadKey."""
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise BadKey(f"An Idempotency-Key has 1 to {LONGEST_KEY} printable characters.")
    asked = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    digest = hashlib.sha256(asked).digest()
    keyed, is_new = KeyedRequest.objects.get_or_create(member=signed_in(request), key=key, defaults={"digest": digest})
    if is_new:
        return keyed
    if bytes(keyed.digest) != digest:
        raise KeyReused("This Idempotency-Key was used for another request.")
    raise AnsweredBefore(keyed)
