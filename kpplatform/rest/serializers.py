"""Serializers that do not swallow what they do not know."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from kpplatform.tenancy.models import ApiToken, Member, Tenant


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


class TenantOut(serializers.ModelSerializer[Tenant]):
    class Meta:
        model = Tenant
        fields = ["slug", "name", "language", "currency", "time_zone"]


class MeOut(serializers.ModelSerializer[Member]):
    """The member who asks, and where."""

    email = serializers.EmailField(source="user.email")
    tenant = TenantOut()

    class Meta:
        model = Member
        fields = ["id", "name", "language", "role", "email", "joined_at", "tenant"]


class MeIn(In):
    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    language = serializers.CharField(max_length=10, required=False)


class TokenIn(In):
    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(child=serializers.CharField(max_length=20), min_length=1, max_length=10)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class TokenOut(serializers.ModelSerializer[ApiToken]):
    scopes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ApiToken
        fields = ["id", "name", "scopes", "created_at", "expires_at", "revoked_at"]


class TokenIssued(TokenOut):
    """A new token, with its key: shown this once."""

    key = serializers.CharField(allow_null=True, help_text="`kp_…`; null when the answer is a repeated one.")

    class Meta(TokenOut.Meta):
        fields = [*TokenOut.Meta.fields, "key"]
