"""Pages by keyset: the cursor names the last row seen, so that page one million costs what page one costs."""

from rest_framework.pagination import CursorPagination


class KeysetPagination(CursorPagination):
    """Newest first, 20 a page, 100 at most. A view with another total order says so in `ordering`."""

    ordering: str | tuple[str, ...] = "-pk"
    page_size = 20
    page_size_query_param = "limit"
    max_page_size = 100
