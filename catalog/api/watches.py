"""What was watched comes in batches, often: read by hand, a field at a time, with nothing built per row."""

import re
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import operations
from catalog.models import Source
from catalog.operations import Event
from kpplatform.rest.devices import DEVICES, NETWORKS, UNKNOWN, device_of, network_of
from kpplatform.rest.views import ViewSet

LARGEST_BATCH = 500
LARGEST_ID = 2**63 - 1
LONGEST_WATCH_MS = 24 * 60 * 60 * 1000
FIRST_MOMENT, LAST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
LONGEST_SOURCE, LONGEST_SESSION = 20, 40


class WatchIn(serializers.Serializer[Any]):
    """Described here for the API's documentation; read by `event_of`."""

    event_id = serializers.UUIDField(help_text="Made by the device. Sent again, it is the same watch.")
    item = serializers.IntegerField(min_value=1)
    started_at = serializers.DateTimeField()
    watch_ms = serializers.IntegerField(min_value=0, max_value=LONGEST_WATCH_MS)
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=LONGEST_SOURCE, default="", allow_blank=True, help_text=Source.explained()
    )
    session = serializers.CharField(max_length=LONGEST_SESSION, default="")
    device = serializers.ChoiceField(DEVICES, required=False, help_text="Without it, as the headers tell.")
    network = serializers.ChoiceField(NETWORKS, required=False, help_text="Without it, as the headers tell.")


class WatchesIn(serializers.Serializer[Any]):
    watches = serializers.ListField(child=WatchIn(), min_length=1, max_length=LARGEST_BATCH)


class RefusedOut(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="Of the event in the batch, from 0.")
    code = serializers.ChoiceField(["unknown_item", "not_bought"])


class RecordedOut(serializers.Serializer[Any]):
    stored = serializers.IntegerField(help_text="Events that are new; those in quarantine among them.")
    known = serializers.IntegerField(help_text="Events whose id was stored before.")
    quarantined = serializers.DictField(child=serializers.IntegerField(), help_text="How many by which rule.")
    refused = RefusedOut(many=True)


class WatchViewSet(ViewSet):
    is_keyed = False  # each event has an id of its own

    @extend_schema(request=WatchesIn, responses=RecordedOut)
    def create(self, request: Request) -> Response:
        """Tell what who asks has watched, in any order; each event is stored once, however often it is sent.

        A malformed event refuses the whole batch. Events of items that are not there (`unknown_item`) or are not
        paid for (`not_bought`) are refused one by one, and the rest is stored; a batch of nothing else is refused
        as a whole, with 404 or 402. What breaks a cleaning rule is stored in quarantine and counted by its rule.
        Without the consent of who asks it is stored as nobody's.
        """
        events = events_of(request.data, device=device_of(request.headers), network=network_of(request.headers))
        recorded = operations.record_watches(viewer=self.viewer, events=events, at=timezone.now())
        return Response(
            {
                "stored": recorded.stored,
                "known": recorded.known,
                "quarantined": recorded.quarantined,
                "refused": [{"index": index, "code": code} for index, code in recorded.refused.items()],
            }
        )


def events_of(body: Any, *, device: str = UNKNOWN, network: str = UNKNOWN) -> list[Event]:
    """Return the events of a batch, watched on this unless they say something else.

    Raises ValidationError with the index and the field of everything wrong.
    """
    if type(body) is not dict or list(body) != ["watches"] or type(sent := body["watches"]) is not list:
        raise ValidationError({"watches": ["A batch is an object with a list of watches, and nothing else."]})
    if not 1 <= len(sent) <= LARGEST_BATCH:
        raise ValidationError({"watches": [f"A batch has 1 to {LARGEST_BATCH} watches."]})
    events, wrong = [], {}
    for index, told in enumerate(sent):
        try:
            events.append(event_of(told, device=device, network=network))
        except WrongFieldError as error:
            wrong[str(index)] = {error.field: [error.problem]}
    if wrong:
        raise ValidationError({"watches": wrong})
    return events


class WrongFieldError(ValueError):
    """A field of an event is not as it must be."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field, self.problem = field, problem


KNOWN = {"event_id", "item", "started_at", "watch_ms", "source", "session", "device", "network"}
DEVICE_CODES = {device: code for code, device in enumerate(DEVICES)}
NETWORK_CODES = {network: code for code, network in enumerate(NETWORKS)}


def event_of(told: Any, *, device: str = UNKNOWN, network: str = UNKNOWN) -> Event:
    """Return one event. Raises WrongFieldError for the first field that is wrong.

    `type(x) is int` because true is an int to Python, and not to us.
    """
    if type(told) is not dict:
        raise WrongFieldError("event", "An event is an object.")
    if not told.keys() <= KNOWN:
        raise WrongFieldError(min(told.keys() - KNOWN), "There is no such field.")
    event_id, item, watch_ms = told.get("event_id"), told.get("item"), told.get("watch_ms")
    source, session = told.get("source", ""), told.get("session", "")
    if type(event_id) is not str or not UUID.fullmatch(event_id):
        raise WrongFieldError("event_id", "A UUID with its dashes.")
    if type(item) is not int or not 1 <= item <= LARGEST_ID:
        raise WrongFieldError("item", "The id of an item.")
    if type(watch_ms) is not int or not 0 <= watch_ms <= LONGEST_WATCH_MS:
        raise WrongFieldError("watch_ms", "Whole milliseconds, a day at most.")
    if type(source) is not str or len(source) > LONGEST_SOURCE or not source.isprintable():
        raise WrongFieldError("source", f"{LONGEST_SOURCE} printable characters at most.")
    if type(session) is not str or len(session) > LONGEST_SESSION or not session.isprintable():
        raise WrongFieldError("session", f"{LONGEST_SESSION} printable characters at most.")
    on = (
        _code(told, "device", DEVICE_CODES, unless_told=device),
        _code(told, "network", NETWORK_CODES, unless_told=network),
    )
    return Event(event_id.lower(), item, moment_of(told.get("started_at")), watch_ms, source, session, *on)


def _code(told: dict[str, Any], field: str, codes: dict[str, int], *, unless_told: str) -> int:
    """Return the number of a word. Raises WrongFieldError."""
    word = told.get(field, unless_told)
    if type(word) is not str or word not in codes:
        raise WrongFieldError(field, f"One of {', '.join(codes)}.")
    return codes[word]


def moment_of(told: Any) -> datetime:
    """Return when a watch started. Raises WrongFieldError."""
    try:
        moment = datetime.fromisoformat(told)
        if moment.tzinfo is not None and FIRST_MOMENT <= moment < LAST_MOMENT:
            return moment.astimezone(UTC)
    except (TypeError, ValueError):
        pass
    raise WrongFieldError("started_at", "ISO 8601 with its time zone, in this century.")
