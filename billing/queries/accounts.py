"""Through whom the tenant is paid."""

from django.db.models import QuerySet

from billing.models import ProviderAccount


def provider_accounts() -> QuerySet[ProviderAccount]:
    """Return the tenant's accounts with providers, newest first, without what is sealed in them."""
    return ProviderAccount.objects.defer("secrets").select_related("changed_by").order_by("-pk")
