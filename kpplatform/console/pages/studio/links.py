"""From one page of the studio to another, of the same creator and the same days."""

from django.urls import reverse

from kpplatform.console.pages.shapes import Look

KEPT = ("creator", "days")


def to(look: Look, slug: str, **asked: object) -> str:
    """Return the address of a page of figures, of whom and of which days this one is."""
    kept = {name: look.asked[name] for name in KEPT if name in look.asked}
    return reverse("admin:figures", args=[slug], query=kept | asked or None)
