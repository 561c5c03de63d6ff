"""Forms as Stripe reads them: with nested names, or in parts."""

from typing import Any
from urllib.parse import parse_qsl, urlencode


class No(Exception):
    """An error in Stripe's shape."""

    def __init__(self, status: int, kind: str, **said: str) -> None:
        super().__init__(kind)
        self.status, self.said = status, {"error": {"type": kind, "message": "No.", **said}}


def from_parts(kind: str, body: bytes) -> str:
    """Return the parts of a multipart body as a form: a file is its bytes, as Latin-1."""
    boundary = kind.partition("boundary=")[2].strip('"').encode()
    fields = []
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.strip(b"\r\n").partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        fields.append((name, content.decode("latin-1")))
    return urlencode(fields)


def nested(form: str) -> dict[str, Any]:
    """Return a form's fields, nested as their names say: a[0][b]=c."""
    whole: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        *path, last = name.replace("]", "").split("[")
        place = whole
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return {name: _listed(value) for name, value in whole.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inside = {name: _listed(part) for name, part in value.items()}
    return list(inside.values()) if inside and all(name.isdecimal() for name in inside) else inside


def must_be_taken(asked: Any, accepted: Any, name: str) -> None:
    """Raise No for a parameter that Stripe does not know."""
    if isinstance(accepted, list):
        for each in asked:
            must_be_taken(each, accepted[0], name)
    elif isinstance(accepted, dict):
        for part, value in asked.items():
            if part not in accepted:
                raise No(400, "invalid_request_error", code="parameter_unknown", param=f"{name}[{part}]")
            must_be_taken(value, accepted[part], part)
