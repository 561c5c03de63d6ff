"""From one page of the studio to another, of the same creator and the same days."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kpplatform.console.pages.shapes import Look

KEPT = ("creator", "days")


def to(look: Look, slug: str, **asked: object) -> str:
    """Return the address of a page of figures, of whom and of which days this one is."""
    kept = {name: look.asked[name] for name in KEPT if name in look.asked}
    return reverse("admin:figures", args=[slug], query=kept | asked or None)


def named(href: str, words: object) -> SafeString:
    """Return words that lead there."""
    return format_html('<a class="text-primary-600 underline dark:text-primary-500" href="{}">{}</a>', href, words)
