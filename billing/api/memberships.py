"""Join, change and leave memberships, give them to others; save what they are paid by."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.serializers import OrderOut, PayIn
from billing.api.views import MoneyViewSet
from billing.models import PaymentMethod, Period, Plan, Subscription, SubscriptionChange
from billing.operations import Wanted
from kpplatform.rest.serializers import In, WhyIn
from kpplatform.tenancy.models import Member


class MethodOut(serializers.ModelSerializer[PaymentMethod]):
    class Meta:
        model = PaymentMethod
        fields = ["id", "provider", "state", "checkout_url", "made_at"]


class PeriodOut(serializers.ModelSerializer[Period]):
    plan = serializers.IntegerField(source="plan_id")
    order = serializers.IntegerField(source="order_id", allow_null=True)

    class Meta:
        model = Period
        fields = ["id", "kind", "plan", "starts_at", "ends_at", "order", "credit"]


class SubscriptionOut(serializers.ModelSerializer[Subscription]):
    viewer = serializers.IntegerField(source="viewer_id")
    tier = serializers.IntegerField(source="tier_id")
    title = serializers.CharField(source="tier.title")
    plan = serializers.IntegerField(source="plan_id")
    next_plan = serializers.IntegerField(source="next_plan_id", allow_null=True)
    method = serializers.IntegerField(source="method_id", allow_null=True)
    periods = PeriodOut(many=True)
    needs_method = serializers.BooleanField(help_text="It renews, and there is nothing to charge it to.")

    class Meta:
        model = Subscription
        fields = [
            *("id", "viewer", "tier", "title", "plan", "next_plan", "state", "anchor", "starts_at", "ends_at"),
            *("renews", "method", "needs_method", "failures", "due_at", "began_at", "ended_at", "periods"),
        ]


class SubscriptionChangeOut(serializers.ModelSerializer[SubscriptionChange]):
    by = serializers.CharField(source="by.name", default=None, allow_null=True)

    class Meta:
        model = SubscriptionChange
        fields = ["id", "what", "by", "before", "after", "why", "changed_at"]


class JoinIn(In):
    plan = serializers.IntegerField()
    method = serializers.IntegerField(required=False, help_text="Begins the free days; it is charged when they end.")


class JoinedOut(serializers.Serializer[Any]):
    subscription = SubscriptionOut(allow_null=True, help_text="A trial, begun.")
    order = OrderOut(allow_null=True, help_text="To be paid; then the first period begins.")


class GiveIn(In):
    plan = serializers.IntegerField()
    to = serializers.IntegerField(help_text="The member who gets it.")
    message = serializers.CharField(required=False, max_length=500, allow_blank=True)


class ChangePlanIn(In):
    plan = serializers.IntegerField()


class ChangeMethodIn(In):
    method = serializers.IntegerField()


class PaymentMethodViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    @extend_schema(responses=MethodOut(many=True))
    def list(self, request: Request) -> Response:
        """What who asks has saved to pay by, newest first."""
        return self.page(queries.methods_of(self.viewer), MethodOut)

    @extend_schema(request=None, responses={201: MethodOut})
    def create(self, request: Request) -> Response:
        """Begin to save something to pay by; then open it."""
        made = operations.ask_method(viewer=self.viewer, at=timezone.now())
        return Response(MethodOut(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=PayIn, responses=MethodOut)
    @action(detail=True, methods=["post"])
    def open(self, request: Request, pk: int) -> Response:
        """Open the payment provider's page; the member agrees at `checkout_url`."""
        method = get_object_or_404(queries.methods_of(self.viewer), pk=pk)
        return_url = self.sent(PayIn).get("return_url", "")
        return Response(MethodOut(operations.open_method(method=method, return_url=return_url, at=timezone.now())).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Have it charged no more; what it paid for says then that it needs another (`needs_method`)."""
        method = get_object_or_404(PaymentMethod, member=self.viewer, pk=pk)
        operations.paying.remove_method(method=method, by=self.viewer, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class SubscriptionViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def subscription(self, pk: int) -> Subscription:
        return get_object_or_404(queries.subscriptions_seen_by(self.viewer), pk=pk)

    def plan(self, pk: int) -> Plan:
        return get_object_or_404(queries.plans_offered(at=timezone.now()), pk=pk)

    def done(self, pk: int, do: Any, **more: Any) -> Response:
        """Do it to the subscription, and answer with how it is then."""
        do(subscription=self.subscription(pk), by=self.viewer, at=timezone.now(), **more)
        return Response(SubscriptionOut(self.subscription(pk)).data)

    @extend_schema(responses=SubscriptionOut(many=True))
    def list(self, request: Request) -> Response:
        """The subscriptions of who asks, newest first."""
        return self.page(queries.subscriptions_of(self.viewer), SubscriptionOut)

    @extend_schema(responses=SubscriptionOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them: of who asks, or any for the tenant's staff."""
        return Response(SubscriptionOut(self.subscription(pk)).data)

    @extend_schema(request=JoinIn, responses={201: JoinedOut})
    def create(self, request: Request) -> Response:
        """Join: with a saved method the free days begin, else there is an order to pay."""
        ask, now = self.sent(JoinIn), timezone.now()
        plan, begun, order = self.plan(ask["plan"]), None, None
        if "method" in ask:
            method = get_object_or_404(queries.methods_of(self.viewer), pk=ask["method"])
            trial = operations.start_trial(viewer=self.viewer, plan=plan, method=method, at=now)
            begun = self.subscription(trial.pk)
        else:
            wanted = [Wanted(product=plan.product)]
            placed = operations.order_all(viewer=self.viewer, wanted=wanted, key=self.key(), at=now)
            order = queries.orders_of(self.viewer).get(pk=placed.pk)
        said = JoinedOut({"subscription": begun, "order": order})
        return Response(said.data, status=status.HTTP_201_CREATED)

    @extend_schema(request=GiveIn, responses={201: OrderOut})
    @action(detail=False, methods=["post"])
    def give(self, request: Request) -> Response:
        """Order a period for another member; it is theirs when it is paid, and not renewed."""
        ask = self.sent(GiveIn)
        placed = operations.give_membership(
            viewer=self.viewer,
            plan=self.plan(ask["plan"]),
            to=get_object_or_404(Member, pk=ask["to"]),
            message=ask.get("message", ""),
            key=self.key(),
            at=timezone.now(),
        )
        order = queries.orders_of(self.viewer).get(pk=placed.pk)
        return Response(OrderOut(order).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ChangePlanIn, responses=SubscriptionOut)
    @action(detail=True, methods=["post"])
    def upgrade(self, request: Request, pk: int) -> Response:
        """Begin a period of a dearer plan now: what is left of the present one counts."""
        return self.done(pk, operations.upgrade_now, plan=self.plan(self.sent(ChangePlanIn)["plan"]))

    @extend_schema(request=ChangePlanIn, responses=SubscriptionOut)
    @action(detail=True, methods=["post"])
    def downgrade(self, request: Request, pk: int) -> Response:
        """Go on with another plan from the next period."""
        plan = self.plan(self.sent(ChangePlanIn)["plan"])
        return self.done(pk, operations.downgrade_at_period_end, plan=plan)

    @extend_schema(request=None, responses=SubscriptionOut)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: int) -> Response:
        """Charge nothing until it is resumed."""
        return self.done(pk, operations.pause_subscription)

    @extend_schema(request=None, responses=SubscriptionOut)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: int) -> Response:
        """Go on: with the period that was paid for, or a new one."""
        return self.done(pk, operations.resume_subscription)

    @extend_schema(request=None, responses=SubscriptionOut)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """End it with the period that was paid for."""
        return self.done(pk, operations.cancel_subscription)

    @extend_schema(request=None, responses=SubscriptionOut)
    @action(detail=True, methods=["post"], url_path="undo-cancel")
    def undo_cancel(self, request: Request, pk: int) -> Response:
        """Have it renewed after all."""
        return self.done(pk, operations.undo_cancel)

    @extend_schema(request=ChangeMethodIn, responses=SubscriptionOut)
    @action(detail=True, methods=["post"], url_path="change-method")
    def change_method(self, request: Request, pk: int) -> Response:
        """Charge another method; what failed before at once."""
        subscription = self.subscription(pk)
        of_member = queries.methods_of(subscription.viewer)
        method = get_object_or_404(of_member, pk=self.sent(ChangeMethodIn)["method"])
        return self.done(pk, operations.change_method, method=method)

    @extend_schema(request=WhyIn, responses=SubscriptionOut)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: int) -> Response:
        """End it at once, and the access with it: for the tenant's staff."""
        return self.done(pk, operations.end_subscription, why=self.sent(WhyIn)["why"])

    @extend_schema(responses=SubscriptionChangeOut(many=True))
    @action(detail=True, methods=["get"])
    def changes(self, request: Request, pk: int) -> Response:
        """Who did what to it, the latest first; nobody: the clock."""
        return self.page(queries.changes_of_subscription(self.subscription(pk)), SubscriptionChangeOut)
