"""Serializers that do not swallow what they do not know."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class In(serializers.Serializer[Any]):
    """What is sent. A field that nobody reads is a mistake of the sender, and said so."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(set(map(str, data)) - set(self.fields))):
            raise serializers.ValidationError({name: ["There is no such field."] for name in unknown})
        return super().to_internal_value(data)


class Problem(serializers.Serializer[Any]):
    """A refusal (RFC 9457): what went wrong, with a code for programs and a sentence for people."""

    type = serializers.CharField(default="about:blank")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    fields = serializers.DictField(required=False, help_text="Which fields, when some are wrong.")  # type: ignore[assignment]
