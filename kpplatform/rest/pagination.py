"""Pages by keyset: the cursor names the last row seen, so that page one million costs what page one costs."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from kpplatform.errors import Invalid

PAGE_SIZE, LARGEST_PAGE = 20, 100


class BadCursor(Invalid):
    code = "bad_cursor"


class BadLimit(Invalid):
    code = "bad_limit"


class KeysetPagination(BasePagination):
    """20 a page, 100 at most, in the total order of the queryset itself (ending in `pk`, without nulls)."""

    following: str | None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        order = [str(name) for name in queryset.query.order_by]
        size = _limit(request)
        if cursor := request.query_params.get("cursor"):
            queryset = queryset.filter(_after(_read(cursor, queryset, order), order))
        rows = list(queryset[: size + 1])
        more = len(rows) > size
        self.following = (
            replace_query_param(request.build_absolute_uri(), "cursor", _cursor(rows[size - 1], order))
            if more
            else None
        )
        return rows[:size]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.following, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {"type": "string", "format": "uri", "nullable": True, "description": "The next page, if any."}
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": following, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        cursor = {"type": "string", "description": "From `next` of the page before."}
        limit = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE_SIZE}
        return [
            {"name": "cursor", "in": "query", "required": False, "schema": cursor},
            {"name": "limit", "in": "query", "required": False, "schema": limit},
        ]


def _limit(request: Request) -> int:
    asked = request.query_params.get("limit", str(PAGE_SIZE))
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= 3 and 1 <= int(asked) <= LARGEST_PAGE):
        raise BadLimit(f"A page has 1 to {LARGEST_PAGE} rows.")
    return int(asked)


def _cursor(row: Any, order: list[str]) -> str:
    values = [getattr(row, name.lstrip("-")) for name in order]
    return urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def _read(cursor: str, queryset: QuerySet[Any], order: list[str]) -> list[Any]:
    """Return the values of the last row seen. Raises BadCursor."""
    meta = queryset.model._meta
    fields = [meta.pk if name.lstrip("-") == "pk" else meta.get_field(name.lstrip("-")) for name in order]
    try:
        values = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or any(isinstance(value, (list, dict, type(None))) for value in values):
            raise BadCursor("This cursor is not from here.")
        return [_value(field, told) for field, told in zip(fields, values, strict=True)]
    except (binascii.Error, TypeError, ValueError, ValidationError, OverflowError) as error:
        raise BadCursor("This cursor is not from here.") from error


def _value(field: Any, told: Any) -> Any:
    """Return one of a cursor's values as the column would hold it. Raises ValueError or OverflowError."""
    value = field.to_python(told)
    if isinstance(value, datetime):
        return value.astimezone(UTC)  # at the ends of the calendar there may be no such moment
    if isinstance(value, str) and "\0" in value:
        raise ValueError("No text in the database has this character.")
    return value


def _after(values: list[Any], order: list[str]) -> Q:
    """Return the condition of the rows behind these values: (a, b) > (x, y), written so that an index serves it."""
    condition = Q()
    for name, value in reversed(list(zip(order, values, strict=True))):
        field, beyond = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        if not condition:
            condition = Q(**{f"{field}__{beyond}": value})
            continue
        behind = Q(**{f"{field}__{beyond}": value}) | Q(**{field: value}) & condition
        condition = Q(**{f"{field}__{beyond}e": value}) & behind
    return condition
