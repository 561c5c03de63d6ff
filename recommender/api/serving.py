"""What the web process that answers has in memory of the tenant's models."""

import os
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kpplatform.rest.views import SignedIn
from recommender import queries
from recommender.api.permissions import RunsTheTenant
from recommender.models import ModelVersion
from recommender.serving.breaker import State
from recommender.serving.served import Served


class StageOut(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    part = serializers.CharField()
    breaker = serializers.ChoiceField(choices=[str(state) for state in State])
    failures = serializers.IntegerField(help_text="One after the other.")
    reason = serializers.CharField(help_text="Of the last failure.", allow_blank=True)


class BrokenOut(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    fault = serializers.ChoiceField(choices=ModelVersion.Fault.choices)


class ServingOut(serializers.Serializer[Any]):
    process = serializers.IntegerField(help_text="The one that answered.")
    version = serializers.IntegerField(allow_null=True)
    canary = serializers.IntegerField(allow_null=True)
    stages = StageOut(many=True)
    broken = BrokenOut(many=True, help_text="Versions that it could not read.")
    bytes = serializers.IntegerField(help_text="Of this tenant's share of the process's memory and mappings.")
    bytes_of_all = serializers.IntegerField(help_text="Of all tenants.")


class ServingView(SignedIn, APIView):
    """How the process that answers serves the tenant; each web process has its own state."""

    permission_classes = [RunsTheTenant]

    @extend_schema(operation_id="models_serving", responses=ServingOut)
    def get(self, request: Request) -> Response:
        """The versions in memory, their stages, and what could not be read."""
        shelf = queries.shelf_at_hand()
        live = [served for served in (shelf.served, shelf.tried) if served] if shelf else []
        return Response(
            {
                "process": os.getpid(),
                "version": shelf.served.version if shelf and shelf.served else None,
                "canary": shelf.tried.version if shelf and shelf.tried else None,
                "stages": [stage for served in live for stage in _stages(served)],
                "broken": [{"version": pk, "fault": code} for pk, code in shelf.broken.items()] if shelf else [],
                "bytes": shelf.nbytes if shelf else 0,
                "bytes_of_all": queries.bytes_at_hand(),
            }
        )


def _stages(served: Served) -> list[dict[str, Any]]:
    return [
        {
            "version": served.version,
            "part": part,
            "breaker": str(breaker.state),
            "failures": breaker.failures,
            "reason": breaker.reason,
        }
        for part, breaker in served.bundle.breakers.items()
    ]
