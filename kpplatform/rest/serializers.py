"""Serializers that do not swallow what they do not know."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from kpplatform.tenancy.models import ApiToken, Member, Tenant

# JSON has types: "30" is no number, 1 is not true, and 5.5 is no title.
TYPES: list[tuple[type[serializers.Field[Any, Any, Any, Any]], type, str]] = [
    (serializers.CharField, str, "This must be a string."),
    (serializers.IntegerField, int, "This must be a whole number."),
    (serializers.BooleanField, bool, "This must be true or false."),
]


class Asked(serializers.Serializer[Any]):
    """What an address asks for. A field that nobody reads is a mistake of the sender, and said so."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (wrong := self.mistakes(data)):
            raise serializers.ValidationError({name: [problem] for name, problem in wrong.items()})
        return super().to_internal_value(data)

    def mistakes(self, data: Mapping[Any, Any]) -> dict[str, str]:
        """Return what is wrong with the fields before they are read."""
        return {str(name): "There is no such field." for name in data if name not in self.fields}


class In(Asked):
    """What is sent as JSON, whose types are meant."""

    def mistakes(self, data: Mapping[Any, Any]) -> dict[str, str]:
        return super().mistakes(data) | {
            name: problem
            for name, field in self.fields.items()
            for kind, expected, problem in TYPES
            if isinstance(field, kind) and type(data.get(name)) not in {expected, type(None)}
        }


class WhyIn(In):
    why = serializers.CharField(max_length=200, help_text="Kept with the change.")


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
        fields = ["id", "name", "language", "role", "email", "joined_at", "is_minor", "tenant"]


class MeIn(In):
    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    language = serializers.CharField(max_length=10, required=False)
    is_minor = serializers.BooleanField(required=False, help_text="Said once, only staff take it back.")


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
