"""What comes in and goes out at the recommender's door."""

from typing import Any

from rest_framework import serializers

from catalog.models import Item
from kpplatform.rest.serializers import Asked
from recommender.models import Impression, ModelVersion


class FeedIn(Asked):
    cursor = serializers.CharField(required=False, max_length=400)
    limit = serializers.IntegerField(default=20, min_value=1, max_value=50)


class FeedCreatorOut(serializers.Serializer[Any]):
    handle = serializers.CharField()
    name = serializers.CharField()


class FeedItemOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Item.Kind.choices)
    title = serializers.CharField()
    language = serializers.CharField()
    topic = serializers.CharField(allow_null=True)
    creator = FeedCreatorOut()
    duration_ms = serializers.IntegerField(allow_null=True)
    is_free = serializers.BooleanField()
    published_at = serializers.DateTimeField()
    likes = serializers.IntegerField()
    saves = serializers.IntegerField()
    shares = serializers.IntegerField()
    comments = serializers.IntegerField()
    position = serializers.IntegerField(help_text="In this session, from 0.")
    source = serializers.ChoiceField(choices=Impression.Source.choices, help_text="Why it is here.")  # type: ignore[assignment]


class FeedOut(serializers.Serializer[Any]):
    page = serializers.UUIDField()
    version = serializers.IntegerField(allow_null=True, help_text="The model that was asked, if there is one.")
    next = serializers.URLField(allow_null=True)
    results = FeedItemOut(many=True)


class ModelVersionOut(serializers.ModelSerializer[ModelVersion]):
    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "kind",
            "state",
            "reason",
            "metrics",
            "events",
            "learned_until",
            "trained_at",
            "published_at",
        ]


class RetrainOut(serializers.Serializer[Any]):
    job = serializers.IntegerField(allow_null=True, help_text="None while one is waiting already.")
