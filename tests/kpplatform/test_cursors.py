"""A cursor that somebody made up is refused, whatever it says."""

from base64 import urlsafe_b64encode
from typing import Any

import orjson
import pytest
from rest_framework.test import APIClient

pytestmark = pytest.mark.usefixtures("_fresh_cache")


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("topics", ["piano\0", 1]),
        ("items", ["9999-12-31T23:59:59-23:59", 1]),
        ("items", ["0001-01-01T00:00:00+23:59", 1]),
        ("items", ["yesterday", 1]),
        ("items", [None, 1]),
        ("items", [1]),
        ("items", {}),
    ],
)
def test_a_made_up_cursor_is_refused(path: str, values: Any, client: APIClient) -> None:
    cursor = urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")

    answer = client.get(f"/api/v1/{path}/", {"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")
