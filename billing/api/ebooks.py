"""Upload e-books, and download one's copies."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import parsers, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import operations, queries
from billing.api.views import MoneyViewSet
from billing.models import EbookCopy, EbookFile
from billing.operations.ebooks import MOST_BYTES
from kpplatform.errors import NotFound
from kpplatform.rest.problems import TooLarge
from kpplatform.tenancy.scope import tenant_or_none

TYPES = {"pdf": "application/pdf", "epub": "application/epub+zip"}


class UnknownHost(NotFound):
    code = "unknown_host"


class BookParser(parsers.BaseParser):
    """Read a file as it is, up to what an e-book may have."""

    media_type = "application/octet-stream"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise TooLarge
        return {"content": content}


class EbookFileOut(serializers.ModelSerializer[EbookFile]):
    class Meta:
        model = EbookFile
        fields = ["id", "format", "digest", "size", "uploaded_at"]


class EbookCopyOut(serializers.ModelSerializer[EbookCopy]):
    product = serializers.IntegerField(source="product_id")
    title = serializers.CharField(source="product.title")
    left = serializers.SerializerMethodField(help_text="How often it may still be downloaded.")

    class Meta:
        model = EbookCopy
        fields = ["id", "product", "title", "downloads", "left", "granted_at", "last_at", "revoked_at"]

    def get_left(self, copy: EbookCopy) -> int:
        return max(operations.MOST_DOWNLOADS - copy.downloads, 0)


class LinkOut(serializers.Serializer[Any]):
    url = serializers.URLField(help_text="Downloads the file, within minutes, without signing in.")


class EbookFileViewSet(MoneyViewSet):
    lookup_value_converter = "int"
    parser_classes = [BookParser]

    @extend_schema(request={"application/octet-stream": OpenApiTypes.BINARY}, responses=EbookFileOut)
    def update(self, request: Request, pk: int) -> Response:
        """Put the file, PDF or EPUB, behind the e-book with this product's id."""
        product = get_object_or_404(queries.products_seen_by(self.viewer, at=timezone.now()), pk=pk)
        content = request.data.get("content", b"") if isinstance(request.data, dict) else b""
        put = operations.upload_ebook(product=product, by=self.viewer, content=content, at=timezone.now())
        return Response(EbookFileOut(put).data)


class EbookViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    @extend_schema(responses=EbookCopyOut(many=True))
    def list(self, request: Request) -> Response:
        """The e-books that who asks has bought, newest first."""
        return self.page(queries.copies_of(self.viewer), EbookCopyOut)

    @extend_schema(request=None, responses={201: LinkOut})
    @action(detail=True, methods=["post"])
    def link(self, request: Request, pk: int) -> Response:
        """Make a link that downloads the copy and expires."""
        copy = get_object_or_404(queries.copies_of(self.viewer), pk=pk)
        token = operations.link_to(copy=copy, by=self.viewer, at=timezone.now())
        url = request.build_absolute_uri(f"/api/v1/downloads/{token}/")
        return Response(LinkOut({"url": url}).data, status=status.HTTP_201_CREATED)

    def remembered(self, response: Response) -> Any:
        """Leave the link out of what is kept."""
        return {"url": None}


class DownloadView(APIView):
    """Whoever has the link has the file: it is signed, for one copy, and expires."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, token: str) -> HttpResponse:
        """Download a copy, marked as its buyer's."""
        if tenant_or_none() is None:
            raise UnknownHost("No tenant is reached under this host.")
        found, content = operations.download(token=token, at=timezone.now())
        name = f"book-{found.product_id}.{found.format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
        return HttpResponse(content, content_type=TYPES[found.format], headers=headers)
