"""JSON in, by orjson."""

from collections.abc import Mapping
from typing import Any, cast

import orjson
from django.conf import settings
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from kpplatform.rest.problems import TooLarge


class JSONParser(parsers.BaseParser):
    """Read JSON; what is not JSON is refused with the place where it breaks."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)
        if len(body) > most:
            raise TooLarge
        try:
            return cast("Any", orjson.loads(body))
        except orjson.JSONDecodeError as error:
            raise ParseError(f"This is not JSON: {error}", code="malformed_json") from error
