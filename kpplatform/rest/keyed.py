"""Idempotency-Key: a write sent again is not done again, it is answered again."""

import hashlib
from typing import Any

import orjson
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from kpplatform.errors import Conflict, Invalid
from kpplatform.rest.models import KeyedRequest
from kpplatform.rest.permissions import signed_in

LONGEST_KEY = 200


class KeyReused(Conflict):
    code = "idempotency_key_reused"


class BadKey(Invalid):
    code = "bad_idempotency_key"


class AnsweredBefore(Exception):
    """The same request was done before; this is what was answered then."""

    def __init__(self, keyed: KeyedRequest) -> None:
        self.keyed = keyed


class Keyed:
    """A view whose writes may carry an Idempotency-Key.

    The key is written in the transaction of the write itself: both are there, or neither. A second request with
    the same key waits for the first. A refused write leaves no key behind, so that it may be tried again.
    """

    keyed: KeyedRequest | None = None

    def initial(self: Any, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        key = request.headers.get("Idempotency-Key")
        if key is not None and request.method not in SAFE_METHODS:
            self.keyed = begin(request, key)

    def handle_exception(self: Any, exc: Exception) -> Response:
        if isinstance(exc, AnsweredBefore):
            return Response(exc.keyed.body, status=exc.keyed.status, headers={"Idempotent-Replayed": "true"})
        return super().handle_exception(exc)  # type: ignore[misc,no-any-return]

    def finalize_response(self: Any, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        keyed, self.keyed = self.keyed, None
        if keyed and response.status_code < 400:
            keyed.status, keyed.body = (
                response.status_code,
                orjson.loads(orjson.dumps(response.data, default=str)),
            )
            keyed.save(update_fields=["status", "body"])
        elif keyed:
            keyed.delete()
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc,no-any-return]


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
