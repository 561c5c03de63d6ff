"""Comments, with the least said. Call inside a scope."""

from catalog import operations as catalog
from catalog.models import Comment, Item
from tests import make
from tests.conftest import NOON


def said(item: Item, *bodies: str) -> list[Comment]:
    writer = make.member()
    return [catalog.comment(viewer=writer, item=item, body=body, parent_id=None, at=NOON) for body in bodies]
