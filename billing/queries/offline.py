"""What buyers have shown for payments by bank."""

from django.db.models import QuerySet

from billing.models import PaymentProof, ProviderAccount
from kpplatform.tenancy.models import Member


def proofs_seen_by(member: Member) -> QuerySet[PaymentProof]:
    """Return the proofs that the member may see, newest first: their own; all of them for the tenant's staff."""
    proofs = PaymentProof.objects.select_related("payment__order__viewer").prefetch_related("decisions")
    seen = proofs if member.runs_the_tenant else proofs.filter(sent_by=member)
    return seen.defer("content").order_by("-pk")


def bank_instructions() -> str:
    """Return where buyers send their money; nothing when the tenant is not paid by bank."""
    account = ProviderAccount.objects.filter(provider=ProviderAccount.Provider.OFFLINE).first()
    return str(account.public["instructions"]) if account else ""
