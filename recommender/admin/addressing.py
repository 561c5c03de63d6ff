"""Whom staff mean and what they say to them, in the web admin: groups of viewers by rules, and campaigns."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from catalog.models import Topic
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant
from recommender import operations, queries
from recommender.models import ViewerGroup
from recommender.operations.campaigns import Audience, Message

MOST_CHOICES = 500
ALL, PAID, UNPAID = "", "paid", "unpaid"
Choices = list[tuple[Any, Any]]


def _text(label: Any, *, required: bool = False, most: int = 60, said: Any = "") -> forms.CharField:
    widget = UnfoldAdminTextInputWidget
    return forms.CharField(label=label, required=required, max_length=most, help_text=said, widget=widget)


def _number(label: Any, low: int, high: int, *, first: int | None = None, said: Any = "") -> forms.IntegerField:
    bounds: dict[str, Any] = {"min_value": low, "max_value": high, "initial": first, "required": False}
    return forms.IntegerField(label=label, help_text=said, widget=UnfoldAdminTextInputWidget, **bounds)


def _share(label: Any, low: float, high: float, *, first: float | None = None, said: Any = "") -> forms.FloatField:
    bounds: dict[str, Any] = {"min_value": low, "max_value": high, "initial": first, "required": first is not None}
    return forms.FloatField(label=label, help_text=said, widget=UnfoldAdminTextInputWidget, **bounds)


def _choice(label: Any, choices: Sequence[tuple[Any, Any]] = (), *, said: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=choices, required=False, help_text=said, widget=UnfoldAdminSelectWidget
    )


def _words(label: Any, *, said: Any = "") -> forms.CharField:
    return forms.CharField(label=label, max_length=1_000, help_text=said, widget=UnfoldAdminTextareaWidget)


def _segments() -> Choices:
    labels = queries.segments().values_list("label", flat=True)
    return [("", "–"), *((label, _("segment %(label)s") % {"label": label}) for label in labels[:MOST_CHOICES])]


class Refusable(forms.Form):
    """A form whose operation may refuse what it says; then it says why."""

    def refused(self, why: Refused) -> None:
        self.add_error(None, forms.ValidationError(why.detail, code=why.code))


class GroupForm(Refusable):
    """A group of viewers: every rule that is filled in holds of them."""

    name = forms.SlugField(label=lazy("name"), max_length=60, widget=UnfoldAdminTextInputWidget)
    topic = _choice(lazy("watched this topic"))
    times = _number(lazy("so many times at least"), 1, 1_000, first=1)
    days = _number(lazy("within so many days"), 1, 365, first=28)
    paid = _choice(
        lazy("paid"),
        [(ALL, "–"), (PAID, lazy("have paid something")), (UNPAID, lazy("have never paid anything"))],
    )
    unseen_days = _number(lazy("not seen for so many days"), 1, 365)
    creator = _text(lazy("follow this creator"), most=40, said=lazy("The creator's handle."))
    least = _share(lazy("as likely to leave, at least"), 0, 1, said=lazy("From 0 to 1."))
    segment = _choice(lazy("in this segment"))
    counted = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *told: Any) -> None:
        super().__init__(*told)
        topics = Topic.objects.order_by("slug")[:MOST_CHOICES]
        self.fields["topic"].choices = [("", "–"), *((of.slug, str(of)) for of in topics)]  # type: ignore[attr-defined]
        self.fields["segment"].choices = _segments()  # type: ignore[attr-defined]

    @property
    def rules(self) -> list[dict[str, Any]]:
        """Return the rules that were filled in, as the operation takes them."""
        said, found = self.cleaned_data, list[dict[str, Any]]()
        if said["topic"]:
            often = {"times": said["times"] or 1, "days": said["days"] or 28}
            found.append({"kind": "watched", "topic": said["topic"], **often})
        if said["paid"]:
            found.append({"kind": "paid", "is_so": said["paid"] == PAID})
        if said["unseen_days"]:
            found.append({"kind": "unseen", "days": said["unseen_days"]})
        if said["creator"]:
            found.append({"kind": "follows", "creator": said["creator"]})
        if said["least"] is not None:
            found.append({"kind": "may_leave", "least": said["least"]})
        if said["segment"]:
            found.append({"kind": "segment", "label": int(said["segment"])})
        return found

    @property
    def told(self) -> str:
        return json.dumps(self.rules, sort_keys=True)

    @property
    def is_counted(self) -> bool:
        """Whether these very rules were counted, and the count was shown."""
        return bool(self.cleaned_data["counted"] == self.told)

    def count(self, *, by: Member, at: datetime) -> int | None:
        """Return of how many viewers the rules hold, at least; None when they are refused, and the form says why."""
        try:
            found = operations.count_group(rules=self.rules, by=by, at=at)
        except Refused as refused:
            self.refused(refused)
            return None
        sent: Any = self.data
        changed = sent.copy()
        changed["counted"] = self.told
        self.data = changed
        return found

    def keep(self, *, by: Member, at: datetime) -> ViewerGroup | None:
        """Keep the group; None when it is refused, and the form says why."""
        try:
            return operations.make_group(name=self.cleaned_data["name"], rules=self.rules, by=by, at=at)
        except Refused as refused:
            self.refused(refused)
        return None


class CampaignForm(Refusable):
    """A campaign: whom it is for, what it says in both languages, and who is left in peace."""

    name = forms.SlugField(
        label=lazy("name"),
        max_length=60,
        help_text=lazy("Viewers are dealt by it; another name deals anew."),
        widget=UnfoldAdminTextInputWidget,
    )
    group = _choice(lazy("for a group"))
    segment = _choice(lazy("or for a segment"))
    least_churn = _share(lazy("or for those as likely to leave"), 0, 1, said=lazy("From 0 to 1."))
    message_zh = _words(lazy("message in Chinese"))
    message_en = _words(lazy("message in English"))
    link = _text(lazy("link"), most=200, said=lazy("A page of the site, from its first /."))
    coupon = _text(lazy("coupon"), most=40, said=lazy("The code of a personal one: those who are told get it."))
    is_sent_here = forms.BooleanField(
        label=lazy("the platform sends it, by notices"),
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
    )
    held_out = _share(lazy("share that is left in peace"), 0.01, 0.99, first=0.2, said=lazy("From 0.01 to 0.99."))
    days = _number(lazy("days for which it is counted"), 1, 90, first=14)

    def __init__(self, *told: Any) -> None:
        super().__init__(*told)
        names = queries.groups().values_list("name", "at_least")[:MOST_CHOICES]
        said = [(name, _("%(name)s: at least %(many)s") % {"name": name, "many": many}) for name, many in names]
        self.fields["group"].choices = [("", "–"), *said]  # type: ignore[attr-defined]
        self.fields["segment"].choices = _segments()  # type: ignore[attr-defined]

    def begin(self, *, at: datetime) -> Any:
        """Begin it; None when it is refused, and the form says why."""
        said = self.cleaned_data
        segment = int(said["segment"]) if said["segment"] else None
        audience = Audience(said["group"] or None, segment, said["least_churn"])
        own = "message_zh" if current_tenant().language.startswith("zh") else "message_en"
        plain = {name: said[name] for name in ("message_zh", "message_en", "link", "coupon", "is_sent_here")}
        dealt = {"held_out": said["held_out"], "days": said["days"] or 14}
        try:
            message = Message(said[own], **plain)
            return operations.begin_campaign(name=said["name"], audience=audience, message=message, **dealt, at=at)
        except Refused as refused:
            self.refused(refused)
        return None
