"""Creators, as they are sent and shown."""

from typing import Any

from rest_framework import serializers

from creators.models import HANDLE, Creator
from kpplatform.rest.serializers import In

MOST_LINKS = 10


class ProfileIn(In):
    name = serializers.CharField(max_length=100)
    bio = serializers.CharField(max_length=2_000, allow_blank=True, required=False)
    links = serializers.ListField(child=serializers.URLField(max_length=300), max_length=MOST_LINKS, required=False)


class CreatorIn(ProfileIn):
    handle = serializers.RegexField(HANDLE, help_text="Small letters, digits, - and _; it cannot be changed.")


class CreatorOut(serializers.ModelSerializer[Creator]):
    links = serializers.ListField(child=serializers.URLField())
    is_verified = serializers.SerializerMethodField()

    class Meta:
        model = Creator
        fields = ["handle", "name", "bio", "links", "is_verified", "followers", "created_at"]

    def get_is_verified(self, creator: Creator) -> bool:
        return creator.verified_at is not None


class CreatorDetailOut(CreatorOut):
    is_followed = serializers.SerializerMethodField(help_text="By who asks.")

    class Meta(CreatorOut.Meta):
        fields = [*CreatorOut.Meta.fields, "is_followed"]

    def get_is_followed(self, creator: Creator) -> bool:
        return bool(self.context["is_followed"])


class FollowOut(serializers.Serializer[Any]):
    creator = CreatorOut()
    followed_at = serializers.DateTimeField()


class HiddenCreatorOut(serializers.Serializer[Any]):
    creator = CreatorOut()
    hidden_at = serializers.DateTimeField()
