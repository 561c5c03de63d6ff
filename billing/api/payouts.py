"""Ask for payouts, decide on them, hold them up; say where a creator is paid."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.payout_serializers import (
    AccountIn,
    AccountOut,
    BatchIn,
    BatchOut,
    HoldIn,
    HoldOut,
    PaidIn,
    PayoutIn,
    PayoutOut,
    ReleaseIn,
    ResultIn,
    ResultOut,
)
from billing.api.views import MoneyViewSet
from billing.models import Payout, PayoutBatch
from billing.money import Money
from billing.operations import paying
from billing.providers import Destination
from creators.models import Creator
from kpplatform.rest.serializers import WhyIn
from kpplatform.tenancy.scope import current_tenant


def creator_meant(view: MoneyViewSet, handle: str | None) -> Creator:
    """Return the creator of this handle, or without one the one that who asks runs."""
    rows = Creator.objects.filter(handle=handle) if handle else Creator.objects.filter(member=view.viewer)
    return get_object_or_404(rows)


class PayoutAccountViewSet(MoneyViewSet):
    @extend_schema(responses=AccountOut(many=True))
    def list(self, request: Request) -> Response:
        """Where the creator that who asks runs is paid; every creator, for staff. Of numbers the end is shown."""
        return self.page(queries.payout_accounts_seen_by(self.viewer), AccountOut)

    @extend_schema(request=AccountIn, responses={201: AccountOut})
    def create(self, request: Request) -> Response:
        """Pay a creator there from now on."""
        ask = self.sent(AccountIn)
        made = paying.set_payout_account(
            creator=creator_meant(self, ask.get("creator")),
            by=self.viewer,
            currency=ask.get("currency", current_tenant().currency),
            rail=ask["rail"],
            to=Destination(holder=ask["holder"], number=ask["number"], bank=ask.get("bank", "")),
            at=timezone.now(),
        )
        return Response(AccountOut(made).data, status=status.HTTP_201_CREATED)


class PayoutViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def payout(self, pk: int) -> Payout:
        return get_object_or_404(queries.payouts_seen_by(self.viewer), pk=pk)

    def shown(self, payout: Payout, status_code: int = status.HTTP_200_OK) -> Response:
        return Response(PayoutOut(self.payout(payout.pk)).data, status=status_code)

    @extend_schema(responses=PayoutOut(many=True))
    def list(self, request: Request) -> Response:
        """The payouts to the creator that who asks runs, newest first; all of them for staff."""
        return self.page(queries.payouts_seen_by(self.viewer), PayoutOut)

    @extend_schema(responses=PayoutOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One payout, with what became of it, when and why."""
        return self.shown(self.payout(pk))

    @extend_schema(request=PayoutIn, responses={201: PayoutOut})
    def create(self, request: Request) -> Response:
        """Set an amount of what a creator may have aside to be paid out; without an amount, all of it."""
        ask = self.sent(PayoutIn)
        currency = ask.get("currency", current_tenant().currency)
        payout = paying.draft_payout(
            creator=creator_meant(self, ask.get("creator")),
            by=self.viewer,
            currency=currency,
            amount=Money(ask["amount"], currency) if "amount" in ask else None,
            key=self.key(),
            at=timezone.now(),
        )
        return self.shown(payout, status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=PayoutOut)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: int) -> Response:
        """Let it leave: staff, and above the tenant's limit somebody else than who drafted it."""
        return self.shown(paying.approve_payout(payout=self.payout(pk), by=self.viewer, at=timezone.now()))

    @extend_schema(request=WhyIn, responses=PayoutOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Give a payout up of which nobody was told."""
        told = {"by": self.viewer, "why": self.sent(WhyIn)["why"], "at": timezone.now()}
        return self.shown(paying.withdraw_payout(payout=self.payout(pk), **told))

    @extend_schema(request=PaidIn, responses=PayoutOut)
    @action(detail=True, methods=["post"], url_path="mark-paid")
    def mark_paid(self, request: Request, pk: int) -> Response:
        """Say that the bank has paid it: staff, somebody else than who approved it."""
        told = {"by": self.viewer, "reference": self.sent(PaidIn)["reference"], "at": timezone.now()}
        return self.shown(paying.mark_paid(payout=self.payout(pk), **told))

    @extend_schema(request=WhyIn, responses=PayoutOut)
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, pk: int) -> Response:
        """Say that the money came back after it was paid."""
        told = {"by": self.viewer, "why": self.sent(WhyIn)["why"], "at": timezone.now()}
        return self.shown(paying.reverse_payout(payout=self.payout(pk), **told))


class PayoutBatchViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def batch(self, pk: int) -> PayoutBatch:
        self.must_run_the_tenant()
        return get_object_or_404(queries.payout_batches(), pk=pk)

    def must_run_the_tenant(self) -> None:
        if not self.viewer.runs_the_tenant:
            raise operations.StaffOnly("Only the tenant's staff take files to the bank.")

    @extend_schema(responses=BatchOut(many=True))
    def list(self, request: Request) -> Response:
        """The files for the bank, newest first: for staff."""
        self.must_run_the_tenant()
        return self.page(queries.payout_batches(), BatchOut)

    @extend_schema(request=BatchIn, responses={201: BatchOut})
    def create(self, request: Request) -> Response:
        """Put all approved payouts by bank file into one: with this they count as submitted."""
        currency = self.sent(BatchIn).get("currency", current_tenant().currency)
        made = paying.make_batch(by=self.viewer, currency=currency, at=timezone.now())
        return Response(BatchOut(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: int) -> Any:
        """The file to take to the bank."""
        batch = self.batch(pk)
        named = {"Content-Disposition": f'attachment; filename="payouts-{batch.pk}.csv"'}
        text = "".join(paying.lines_of(batch))
        return HttpResponse(text.encode(), content_type="text/csv; charset=utf-8", headers=named)

    @extend_schema(request=ResultIn, responses=ResultOut)
    @action(detail=True, methods=["post"])
    def result(self, request: Request, pk: int) -> Response:
        """What the bank says became of it: a file with key, status (paid or failed), reference and reason."""
        batch, text = self.batch(pk), self.sent(ResultIn)["file"]
        news = paying.apply_result(batch=batch, text=text, by=self.viewer, at=timezone.now())
        return Response(ResultOut({"applied": news}).data)


class HoldViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    @extend_schema(responses=HoldOut(many=True))
    def list(self, request: Request) -> Response:
        """What holds payouts up: why, until when, and what the creator has to do."""
        return self.page(queries.holds_seen_by(self.viewer), HoldOut)

    @extend_schema(request=HoldIn, responses={201: HoldOut})
    def create(self, request: Request) -> Response:
        """Hold all payouts to a creator up: staff."""
        ask = self.sent(HoldIn)
        creator = creator_meant(self, ask.pop("creator"))
        hold = paying.place_hold(creator=creator, by=self.viewer, at=timezone.now(), **ask)
        return Response(HoldOut(hold).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReleaseIn, responses=HoldOut)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: int) -> Response:
        """Let payouts go again: staff."""
        hold = get_object_or_404(queries.holds_seen_by(self.viewer), pk=pk)
        told = {"by": self.viewer, "why": self.sent(ReleaseIn).get("why", ""), "at": timezone.now()}
        return Response(HoldOut(paying.release_hold(hold=hold, **told)).data)
