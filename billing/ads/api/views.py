"""Advertise, look at what is to be shown, tell what was seen, see what came of it."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.ads import operations, queries
from billing.ads.api import serializers as told
from billing.ads.models import Advertiser, Campaign, Creative, Flight, Offer, Share
from billing.ads.operations import Caps, Told
from billing.api.serializers import OrderOut, RefundOut
from billing.api.views import MoneyViewSet
from billing.money import Money
from billing.operations.coin_returns import return_ad_balance
from billing.operations.staff import must_run_the_tenant
from catalog.models import Topic
from kpplatform.errors import Refused
from kpplatform.rest.pagination import KeysetPagination
from kpplatform.rest.programs import is_program
from kpplatform.rest.views import SignedIn
from kpplatform.tenancy.models import ApiToken
from kpplatform.tenancy.scope import current_tenant

CREATED = status.HTTP_201_CREATED


class AdvertiserViewSet(MoneyViewSet):
    queryset = Advertiser.objects.none()
    lookup_value_converter = "int"

    def advertiser(self, pk: int) -> Advertiser:
        return get_object_or_404(queries.advertisers_seen_by(self.viewer), pk=pk)

    @extend_schema(responses=told.AdvertiserOut(many=True))
    def list(self, request: Request) -> Response:
        """Who advertises: to staff all, to others themselves."""
        return self.page(queries.advertisers_seen_by(self.viewer), told.AdvertiserOut)

    @extend_schema(request=told.AdvertiserIn, responses={201: told.AdvertiserOut})
    def create(self, request: Request) -> Response:
        """Advertise under this name."""
        made = operations.advertise(member=self.viewer, at=timezone.now(), **self.sent(told.AdvertiserIn))
        return Response(told.AdvertiserOut(made).data, status=CREATED)

    @extend_schema(request=told.TopUpIn, responses={201: OrderOut})
    @action(detail=True, methods=["post"], url_path="top-up")
    def top_up(self, request: Request, pk: int) -> Response:
        """Order so much for the balance; it is paid like any other order."""
        ask = self.sent(told.TopUpIn)
        order = operations.top_up(
            advertiser=self.advertiser(pk),
            by=self.viewer,
            amount=Money(ask["amount"], ask["currency"]),
            key=self.key(),
            at=timezone.now(),
        )
        return Response(OrderOut(order).data, status=CREATED)

    @extend_schema(request=told.CurrencyIn, responses={201: RefundOut(many=True)})
    @action(detail=True, methods=["post"], url_path="give-back")
    def give_back(self, request: Request, pk: int) -> Response:
        """Give back all of the balance that is not set aside, the way it was paid."""
        who, ask = self.advertiser(pk), self.sent(told.CurrencyIn)
        given = return_ad_balance(viewer=who.member, by=self.viewer, key=self.key(), at=timezone.now(), **ask)
        return Response(RefundOut(given, many=True).data, status=CREATED)

    @extend_schema(parameters=[told.StatementIn], responses=told.AdStatementOut, filters=False)
    @action(detail=True, methods=["get"])
    def statement(self, request: Request, pk: int) -> Response:
        """What was paid in, charged and credited in a span: opening + all lines, a page at a time, = closing."""
        who, asked = self.advertiser(pk), told.StatementIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        usual = {"currency": current_tenant().currency, "since": who.made_at, "until": timezone.now()}
        span = {name: asked.validated_data.get(name, usual[name]) for name in usual}
        found = queries.ad_statement(who, **span)
        pages = KeysetPagination()
        page = pages.paginate_queryset(found.lines, request)
        shown = vars(found) | {"lines": page, "next": pages.following}
        return Response(told.AdStatementOut(shown).data)

    @extend_schema(request=told.BlockIn, responses=told.AdvertiserOut)
    @action(detail=True, methods=["post"])
    def block(self, request: Request, pk: int) -> Response:
        """Let none of their ads stand anywhere: for the tenant's staff."""
        ask = self.sent(told.BlockIn)
        who = operations.block_advertiser(advertiser=self.advertiser(pk), by=self.viewer, at=timezone.now(), **ask)
        return Response(told.AdvertiserOut(who).data)

    @extend_schema(request=None, responses=told.AdvertiserOut)
    @action(detail=True, methods=["post"])
    def unblock(self, request: Request, pk: int) -> Response:
        """Let their ads compete again: for the tenant's staff."""
        who = operations.unblock_advertiser(advertiser=self.advertiser(pk), by=self.viewer, at=timezone.now())
        return Response(told.AdvertiserOut(who).data)


class CampaignViewSet(MoneyViewSet):
    queryset = Campaign.objects.none()
    lookup_value_converter = "int"

    def campaign(self, pk: int) -> Campaign:
        return get_object_or_404(queries.campaigns_of(self.viewer), pk=pk)

    def shown(self, campaign: Campaign, code: int = status.HTTP_200_OK) -> Response:
        return Response(told.AdCampaignOut(campaign).data, status=code)

    @extend_schema(responses=told.AdCampaignOut(many=True))
    def list(self, request: Request) -> Response:
        """The campaigns: to staff all, to others their own; the newest first."""
        return self.page(queries.campaigns_of(self.viewer), told.AdCampaignOut)

    @extend_schema(responses=told.AdCampaignOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One campaign."""
        return self.shown(self.campaign(pk))

    @extend_schema(request=told.AdCampaignIn, responses={201: told.AdCampaignOut})
    def create(self, request: Request) -> Response:
        """Draft a campaign; it costs nothing before it is launched."""
        ask = self.sent(told.AdCampaignIn)
        mine = {"pk": ask.pop("advertiser")} if "advertiser" in ask else {"member": self.viewer}
        caps = Caps(*(ask.pop(name) for name in Caps.__annotations__))
        made = operations.draft_campaign(
            advertiser=get_object_or_404(queries.advertisers_seen_by(self.viewer), **mine),
            by=self.viewer,
            caps=caps,
            shuns=tuple(ask.pop("shuns", ())),
            at=timezone.now(),
            **ask,
        )
        return self.shown(made, CREATED)

    @extend_schema(operation_id="ad_flights", responses=told.FlightOut(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def flights(self, request: Request, pk: int) -> Response:
        """The flights of a campaign, and what each has spent (micros: millionths of a minor unit)."""
        return Response(told.FlightOut(queries.flights_of(self.campaign(pk)), many=True).data)

    @extend_schema(operation_id="ad_flights_create", request=told.FlightIn, responses={201: told.FlightOut})
    @flights.mapping.post
    def add_flight(self, request: Request, pk: int) -> Response:
        """Give a draft a budget, what it bids and whom it is for."""
        ask = self.sent(told.FlightIn)
        made = operations.add_flight(campaign=self.campaign(pk), by=self.viewer, at=timezone.now(), **ask)
        return Response(told.FlightOut(made).data, status=CREATED)

    @extend_schema(request=None, responses=told.AdCampaignOut)
    @action(detail=True, methods=["post"])
    def launch(self, request: Request, pk: int) -> Response:
        """Set the budget aside and let it compete."""
        return self.shown(operations.launch(campaign=self.campaign(pk), by=self.viewer, at=timezone.now()))

    @extend_schema(request=told.ReasonIn, responses=told.AdCampaignOut)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: int) -> Response:
        """Let it compete no longer for now."""
        ask = self.sent(told.ReasonIn)
        paused = operations.pause_campaign(campaign=self.campaign(pk), by=self.viewer, at=timezone.now(), **ask)
        return self.shown(paused)

    @extend_schema(request=None, responses=told.AdCampaignOut)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: int) -> Response:
        """Let it compete again."""
        return self.shown(operations.resume_campaign(campaign=self.campaign(pk), by=self.viewer, at=timezone.now()))

    @extend_schema(request=told.ReasonIn, responses=told.AdCampaignOut)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: int) -> Response:
        """End it for good; what it did not spend comes back to the balance."""
        ask = self.sent(told.ReasonIn)
        return self.shown(operations.end_campaign(campaign=self.campaign(pk), by=self.viewer, at=timezone.now(), **ask))

    @extend_schema(request=told.CreditIn, responses={201: told.CreditOut})
    @action(detail=True, methods=["post"])
    def credit(self, request: Request, pk: int) -> Response:
        """Give the advertiser money back: for the tenant's staff."""
        given = operations.credit_advertiser(
            campaign=self.campaign(pk), by=self.viewer, key=self.key(), at=timezone.now(), **self.sent(told.CreditIn)
        )
        return Response(told.CreditOut(given).data, status=CREATED)

    @extend_schema(responses=told.AdChangeOut(many=True))
    @action(detail=True, methods=["get"])
    def changes(self, request: Request, pk: int) -> Response:
        """Who changed it, the latest first."""
        return self.page(queries.changes_of_campaign(self.campaign(pk)), told.AdChangeOut)


class CreativeViewSet(MoneyViewSet):
    queryset = Creative.objects.none()
    lookup_value_converter = "int"

    def creative(self, pk: int) -> Creative:
        return get_object_or_404(queries.creatives_seen_by(self.viewer), pk=pk)

    @extend_schema(responses=told.CreativeOut(many=True))
    def list(self, request: Request) -> Response:
        """What is to be shown: to staff all, to others their own; the newest first."""
        return self.page(queries.creatives_seen_by(self.viewer), told.CreativeOut)

    @extend_schema(request=told.CreativeIn, responses={201: told.CreativeOut})
    def create(self, request: Request) -> Response:
        """Give a flight something to show, once staff have approved it."""
        ask = self.sent(told.CreativeIn)
        mine = Flight.objects.filter(campaign__in=queries.campaigns_of(self.viewer)).select_related("campaign")
        flight = get_object_or_404(mine, pk=ask.pop("flight"))
        if "topic" in ask:
            ask["topic"] = get_object_or_404(Topic, slug=ask["topic"])
        made = operations.add_creative(flight=flight, by=self.viewer, at=timezone.now(), **ask)
        return Response(told.CreativeOut(made).data, status=CREATED)

    def done(self, do: Any, pk: int, **said: Any) -> Response:
        creative = do(creative=self.creative(pk), by=self.viewer, at=timezone.now(), **said)
        return Response(told.CreativeOut(creative).data)

    @extend_schema(request=None, responses=told.CreativeOut)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: int) -> Response:
        """Let it be shown: for the tenant's staff."""
        return self.done(operations.approve_creative, pk)

    @extend_schema(request=told.RejectionIn, responses=told.CreativeOut)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: int) -> Response:
        """Let it not be shown, and say why: for the tenant's staff."""
        return self.done(operations.reject_creative, pk, **self.sent(told.RejectionIn))

    @extend_schema(request=None, responses=told.CreativeOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Show it no longer."""
        return self.done(operations.withdraw_creative, pk)


class HeldAdViewSet(MoneyViewSet):
    queryset = Offer.objects.none()
    lookup_value_converter = "int"

    @extend_schema(responses=told.HeldOut(many=True))
    def list(self, request: Request) -> Response:
        """What looked odd and waits to be decided on: for the tenant's staff."""
        must_run_the_tenant(self.viewer)
        return self.page(queries.held_offers(), told.HeldOut)

    @extend_schema(request=told.DecisionIn, responses=told.HeldOut)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: int) -> Response:
        """Bill it, or set its money free: for the tenant's staff."""
        must_run_the_tenant(self.viewer)
        offer = get_object_or_404(queries.held_offers(), pk=pk)
        bill = self.sent(told.DecisionIn)["bill"]
        decided = operations.decide_on_offer(offer=offer, by=self.viewer, is_valid=bill, at=timezone.now())
        return Response(told.HeldOut(decided).data)


class AdShareViewSet(MoneyViewSet):
    queryset = Share.objects.none()

    @extend_schema(responses=told.AdShareOut(many=True))
    def list(self, request: Request) -> Response:
        """What who asks has earned with ads, day by day, the latest first: for creators."""
        return self.page(queries.shares_of(self.viewer), told.AdShareOut)


class AdEventView(SignedIn):
    """What a viewer saw of ads."""

    write_scope = ApiToken.Scope.WRITE

    @extend_schema(operation_id="ad_events", request=told.AdEventsIn, responses={200: told.AdEventOut(many=True)})
    def post(self, request: Request) -> Response:
        """Tell of some events; each is counted by itself, once, and says so."""
        by = is_program(request.headers)
        told_of = [Told(**event, is_program=by) for event in self.sent(told.AdEventsIn)["events"]]
        answers = operations.report_ad_events(viewer=self.viewer, told=told_of, at=timezone.now())
        return Response([_counted(event, answer) for event, answer in zip(told_of, answers, strict=True)])


def _counted(event: Told, answer: Offer | Refused) -> dict[str, Any]:
    code = answer.code if isinstance(answer, Refused) else f"held_{answer.odd}" if answer.odd else ""
    return {"token": event.token, "is_counted": not code, "code": code}


class AdRulesView(SignedIn):
    """What is counted."""

    @extend_schema(operation_id="ad_rules", responses=told.AdRulesOut)
    def get(self, request: Request) -> Response:
        """How views are counted and shared here, in words: they are made of the numbers that the code uses."""
        return Response(told.AdRulesOut(queries.rules_for_all(at=timezone.now()).told()).data)
