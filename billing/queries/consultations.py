"""What is asked for money, and by whom it may be read."""

from datetime import datetime

from django.db.models import Q, QuerySet

from billing.models import Consultation, ConsultationOffer
from kpplatform.tenancy.models import Member


def consultation_offers(*, at: datetime) -> QuerySet[ConsultationOffer]:
    """Return what is answered, planned and made to order, newest first."""
    sold = ConsultationOffer.objects.filter(Q(product__withdrawn_at=None) | Q(product__withdrawn_at__gt=at))
    return sold.select_related("product__creator").order_by("-pk")


def consultations_seen_by(member: Member) -> QuerySet[Consultation]:
    """Return what the member asked or is asked, newest first; for the tenant's staff all that was paid."""
    asked = Consultation.objects.exclude(state=Consultation.State.PLACED)
    if not member.runs_the_tenant:
        asked = asked.filter(Q(viewer=member) | Q(creator__member=member))
    return asked.select_related("offer__product", "line__order", "creator").prefetch_related("entries").order_by("-pk")
